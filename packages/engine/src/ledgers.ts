import { AccountAlerts } from './alerts/account-alerts.ts';
import { Accounts } from './columns/accounts.ts';
import { Ahead } from './columns/ahead.ts';
import { CapCounts } from './columns/cap-counts.ts';
import { Cells } from './columns/cells.ts';
import { Contacts } from './columns/contacts.ts';
import { Creatives } from './columns/creatives.ts';
import { Names } from './columns/names.ts';
import { RecentIds } from './columns/recent-ids.ts';
import { countTouches, type CountingColumns } from './count-touches.ts';
import { decayOf, type Decay } from './decay.ts';
import { accountOf, type ContactFact, type Fact } from './fact.ts';
import { Kinds } from './kinds.ts';
import type { ScoringModel } from './model.ts';
import { RECORD, type RecordRun } from './record.ts';
import { Roles } from './roles.ts';
import type { StateWalk } from './state-walk.ts';
import { HOUR_MS } from './time-slots.ts';
import { TouchBatch } from './touch-batch.ts';
import { FIELD, type TouchCursor } from './touch.ts';
import { WatchedAccounts } from './watched-accounts.ts';

/**
 * The ledgers of one partition: every account's state, as a function of the records below `position` and of nothing else.
 *
 * Budget of a touch: a microsecond and a half with its id, and no allocation. Everything is a number in a column; a name is looked up by its bytes once, after
 * that it is a row.
 */

/** What became of a record. Numbers, for the hot loop. */
export const OUTCOME = {
  /** The touch counts in its account's ledger. */
  counted: 0,
  /** The touch names no account: kept, not scored. */
  unresolved: 1,
  /** A touch with this id has counted within the horizon. */
  duplicate: 2,
  /** The fact is taken, whether or not a newer one overrules it. */
  fact: 3,
  model: 4,
  /** A dead letter: unreadable, or dated too far ahead. */
  setAside: 5,
  /** Time has passed. */
  tick: 6,
} as const;

export type Outcome = (typeof OUTCOME)[keyof typeof OUTCOME];

/** A touch dated more than this ahead of the log's clock is set aside: no two clocks of one system are that far apart. */
export const AHEAD_MAX_MS = HOUR_MS;

/** Told of each touch that counts as it comes, not of stored ones, with the engine's clock, epoch ms, and its offset. The cursor is valid during the call alone. */
export type CountedListener = (touch: TouchCursor, now: number, offset: number) => void;

/** Late for the purpose of counting: dated this much before its append. */
const LATE_MS = HOUR_MS;

export const DEDUPE_HORIZON_MS = 48 * HOUR_MS;

const encoder = new TextEncoder();

export class PartitionLedgers implements CountingColumns {
  readonly partition: number;
  /** The model in force, and what depends on it besides the sums: see `rescore`. */
  model: ScoringModel;
  decay: Decay;
  readonly accounts = new Accounts();
  readonly contacts = new Contacts();
  /** Null where none are kept: they cost memory and time, and only who serves them needs them. */
  readonly creatives: Creatives | null;
  readonly campaigns = new Names();
  kinds: Kinds;
  roles: Roles;
  readonly hourCells = new Cells();
  readonly dayCells = new Cells();
  ahead = new Ahead();
  caps = new CapCounts();
  /** Offset of the next record to apply. */
  position = 0;
  /** Largest time of append applied; the engine's clock. */
  now = 0;
  /** Counted touches dated over an hour before their append; stored ones have been counted before. */
  lateTouches = 0;
  /** For who reads: no part of the state. */
  readonly watched = new WatchedAccounts();
  /** What makes accounts news. */
  readonly alerts: AccountAlerts;
  /** Whoever else makes something of touches, such as evidence of experiments. */
  onCounted: CountedListener | null = null;
  readonly #recentIds: RecentIds;
  readonly #batch = new TouchBatch();
  /** Whether what waits in the batch is evaluated. */
  #isBatchEvaluated = false;

