import { Accounts } from './columns/accounts.ts';
import { Ahead } from './columns/ahead.ts';
import { CapCounts } from './columns/cap-counts.ts';
import { Cells } from './columns/cells.ts';
import { Contacts } from './columns/contacts.ts';
import { markEngagedDay } from './columns/engaged-days.ts';
import { Names } from './columns/names.ts';
import { RecentIds } from './columns/recent-ids.ts';
import { decayOf, powerOfTwo, type Decay } from './decay.ts';
import { accountOf, type ContactFact, type Fact } from './fact.ts';
import { Kinds } from './kinds.ts';
import type { ScoringModel } from './model.ts';
import { RECORD, type RecordRun } from './record.ts';
import { Roles } from './roles.ts';
import type { StateWalk } from './state-walk.ts';
import { dayOf, hourOf, OLDEST_DAY_BACK, OLDEST_HOUR_BACK, HOUR_MS } from './time-slots.ts';
import { FIELD, type TouchCursor } from './touch.ts';

/**
 * The ledgers of one partition: every account's state, as a function of the records below `position` and of nothing else.
 *
 * Budget of a touch: about a microsecond and no allocation. Everything is a number in a column; a name is looked up by its bytes once, after
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
} as const;

export type Outcome = (typeof OUTCOME)[keyof typeof OUTCOME];

/** A touch dated more than this ahead of the log's clock is set aside: no two clocks of one system are that far apart. */
export const AHEAD_MAX_MS = HOUR_MS;

/** Late for the purpose of counting: dated this much before its append. */
const LATE_MS = HOUR_MS;

export const DEDUPE_HORIZON_MS = 48 * HOUR_MS;

const encoder = new TextEncoder();

export class PartitionLedgers {
  readonly partition: number;
  /** The model in force, and what depends on it besides the sums: see `rescore`. */
  model: ScoringModel;
  decay: Decay;
  readonly accounts = new Accounts();
  readonly contacts = new Contacts();
  readonly campaigns = new Names();
  kinds: Kinds;
  roles: Roles;
  readonly hourCells = new Cells();
  readonly dayCells = new Cells();
  ahead = new Ahead();
  /** Offset of the next record to apply. */
  position = 0;
  /** Largest time of append applied; the engine's clock. */
  now = 0;
  /** Counted touches dated over an hour before their append; stored ones have been counted before. */
  lateTouches = 0;
  readonly #recentIds: RecentIds;
  #caps = new CapCounts();

  constructor(partition: number, model: ScoringModel, dedupeHorizonMs: number = DEDUPE_HORIZON_MS) {
    this.partition = partition;
    this.model = model;
    this.decay = decayOf(model);
    this.kinds = new Kinds(model);
    this.roles = new Roles(model);
    this.#recentIds = new RecentIds(dedupeHorizonMs);
  }

  get rememberedIds(): number {
    return this.#recentIds.size;
  }

  /**
   * Applies the record that the run stands on. Records come in offset order; each once.
   * @param isStored the record comes from the store, where only what counted is kept: it counts without being looked up
   */
  apply(run: RecordRun, isStored: boolean): Outcome {
    if (run.offset < this.position) throw new RangeError(`record ${run.offset} of partition ${this.partition} was applied before`);
    const now = run.appendedAt > this.now ? run.appendedAt : this.now;
    this.now = now;
    this.position = run.offset + 1;
    switch (run.kind) {
      case RECORD.touch:
        return this.#applyTouch(run.touch, run.offset, now, isStored);
      case RECORD.fact:
        this.#applyFact(run.fact!, run.offset, now);
        return OUTCOME.fact;
      case RECORD.model:
        return OUTCOME.model;
      default:
        return OUTCOME.setAside;
    }
  }

  #applyTouch(touch: TouchCursor, offset: number, now: number, isStored: boolean): Outcome {
    const { bytes, start, end, occurredAt, minutes } = touch;
    // What is stored was judged when it came, by a clock that may have stood later: records that are not stored moved it too.
    if (!isStored && occurredAt > now + AHEAD_MAX_MS) return OUTCOME.setAside;
    if (this.#recentIds.isRepeated(bytes, start[FIELD.id]!, end[FIELD.id]!, now, isStored)) return OUTCOME.duplicate;
    if (start[FIELD.accountId]! < 0) return OUTCOME.unresolved;

    const account = this.accounts.intern(bytes, start[FIELD.accountId]!, end[FIELD.accountId]!);
    const contact = start[FIELD.contactId]! < 0 ? -1 : this.#contactOf(account, bytes, start[FIELD.contactId]!, end[FIELD.contactId]!);
    const kind = this.kinds.intern(bytes, start[FIELD.kind]!, end[FIELD.kind]!);
    const day = dayOf(occurredAt);

    const worth = this.#worthOf(touch, kind, account, contact, day, now);
    if (worth !== 0) this.#addWorth(account, contact, worth, occurredAt, now);
    this.#countInWindows(account, contact, kind, minutes, occurredAt, day, now);
    if (contact >= 0 && occurredAt < this.contacts.firstTouchAt[contact]!) this.#setFirstTouch(touch, contact);
    if (this.kinds.engages(kind)) {
      if (contact >= 0) markEngagedDay(this.contacts.engagedDay, this.contacts.formerEngagedDay, contact, day);
      else markEngagedDay(this.accounts.engagedDay, this.accounts.formerEngagedDay, account, day);
    }
    if (occurredAt > this.accounts.lastTouchAt[account]!) this.accounts.lastTouchAt[account] = occurredAt;
    if (!isStored) {
      if (now - occurredAt > LATE_MS) this.lateTouches++;
      if (this.kinds.rules(kind).length === 0) this.kinds.countUnruled(kind);
    }
    this.accounts.change(account, offset, now);
    return OUTCOME.counted;
  }

