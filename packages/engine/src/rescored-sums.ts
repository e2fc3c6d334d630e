import { Ahead } from './columns/ahead.ts';
import { CapCounts } from './columns/cap-counts.ts';
import { grown } from './columns/growth.ts';
import { RescoredCreatives } from './columns/rescored-creatives.ts';
import { findCreatives } from './count-creatives.ts';
import { findAccounts, findContacts, setSlots, sumUp, type SummingColumns } from './count-touches.ts';
import { decayOf, type Decay } from './decay.ts';
import { accountOf, type ContactFact, type Fact } from './fact.ts';
import { Kinds } from './kinds.ts';
import { OUTCOME, type Outcome, type PartitionLedgers } from './ledgers.ts';
import type { ScoringModel } from './model.ts';
import { RECORD, type RecordRun } from './record.ts';
import { Roles } from './roles.ts';
import { TouchBatch } from './touch-batch.ts';
import { FIELD, type TouchCursor } from './touch.ts';

/**
 * What another model makes of the touches of ledgers that go on living: points, and which touches qualify an account at once, nothing else. Windows, people, ids and names are the same
 * under any model, so they are not built again but looked up in the living ledgers, which are ahead all the time.
 *
 * Budget of a touch: a microsecond with reading its row, no allocation. Sums come out to the last bit as in a whole replay, so every addition is made in its
 * order: roles too are those of that place on the log, not those of now. A contact that came later has a sum of 0, which adds nothing.
 */
const encoder = new TextEncoder();

export class RescoredSums implements SummingColumns {
  readonly partition: number;
  readonly model: ScoringModel;
  readonly decay: Decay;
  readonly roles: Roles;
  readonly ahead = new Ahead();
  readonly caps = new CapCounts();
  readonly accounts: SummingColumns['accounts'];
  readonly contacts = { sum: new Float64Array(0), role: new Uint16Array(0), roleUpdatedAt: new Float64Array(0) };
  readonly creatives: RescoredCreatives | null;
  /** Offset of the next record to apply. */
  position = 0;
  readonly #live: PartitionLedgers;
  readonly #kinds: Kinds;
  readonly #batch = new TouchBatch();
  #now = 0;

  constructor(live: PartitionLedgers, model: ScoringModel) {
    this.partition = live.partition;
    this.model = model;
    this.decay = decayOf(model);
    this.roles = new Roles(model);
    this.accounts = {
      sum: new Float64Array(0),
      nobodySum: new Float64Array(0),
      ahead: new Uint32Array(0),
      actNowAt: new Float64Array(0),
      changedAt: live.accounts.changedAt,
    };
    this.creatives = live.creatives && new RescoredCreatives(live.creatives);
    this.#live = live;
    this.#kinds = new Kinds(model);
  }

  /** Takes the stored record that the run stands on; the living ledgers have applied it before. Ids are not asked for. */
  take(run: RecordRun): Outcome {
    const now = run.appendedAt > this.#now ? run.appendedAt : this.#now;
    this.#now = now;
    this.position = run.offset + 1;
    if (run.kind === RECORD.touch) return this.#takeTouch(run.touch, run.offset, now);
    this.settle();
    if (run.kind === RECORD.fact) this.#applyFact(run.fact!);
    return OUTCOME.fact;
  }