  /** @param creativeDays for how many days the figures of creatives are kept; 0 for none */
  constructor(partition: number, model: ScoringModel, dedupeHorizonMs: number = DEDUPE_HORIZON_MS, creativeDays: number = 0) {
    this.partition = partition;
    this.model = model;
    this.decay = decayOf(model);
    this.kinds = new Kinds(model);
    this.roles = new Roles(model);
    this.creatives = creativeDays > 0 ? new Creatives(creativeDays) : null;
    this.#recentIds = new RecentIds(dedupeHorizonMs);
    this.alerts = new AccountAlerts(this);
  }

  get rememberedIds(): number {
    return this.#recentIds.size;
  }

  /** Takes a record and settles: whoever takes many settles once, at the end, which costs less. */
  apply(run: RecordRun, isStored: boolean): Outcome {
    const outcome = this.take(run, isStored);
    this.settle();
    return outcome;
  }

  /**
   * Takes the record that the run stands on. Records come in offset order; each once. Touches show in the columns after `settle` at the latest:
   * nothing is read of the ledgers in between. Where the model has rules for alerts, live records are evaluated (see account-alerts.ts).
   * @param isStored the record comes from the store, where only what counted is kept: it counts without being looked up
   */
  take(run: RecordRun, isStored: boolean): Outcome {
    if (run.offset < this.position) throw new RangeError(`record ${run.offset} of partition ${this.partition} was applied before`);
    const now = run.appendedAt > this.now ? run.appendedAt : this.now;
    const isEvaluated = !isStored && this.alerts.isEvaluating;
    if (isEvaluated !== this.#isBatchEvaluated) {
      this.settle();
      this.#isBatchEvaluated = isEvaluated;
    }
    if (isEvaluated) this.alerts.payLooks();
    const hasTimePassed = now > this.now;
    this.now = now;
    this.position = run.offset + 1;
    if (run.kind === RECORD.touch) {
      const outcome = this.#takeTouch(run.touch, run.offset, now, isStored);
      // Those that count let time pass when they leave the batch.
      if (isEvaluated && hasTimePassed && outcome !== OUTCOME.counted) this.#pass(now, run.offset);
      return outcome;
    }
    if (isEvaluated) this.#pass(now, run.offset);
    switch (run.kind) {
      case RECORD.fact:
        this.settle();
        this.#applyFact(run.fact!, run.offset, now, isEvaluated);
        return OUTCOME.fact;
      case RECORD.model:
        return OUTCOME.model;
      case RECORD.tick:
        if (run.tick!.fleetGrowth !== null) this.alerts.setFleetGrowth(run.tick!.fleetGrowth, run.offset);
        return OUTCOME.tick;
      default:
        return OUTCOME.setAside;
    }
  }

  /** Brings the touches that were taken into the columns. */
  settle(): void {
    const batch = this.#batch;
    if (batch.count === 0) return;
    if (this.#isBatchEvaluated) this.alerts.countTouches(batch);
    else countTouches(this, batch);
    batch.clear();
  }

  /** Lets happen what is due by the record at `offset`, which is no touch that counts. */
  #pass(now: number, offset: number): void {
    this.settle();
    this.alerts.advance(now, offset);
  }