  /** What the touch is worth under all its rules, caps taken into account and used up. */
  #worthOf(touch: TouchCursor, kind: number, account: number, contact: number, day: number, now: number): number {
    const rules = this.kinds.rules(kind);
    let worth = 0;
    for (let i = 0; i < rules.length; i++) {
      const rule = rules[i]!;
      if (rule.where !== null && !rule.where(touch)) continue;
      if (rule.dailyCap > 0) {
        const who = contact >= 0 ? contact * 2 + 1 : account * 2;
        const oldestDay = dayOf(now) - this.model.retentionDays - 1;
        if (!this.#caps.take(who, day, rule.index, rule.dailyCap, oldestDay)) continue;
      }
      const minutes = touch.minutes < rule.maxMinutes ? touch.minutes : rule.maxMinutes;
      worth += rule.points + rule.pointsPerMinute * minutes;
    }
    return worth;
  }

  #addWorth(account: number, contact: number, worth: number, occurredAt: number, now: number): void {
    const halvings = this.decay.halvingsDue(now);
    if (halvings > 0) this.#divideSums(halvings);
    const added = worth * this.decay.weight(occurredAt);
    if (contact >= 0) {
      this.contacts.sum[contact]! += added;
      this.accounts.sum[account]! += this.roles.multiplier(this.contacts.role[contact]!) * added;
    } else {
      this.accounts.nobodySum[account]! += added;
      this.accounts.sum[account]! += added;
    }
    if (occurredAt > now) this.ahead.add(this.accounts, account, contact + 1, occurredAt, worth);
  }

  #divideSums(halvings: number): void {
    const by = powerOfTwo(-halvings);
    for (let account = 0; account < this.accounts.size; account++) {
      this.accounts.sum[account]! *= by;
      this.accounts.nobodySum[account]! *= by;
    }
    for (let contact = 0; contact < this.contacts.size; contact++) this.contacts.sum[contact]! *= by;
  }

  #countInWindows(account: number, contact: number, kind: number, minutes: number, occurredAt: number, day: number, now: number): void {
    const oldestDay = dayOf(now) - OLDEST_DAY_BACK;
    if (day < oldestDay) return;
    this.dayCells.add(this.accounts.dayCell, account, day, kind, minutes, oldestDay);
    if (contact >= 0) this.contacts.days.mark(contact, day);
    const oldestHour = hourOf(now) - OLDEST_HOUR_BACK;
    const hour = hourOf(occurredAt);
    if (hour < oldestHour) return;
    this.hourCells.add(this.accounts.hourCell, account, hour, kind, minutes, oldestHour);
    if (contact >= 0) this.contacts.hours.mark(contact, hour);
  }

  #setFirstTouch(touch: TouchCursor, contact: number): void {
    this.contacts.firstTouchAt[contact] = touch.occurredAt;
    const start = touch.start[FIELD.campaignId]!;
    const campaign = start < 0 ? 0 : this.campaigns.intern(0, touch.bytes, start, touch.end[FIELD.campaignId]!) + 1;
    this.contacts.firstCampaign[contact] = campaign;
  }

  /** The contact's row; a new contact joins its account's chain. */
  #contactOf(account: number, bytes: Uint8Array, start: number, end: number): number {
    const size = this.contacts.size;
    const contact = this.contacts.intern(account, bytes, start, end);
    if (contact === size) {
      this.contacts.next[contact] = this.accounts.contact[account]!;
      this.accounts.contact[account] = contact + 1;
      this.accounts.contactCount[account]!++;
    }
    return contact;
  }

  #applyFact(fact: Fact, offset: number, now: number): void {
    const accountId = accountOf(fact);
    if (accountId === null) return;
    const bytes = encoder.encode(accountId);
    const account = this.accounts.intern(bytes, 0, bytes.length);
    if (fact.type === 'account') {
      const known = this.accounts.facts.get(account);
      if (known === undefined || fact.updatedAt >= known.updatedAt) this.accounts.facts.set(account, fact);
    } else if (fact.type === 'contact') this.#applyContact(fact, account);
    this.accounts.change(account, offset, now);
  }

  /** A role counts for all of a contact's touches, past ones too. */
  #applyContact(fact: ContactFact, account: number): void {
    const bytes = encoder.encode(fact.id);
    const contact = this.#contactOf(account, bytes, 0, bytes.length);
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
   * Everybody's score is another one now.
   */
  rescore(model: ScoringModel, { ahead, caps, decay }: { readonly decay: Decay; readonly ahead: Ahead; readonly caps: CapCounts }): void {
    this.model = model;
    this.decay = decay;
    this.ahead = ahead;
    this.#caps = caps;
    this.kinds = this.kinds.under(model);
    this.roles = this.roles.under(model);
    for (let account = 0; account < this.accounts.size; account++) this.accounts.markChanged(account);
  }

  /** Everything that a replay of the records below `position` would give, in order: see `StateWalk`. */
  walk(state: StateWalk): void {
    this.position = state.number(this.position);
    this.now = state.number(this.now);
    for (const part of [this.decay, this.accounts, this.contacts, this.campaigns, this.kinds, this.roles]) part.walk(state);
    for (const part of [this.hourCells, this.dayCells, this.ahead, this.#recentIds, this.#caps]) part.walk(state);
  }
}