  /** Adds up the touches that were taken. */
  settle(): void {
    const batch = this.#batch;
    if (batch.count === 0) return;
    const { accounts, contacts } = this.#live;
    const [accountsBefore, contactsBefore] = [accounts.size, contacts.size];
    findAccounts(this.#live, batch);
    findContacts(this.#live, batch);
    if (accounts.size > accountsBefore || contacts.size > contactsBefore) throw nobodyKnown();
    this.#makeRoom();
    setSlots(batch);
    if (this.creatives !== null) findCreatives(this.creatives, batch);
    sumUp(this, batch);
    batch.clear();
  }

  /** Puts the model in force in the living ledgers, which stand at the same position. */
  takeOver(): void {
    if (this.position !== this.#live.position) throw new RangeError(`sums at ${this.position} for ledgers at ${this.#live.position}`);
    this.settle();
    this.#makeRoom();
    const { accounts, contacts } = this.#live;
    accounts.sum = this.accounts.sum;
    accounts.nobodySum = this.accounts.nobodySum;
    accounts.ahead = this.accounts.ahead;
    accounts.actNowAt = this.accounts.actNowAt;
    contacts.sum = this.contacts.sum;
    this.creatives?.takeOver();
    this.#live.rescore(this.model, this);
  }

  #takeTouch(touch: TouchCursor, offset: number, now: number): Outcome {
    const { bytes, end, start } = touch;
    if (start[FIELD.accountId]! < 0) return OUTCOME.unresolved;
    const kind = this.#kinds.intern(bytes, start[FIELD.kind]!, end[FIELD.kind]!);
    const rules = this.#kinds.matchingRules(kind, touch);
    const isActNow = this.#kinds.isActNow(kind, touch);
    if (rules.length === 0 && !isActNow) return OUTCOME.counted;
    if (this.#batch.isFullFor(bytes)) this.settle();
    this.#batch.add(touch, offset, now, kind, rules, isActNow);
    return OUTCOME.counted;
  }

  #applyFact(fact: Fact): void {
    const accountId = accountOf(fact);
    if (accountId === null || fact.type !== 'contact') return;
    const bytes = encoder.encode(accountId);
    this.#applyContact(fact, known(this.#live.accounts.names.find(0, bytes, 0, bytes.length)));
  }

  #applyContact(fact: ContactFact, account: number): void {
    const bytes = encoder.encode(fact.id);
    const contact = known(this.#live.contacts.names.find(account, bytes, 0, bytes.length));
    this.#makeRoom();
    if (fact.updatedAt < this.contacts.roleUpdatedAt[contact]!) return;
    this.contacts.roleUpdatedAt[contact] = fact.updatedAt;
    const former = this.contacts.role[contact]!;
    const role = this.roles.number(fact.role);
    this.contacts.role[contact] = role;
    if (this.roles.multiplier(role) === this.roles.multiplier(former) || this.contacts.sum[contact] === 0) return;
    const { accounts, contacts } = this.#live;
    let sum = this.accounts.nobodySum[account]!;
    for (let row = accounts.contact[account]!; row !== 0; row = contacts.next[row - 1]!) {
      // One that came since there was room has no sum.
      if (row <= this.contacts.sum.length) sum += this.roles.multiplier(this.contacts.role[row - 1]!) * this.contacts.sum[row - 1]!;
    }
    this.accounts.sum[account] = sum;
  }

  /** As much as the living ledgers have. */
  #makeRoom(): void {
    const { accounts: live, contacts: people } = this.#live;
    this.accounts.changedAt = live.changedAt;
    if (live.version.length > this.accounts.sum.length) {
      this.accounts.sum = grown(this.accounts.sum, live.version.length);
      this.accounts.nobodySum = grown(this.accounts.nobodySum, live.version.length);
      this.accounts.ahead = grown(this.accounts.ahead, live.version.length);
      this.accounts.actNowAt = grown(this.accounts.actNowAt, live.version.length);
    }
    if (people.next.length > this.contacts.sum.length) {
      this.contacts.sum = grown(this.contacts.sum, people.next.length);
      this.contacts.role = grown(this.contacts.role, people.next.length);
      this.contacts.roleUpdatedAt = grown(this.contacts.roleUpdatedAt, people.next.length);
    }
  }
}

function known(row: number): number {
  if (row < 0) throw nobodyKnown();
  return row;
}

function nobodyKnown(): Error {
  return new Error('a stored record names somebody whom the ledgers do not know');
}
