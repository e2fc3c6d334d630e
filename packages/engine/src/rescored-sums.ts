import { Ahead } from './columns/ahead.ts';
import { CapCounts } from './columns/cap-counts.ts';
import { grown } from './columns/growth.ts';
import { decayOf, powerOfTwo, type Decay } from './decay.ts';
import { accountOf, type ContactFact, type Fact } from './fact.ts';
import { Kinds } from './kinds.ts';
import { OUTCOME, type Outcome, type PartitionLedgers } from './ledgers.ts';
import type { ScoringModel } from './model.ts';
import { RECORD, type RecordRun } from './record.ts';
import { Roles } from './roles.ts';
import { dayOf } from './time-slots.ts';
import { FIELD, type TouchCursor } from './touch.ts';

/**
 * What another model makes of the touches of ledgers that go on living: points, and nothing else. Windows, people, ids and names are the same
 * under any model, so they are not built again but looked up in the living ledgers, which are ahead all the time.
 *
 * Budget of a touch: half a microsecond, no allocation. Sums come out to the last bit as in a whole replay, so every addition is made in its
 * order: roles too are those of that place on the log, not those of now. A contact that came later has a sum of 0, which adds nothing.
 */
const encoder = new TextEncoder();

export class RescoredSums {
  readonly partition: number;
  readonly model: ScoringModel;
  /** Offset of the next record to apply. */
  position = 0;
  readonly #live: PartitionLedgers;
  readonly #decay: Decay;
  readonly #kinds: Kinds;
  readonly #roles: Roles;
  readonly #caps = new CapCounts();
  readonly #ahead = new Ahead();
  #now = 0;
  #accountSum = new Float64Array(0);
  #nobodySum = new Float64Array(0);
  /** Heads of the accounts' chains in `#ahead`. */
  #aheadOf = new Uint32Array(0);
  #contactSum = new Float64Array(0);
  #role = new Uint16Array(0);
  #roleUpdatedAt = new Float64Array(0);

  constructor(live: PartitionLedgers, model: ScoringModel) {
    this.partition = live.partition;
    this.model = model;
    this.#live = live;
    this.#decay = decayOf(model);
    this.#kinds = new Kinds(model);
    this.#roles = new Roles(model);
  }

  /** Applies the stored record that the run stands on; the living ledgers have applied it before. Ids are not asked for. */
  apply(run: RecordRun): Outcome {
    const now = run.appendedAt > this.#now ? run.appendedAt : this.#now;
    this.#now = now;
    this.position = run.offset + 1;
    if (run.kind === RECORD.touch) return this.#applyTouch(run.touch, now);
    if (run.kind === RECORD.fact) this.#applyFact(run.fact!);
    return OUTCOME.fact;
  }

