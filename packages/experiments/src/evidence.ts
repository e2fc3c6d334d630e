import type { Alert } from '@touchstone/engine';
import { CREATIVES_MAX } from './experiment.ts';
import { bucketOf } from './hash.ts';
import { holdoutBucketOf } from './assign.ts';
import type { EvidencePlan } from './lineup.ts';

/** A touch that counted, as the ledger of its account took it. */
export interface CountedTouch {
  readonly accountId: string;
  readonly kind: string;
  readonly campaignId: string | null;
  readonly creativeId: string | null;
  /** Epoch ms. */
  readonly occurredAt: number;
  /** Epoch ms, never less than that of the touch before. */
  readonly appendedAt: number;
  /** In its partition. */
  readonly offset: number;
  /** Points it added, role multiplier applied, undecayed. */
  readonly worth: number;
  /**
   * Whether the account is above the experiment's threshold before this touch, as far as that is known: crossings that are told later overrule it. Only
   * asked of the touch that exposes it first.
   */
  readonly isAbove: boolean;
}

/** An account's crossing of a threshold, of those that are told: what a cooldown holds back is none. */
export type Crossing = Pick<Alert, 'accountId' | 'direction' | 'at' | 'version'>;

/** What became of a touch: it exposed its account first; it counts; or why it says nothing. */
export type TouchOutcome = 'exposed' | 'counted' | 'not_exposed' | 'out_of_window' | 'late';

/** Rows to begin with; they grow by half. */
const FIRST_ROWS = 256;
/** Being shown something is no engagement; everything else is (as for `engaged` of an account). */
const NOT_ENGAGING = new Set(['ad_impression', 'email_open', 'direct_mail']);

export const FLAG = { engaged: 1, reached: 2, wasAbove: 4 } as const;

/**
 * What the accounts of one partition did after they first saw a creative of an experiment: some 70 bytes each, and their id. A function of the touches it
 * is given, in log order, and of the crossings of accounts that are exposed, which may be given late, and again.
 *
 * Account by account:
 *
 *   unknown --first impression or click of an arm's creative since the start--> exposed --window and grace are over, by the log's clock--> settled
 *
 * A click exposes too: whoever clicked has seen it, and its impression may come later or never.
 */
export class Evidence {
  readonly plan: EvidencePlan;
  /** Their numbers are places in this list. */
  readonly creatives: string[] = [];
  readonly rows = new Map<string, number>();
  /** Touches that came when their account was settled, and lie in its window. */
  late = 0;
  bucket = new Uint16Array(FIRST_ROWS);
  holdoutBucket = new Uint16Array(FIRST_ROWS);
  /** Number of the creative seen first. */
  creative = new Uint8Array(FIRST_ROWS);
  /** One bit for each creative seen. */
  seen = new Uint32Array(FIRST_ROWS);
  /** Number of the creative seen last, by occurredAt. */
  lastCreative = new Uint8Array(FIRST_ROWS);
  /** occurredAt of that. */
  lastSeenAt = new Float64Array(FIRST_ROWS);
  /** occurredAt of the first exposure. */
  exposedAt = new Float64Array(FIRST_ROWS);
  /** appendedAt of the first exposure. */
  exposureAppendedAt = new Float64Array(FIRST_ROWS);
  exposureOffset = new Float64Array(FIRST_ROWS);
  impressions = new Uint32Array(FIRST_ROWS);
  clicks = new Uint32Array(FIRST_ROWS);
  points = new Float64Array(FIRST_ROWS);
  flags = new Uint8Array(FIRST_ROWS);
  /** The last crossing before the first exposure, of rows that had any. */
  readonly #before = new Map<number, Pick<Crossing, 'at' | 'version'>>();

  constructor(plan: EvidencePlan, creatives: readonly string[]) {
    this.plan = plan;
    for (const creativeId of creatives) this.addCreative(creativeId);
  }

  /** A creative that joins later: from now on, seeing it is an exposure. */
  addCreative(creativeId: string): void {
    if (this.creatives.includes(creativeId)) return;
    if (this.creatives.length === CREATIVES_MAX)
      throw new RangeError(`an experiment has ${CREATIVES_MAX} creatives at most, over all its revisions`);
    this.creatives.push(creativeId);
  }