  #takeTouch(touch: TouchCursor, offset: number, now: number, isStored: boolean): Outcome {
    const { bytes, start, end, occurredAt } = touch;
    // What is stored was judged when it came, by a clock that may have stood later: records that are not stored moved it too.
    if (!isStored && occurredAt > now + AHEAD_MAX_MS) return OUTCOME.setAside;
    if (this.#recentIds.isRepeated(bytes, start[FIELD.id]!, end[FIELD.id]!, now, isStored)) return OUTCOME.duplicate;
    if (start[FIELD.accountId]! < 0) return OUTCOME.unresolved;

    const kind = this.kinds.intern(bytes, start[FIELD.kind]!, end[FIELD.kind]!);
    if (!isStored) {
      if (now - occurredAt > LATE_MS) this.lateTouches++;
      if (this.kinds.rules(kind).length === 0) this.kinds.countUnruled(kind);
    }
    if (this.onCounted !== null && !isStored) this.onCounted(touch, now, offset);
    if (this.#batch.isFullFor(bytes)) this.settle();
    const rules = this.kinds.matchingRules(kind, touch);
    const isActNow = this.kinds.isActNow(kind, touch);
    this.#batch.add(touch, offset, now, kind, rules, isActNow);
    return OUTCOME.counted;
  }

  #applyFact(fact: Fact, offset: number, now: number, isEvaluated: boolean): void {
    const accountId = accountOf(fact);
    if (accountId === null) return;
    const bytes = encoder.encode(accountId);
    if (isEvaluated) this.alerts.expectFact(fact.type, this.accounts.names.find(0, bytes, 0, bytes.length), now);
    const account = this.accounts.intern(bytes, 0, bytes.length);
    if (fact.type === 'account') {
      const known = this.accounts.facts.get(account);
      if (known === undefined || fact.updatedAt >= known.updatedAt) this.accounts.facts.set(account, fact);
    } else if (fact.type === 'contact') this.#applyContact(fact, account);
    else if (fact.type === 'opportunity') this.accounts.noteOpportunity(account, fact);
    this.watched.drop(account);
    this.accounts.change(account, offset, now);
    if (isEvaluated) this.alerts.factTaken(fact.type, account, offset);
  }

  /** A role counts for all of a contact's touches, past ones too. */
  #applyContact(fact: ContactFact, account: number): void {
    const bytes = encoder.encode(fact.id);
    const contact = this.contacts.of(this.accounts, account, bytes, 0, bytes.length);
    if (fact.updatedAt < this.contacts.roleUpdatedAt[contact]!) return;
    this.contacts.roleUpdatedAt[contact] = fact.updatedAt;
    const former = this.contacts.role[contact]!;
    const role = this.roles.number(fact.role);
    this.contacts.role[contact] = role;
    if (this.roles.multiplier(role) === this.roles.multiplier(former) || this.contacts.sum[contact] === 0) return;
    // Added up anew instead of adjusted by the difference: subtracting would leave crumbs of what is no longer there.
    let sum = this.accounts.nobodySum[account]!;
    for (let row = this.accounts.contact[account]!; row !== 0; row = this.contacts.next[row - 1]!) {
      sum += this.roles.multiplier(this.contacts.role[row - 1]!) * this.contacts.sum[row - 1]!;
    }
    this.accounts.sum[account] = sum;
  }

  /** Whether what does not depend on the model is the same under another one. */
  canShare(model: ScoringModel): boolean {
    return this.kinds.areAllKnown(model) && this.roles.areAllKnown(model);
  }

  /**
   * Puts another model in force, whose sums stand in the columns already: all in one step, so that nobody sees two models in one answer.
   * Everybody's score is another one now; what that is under the model's rules is owed: see `payLooks`.
   */
  rescore(model: ScoringModel, { ahead, caps, decay }: { readonly decay: Decay; readonly ahead: Ahead; readonly caps: CapCounts }): void {
    this.model = model;
    this.decay = decay;
    this.ahead = ahead;
    this.caps = caps;
    this.kinds = this.kinds.under(model);
    this.roles = this.roles.under(model);
    this.watched.dropAll();
    this.accounts.restateAll();
    this.alerts.changeRules();
  }

  /** Everything that a replay of the records below `position` would give, in order: see `StateWalk`. */
  walk(state: StateWalk): void {
    this.position = state.number(this.position);
    this.now = state.number(this.now);
    for (const part of [this.decay, this.accounts, this.contacts, this.campaigns, this.kinds, this.roles]) part.walk(state);
    for (const part of [this.hourCells, this.dayCells, this.ahead, this.#recentIds, this.caps]) part.walk(state);
    this.creatives?.walk(state);
    this.alerts.walk(state);
    if (state.isBringing) this.watched.dropAll();
  }
}