  /** Puts the model in force in the living ledgers, which stand at the same position. */
  takeOver(): void {
    if (this.position !== this.#live.position) throw new RangeError(`sums at ${this.position} for ledgers at ${this.#live.position}`);
    this.#makeRoom();
    const { accounts, contacts } = this.#live;
    accounts.sum = this.#accountSum;
    accounts.nobodySum = this.#nobodySum;
    accounts.ahead = this.#aheadOf;
    contacts.sum = this.#contactSum;
    this.#live.rescore(this.model, { decay: this.#decay, ahead: this.#ahead, caps: this.#caps });
  }

  #applyTouch(touch: TouchCursor, now: number): Outcome {
    const { bytes, end, occurredAt, start } = touch;
    if (start[FIELD.accountId]! < 0) return OUTCOME.unresolved;
    const kind = this.#kinds.intern(bytes, start[FIELD.kind]!, end[FIELD.kind]!);
    const rules = this.#kinds.rules(kind);
    if (rules.length === 0) return OUTCOME.counted;

    const account = known(this.#live.accounts.names.find(0, bytes, start[FIELD.accountId]!, end[FIELD.accountId]!));
    const isOfContact = start[FIELD.contactId]! >= 0;
    const contact = isOfContact
      ? known(this.#live.contacts.names.find(account, bytes, start[FIELD.contactId]!, end[FIELD.contactId]!))
      : -1;
    let worth = 0;
    for (let i = 0; i < rules.length; i++) {
      const rule = rules[i]!;
      if (rule.where !== null && !rule.where(touch)) continue;
      if (rule.dailyCap > 0) {
        const who = isOfContact ? contact * 2 + 1 : account * 2;
        const oldestDay = dayOf(now) - this.model.retentionDays - 1;
        if (!this.#caps.take(who, dayOf(occurredAt), rule.index, rule.dailyCap, oldestDay)) continue;
      }
      const minutes = touch.minutes < rule.maxMinutes ? touch.minutes : rule.maxMinutes;
      worth += rule.points + rule.pointsPerMinute * minutes;
    }
    if (worth !== 0) this.#addWorth(account, contact, worth, occurredAt, now);
    return OUTCOME.counted;
  }

  #addWorth(account: number, contact: number, worth: number, occurredAt: number, now: number): void {
    if (account >= this.#accountSum.length || contact >= this.#contactSum.length) this.#makeRoom();
    const halvings = this.#decay.halvingsDue(now);
    if (halvings > 0) this.#divideSums(powerOfTwo(-halvings));
    const added = worth * this.#decay.weight(occurredAt);
    if (contact >= 0) {
      this.#contactSum[contact]! += added;
      this.#accountSum[account]! += this.#roles.multiplier(this.#role[contact]!) * added;
    } else {
      this.#nobodySum[account]! += added;
      this.#accountSum[account]! += added;
    }
    if (occurredAt <= now) return;
    const heads = { ahead: this.#aheadOf, changedAt: this.#live.accounts.changedAt };
    this.#ahead.add(heads, account, contact + 1, occurredAt, worth);
  }

  #divideSums(by: number): void {
    for (const sums of [this.#accountSum, this.#nobodySum, this.#contactSum]) for (let row = 0; row < sums.length; row++) sums[row]! *= by;
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
    if (account >= this.#accountSum.length || contact >= this.#contactSum.length) this.#makeRoom();
    if (fact.updatedAt < this.#roleUpdatedAt[contact]!) return;
    this.#roleUpdatedAt[contact] = fact.updatedAt;
    const former = this.#role[contact]!;
    const role = this.#roles.number(fact.role);
    this.#role[contact] = role;
    if (this.#roles.multiplier(role) === this.#roles.multiplier(former) || this.#contactSum[contact] === 0) return;
    const { accounts, contacts } = this.#live;
    let sum = this.#nobodySum[account]!;
    for (let row = accounts.contact[account]!; row !== 0; row = contacts.next[row - 1]!) {
      // One that came since there was room has no sum.
      if (row <= this.#contactSum.length) sum += this.#roles.multiplier(this.#role[row - 1]!) * this.#contactSum[row - 1]!;
    }
    this.#accountSum[account] = sum;
  }

  /** As much as the living ledgers have. */
  #makeRoom(): void {
    const accounts = this.#live.accounts.version.length;
    const contacts = this.#live.contacts.next.length;
    if (accounts > this.#accountSum.length) {
      this.#accountSum = grown(this.#accountSum, accounts);
      this.#nobodySum = grown(this.#nobodySum, accounts);
      this.#aheadOf = grown(this.#aheadOf, accounts);
    }
    if (contacts > this.#contactSum.length) {
      this.#contactSum = grown(this.#contactSum, contacts);
      this.#role = grown(this.#role, contacts);
      this.#roleUpdatedAt = grown(this.#roleUpdatedAt, contacts);
    }
  }
}

function known(row: number): number {
  if (row < 0) throw new Error('a stored record names somebody whom the ledgers do not know');
  return row;
}