  touch(touch: CountedTouch): TouchOutcome {
    const { accountId, appendedAt, kind, occurredAt } = touch;
    const creative = this.#creativeOf(touch);
    const isImpression = creative >= 0 && kind === 'ad_impression';
    const isClick = creative >= 0 && kind === 'ad_click';
    let row = this.rows.get(accountId) ?? -1;
    const isFirst = row < 0;
    if (isFirst) {
      if ((!isImpression && !isClick) || occurredAt < this.plan.startedAt) return 'not_exposed';
      row = this.#expose(touch, creative);
    }
    // What an account keeps follows the last thing it was shown, settled or not.
    if ((isImpression || isClick) && occurredAt >= this.lastSeenAt[row]!) {
      this.lastCreative[row] = creative;
      this.lastSeenAt[row] = occurredAt;
    }
    // What is told late of the creatives themselves may have happened before the exposure that came first, though not before the start: that was nobody's to decide.
    const windowStart = isImpression || isClick ? this.plan.startedAt : this.exposedAt[row]!;
    const isInside = occurredAt >= windowStart && occurredAt <= this.exposedAt[row]! + this.plan.outcomeWindowMs;
    if (appendedAt >= this.settledAt(row)) {
      if (!isInside) return 'out_of_window';
      this.late++;
      return 'late';
    }
    // Out of order or not: it has seen both.
    if ((isImpression || isClick) && occurredAt >= windowStart) this.seen[row]! |= 1 << creative;
    if (!isInside) return 'out_of_window';
    if (isImpression) this.impressions[row]!++;
    else if (isClick) this.#click(row, touch);
    else this.#respond(row, touch);
    return isFirst ? 'exposed' : 'counted';
  }

  /** The account crossed the experiment's threshold. What the exposing touch itself brought about came after it. */
  crossed({ accountId, at, direction, version }: Crossing): void {
    const row = this.rows.get(accountId);
    if (row === undefined) return;
    const since = at - this.exposureAppendedAt[row]!;
    const isBefore = since < 0 || (since === 0 && version < this.exposureOffset[row]!);
    if (!isBefore) {
      if (direction === 'up' && since <= this.plan.outcomeWindowMs) this.flags[row]! |= FLAG.reached;
      return;
    }
    const last = this.#before.get(row);
    if (last !== undefined && (at < last.at || (at === last.at && version < last.version))) return;
    this.#before.set(row, { at, version });
    if (direction === 'up') this.flags[row]! |= FLAG.wasAbove;
    else this.flags[row]! &= ~FLAG.wasAbove;
  }

  /** From when the account's outcomes stand. */
  settledAt(row: number): number {
    return this.exposureAppendedAt[row]! + this.plan.outcomeWindowMs + this.plan.graceMs;
  }

  #creativeOf({ campaignId, creativeId }: CountedTouch): number {
    if (creativeId === null || campaignId !== this.plan.campaignId) return -1;
    return this.creatives.indexOf(creativeId);
  }

  #expose({ accountId, appendedAt, isAbove, occurredAt, offset }: CountedTouch, creative: number): number {
    const row = this.rows.size;
    if (row === this.bucket.length) this.#grow();
    this.rows.set(accountId, row);
    this.bucket[row] = bucketOf(this.plan.seed, accountId);
    this.holdoutBucket[row] = holdoutBucketOf(this.plan.seed, accountId);
    this.creative[row] = creative;
    this.exposedAt[row] = occurredAt;
    this.exposureAppendedAt[row] = appendedAt;
    this.exposureOffset[row] = offset;
    if (isAbove) this.flags[row]! |= FLAG.wasAbove;
    return row;
  }

  /** A click on a creative of the experiment, which may have happened before the impression that came first. */
  #click(row: number, touch: CountedTouch): void {
    this.clicks[row]!++;
    this.#respond(row, touch);
  }

  #respond(row: number, { kind, worth }: CountedTouch): void {
    this.points[row]! += worth;
    if (!NOT_ENGAGING.has(kind)) this.flags[row]! |= FLAG.engaged;
  }

  #grow(): void {
    const length = Math.ceil(this.bucket.length * 1.5);
    const copied = <C extends Uint8Array | Uint16Array | Uint32Array | Float64Array>(column: C, bigger: C): C => {
      bigger.set(column);
      return bigger;
    };
    this.bucket = copied(this.bucket, new Uint16Array(length));
    this.holdoutBucket = copied(this.holdoutBucket, new Uint16Array(length));
    this.creative = copied(this.creative, new Uint8Array(length));
    this.seen = copied(this.seen, new Uint32Array(length));
    this.lastCreative = copied(this.lastCreative, new Uint8Array(length));
    this.lastSeenAt = copied(this.lastSeenAt, new Float64Array(length));
    this.exposedAt = copied(this.exposedAt, new Float64Array(length));
    this.exposureAppendedAt = copied(this.exposureAppendedAt, new Float64Array(length));
    this.exposureOffset = copied(this.exposureOffset, new Float64Array(length));
    this.impressions = copied(this.impressions, new Uint32Array(length));
    this.clicks = copied(this.clicks, new Uint32Array(length));
    this.points = copied(this.points, new Float64Array(length));
    this.flags = copied(this.flags, new Uint8Array(length));
  }
}
