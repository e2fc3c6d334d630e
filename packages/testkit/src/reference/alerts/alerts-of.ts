import type { AlertTouch, Transition } from '@touchstone/engine';
import { isFact, isModel, isTick, type FactRecord, type LogEntry, type TouchRecord } from '../log-entry.ts';
import { matches } from '../points.ts';
import { AccountAt, type KnownAccount } from './account-at.ts';
import { turningInstants } from './instants.ts';
import type { AlertModelDocument } from './rule-document.ts';
import { AccountSteps, type Look } from './steps.ts';

const HOUR_MS = 3_600_000;
const DEDUPE_HORIZON_MS = 48 * HOUR_MS;

/** A model that is in force from an entry on, by its place; the first one from 0. */
export interface Phase {
  readonly from: number;
  readonly model: AlertModelDocument;
}

interface GrowingAccount {
  readonly accountId: string;
  readonly touches: TouchRecord[];
  readonly facts: FactRecord[];
  readonly steps: AccountSteps;
  version: number;
}

/**
 * Everything that happens to accounts under alert rules, read off a partition's log by definition: what is known is looked at after every record,
 * and at every instant in between at which anything may turn.
 */
export function alertsOf(entries: readonly LogEntry[], phases: readonly Phase[]): Transition[] {
  const log = new AlertLog();
  for (const [place, entry] of entries.entries()) {
    for (const { from, model } of phases) if (from === place) log.takeOver(model);
    log.append(entry);
  }
  for (const { from, model } of phases) if (from === entries.length) log.takeOver(model);
  return log.transitions;
}

class AlertLog {
  readonly transitions: Transition[] = [];
  readonly #accounts = new Map<string, GrowingAccount>();
  readonly #countedAt = new Map<string, number>();
  #model: AlertModelDocument = { version: '', rules: [] };
  #growth = 1;
  #now = 0;
  #lastOffset = 0;
  #partition = 0;

  takeOver(model: AlertModelDocument): void {
    this.#model = model;
    for (const account of this.#accounts.values()) {
      this.#look(account, { at: this.#now, offset: this.#lastOffset, cause: 'model', late: false, touch: null, before: () => null });
    }
  }

  append({ appendedAt, offset, partition = 0, record }: LogEntry): void {
    const now = Math.max(this.#now, appendedAt);
    this.#partition = partition;
    this.#pass(now, offset);
    this.#now = now;
    this.#lastOffset = offset;
    if (isTick(record)) this.#tick(record.tick.fleetGrowth, offset);
    else if (isFact(record)) this.#takeFact(record, offset);
    else if (!isModel(record)) this.#takeTouch(record, offset);
  }

  /** What time alone brings about, over all accounts in the order of instant and of the bytes of their ids. */
  #pass(until: number, offset: number): void {
    const due = [...this.#accounts.values()].flatMap((account) => {
      const known = this.#at(account);
      return turningInstants(known, this.#now, until).map((at) => ({ account, at, known }));
    });
    const bytesOf = ({ accountId }: GrowingAccount): Buffer => Buffer.from(accountId);
    due.sort((one, other) => one.at - other.at || Buffer.compare(bytesOf(one.account), bytesOf(other.account)));
    for (const { account, at, known } of due) {
      this.#look(account, { at, offset, cause: 'decay', late: false, touch: null, before: (metric) => known.metric(metric, at - 1) });
    }
  }

  #tick(growth: number | null, offset: number): void {
    if (growth === null) return;
    this.#growth = growth;
    for (const account of this.#accounts.values()) {
      this.#look(account, { at: this.#now, offset, cause: 'decay', late: false, touch: null, before: () => null });
    }
  }

  #takeFact(fact: FactRecord, offset: number): void {
    const accountId = fact.type === 'account' ? fact.id : fact.type === 'spend' ? null : (fact.accountId ?? null);
    if (accountId === null) return;
    const before = this.#before(accountId);
    const account = this.#of(accountId);
    account.facts.push(fact);
    account.version = offset;
    const cause = fact.type === 'contact' ? 'identity' : 'correction';
    this.#look(account, { at: this.#now, offset, cause, late: false, touch: null, before });
  }

  #takeTouch(touch: TouchRecord, offset: number): void {
    if (touch.occurredAt > this.#now + HOUR_MS) return;
    const counted = this.#countedAt.get(touch.id);
    if (counted !== undefined && this.#now - counted < DEDUPE_HORIZON_MS) return;
    this.#countedAt.set(touch.id, this.#now);
    if (touch.accountId === undefined || touch.accountId === null) return;
    const before = this.#before(touch.accountId);
    const account = this.#of(touch.accountId);
    account.touches.push(touch);
    account.version = offset;
    const told: AlertTouch = {
      kind: touch.kind,
      contactId: touch.contactId ?? null,
      campaignId: touch.campaignId ?? null,
      occurredAt: touch.occurredAt,
      ruleIds: this.#model.rules.filter((rule) => matches(rule, touch)).map(({ id }) => id),
    };
    const late = touch.occurredAt < this.#now - HOUR_MS;
    this.#look(account, { at: this.#now, offset, cause: 'touch', late, touch: told, before });
  }

  /** Figures of an account as they are before a record; of one that the record makes known there are none. */
  #before(accountId: string): Look['before'] {
    const account = this.#accounts.get(accountId);
    if (account === undefined) return () => 0;
    const known = this.#at(account);
    return (metric) => known.metric(metric, this.#now);
  }

  #of(accountId: string): GrowingAccount {
    const known = this.#accounts.get(accountId);
    if (known !== undefined) return known;
    const account = { accountId, touches: [], facts: [], steps: new AccountSteps(accountId), version: -1 };
    this.#accounts.set(accountId, account);
    return account;
  }

  #look(account: GrowingAccount, look: Look): void {
    this.transitions.push(...account.steps.look(this.#at(account), look));
  }

  #at({ accountId, facts, touches, version }: GrowingAccount): AccountAt {
    const of = (type: FactRecord['type']): FactRecord[] => facts.filter((fact) => fact.type === type);
    const account: KnownAccount = {
      accountId,
      partition: this.#partition,
      touches: [...touches],
      contactFacts: of('contact'),
      accountFacts: of('account'),
      opportunityFacts: of('opportunity'),
      version,
      model: this.#model,
    };
    return new AccountAt(account, this.#growth);
  }
}
