import type { CompiledRule } from './match-rule.ts';
import { FIELD, type TouchCursor } from './touch.ts';

/** Touches of a batch: enough that what a stage needs of them stays in the processor's first cache, and the next stage finds it there. */
const BATCH_TOUCHES = 256;

/**
 * Touches that were found to count and are not in the columns yet, as columns themselves. Their names are ranges of one buffer, so a batch ends
 * where the records of another buffer begin.
 */
export class TouchBatch {
  count = 0;
  /** What the ranges are of. */
  bytes: Uint8Array = new Uint8Array(0);
  readonly offset = new Float64Array(BATCH_TOUCHES);
  /** The engine's clock when the touch was taken, epoch ms. */
  readonly now = new Float64Array(BATCH_TOUCHES);
  readonly occurredAt = new Float64Array(BATCH_TOUCHES);
  readonly minutes = new Float64Array(BATCH_TOUCHES);
  readonly kind = new Uint16Array(BATCH_TOUCHES);
  readonly kindStart = new Int32Array(BATCH_TOUCHES);
  readonly kindEnd = new Int32Array(BATCH_TOUCHES);
  readonly accountStart = new Int32Array(BATCH_TOUCHES);
  readonly accountEnd = new Int32Array(BATCH_TOUCHES);
  /** -1 for nobody known. */
  readonly contactStart = new Int32Array(BATCH_TOUCHES);
  readonly contactEnd = new Int32Array(BATCH_TOUCHES);
  /** -1 for none. */
  readonly campaignStart = new Int32Array(BATCH_TOUCHES);
  readonly campaignEnd = new Int32Array(BATCH_TOUCHES);
  /** -1 for none. */
  readonly creativeStart = new Int32Array(BATCH_TOUCHES);
  readonly creativeEnd = new Int32Array(BATCH_TOUCHES);
  /** The rules that match the touch; what their caps leave of them is found out when they are added. */
  readonly rules: (readonly CompiledRule[])[] = [];
  /** 1 for those that qualify their account at once; */
  readonly actNow = new Uint8Array(BATCH_TOUCHES);
  hasActNow = false;
  /** Rows that the stages find: the account's, and the contact's or -1. */
  readonly account = new Int32Array(BATCH_TOUCHES);
  readonly contact = new Int32Array(BATCH_TOUCHES);
  /** Where figures of creatives are kept: the numbers of the touch's creative and of its campaign, 0 for none, and the row of its cell in its day, -1 for none. */
  readonly creative = new Int32Array(BATCH_TOUCHES);
  readonly campaign = new Int32Array(BATCH_TOUCHES);
  readonly creativeCell = new Int32Array(BATCH_TOUCHES).fill(-1);
  /** What a stage leaves for its next step: hashes of names, then their places; what is to be added to the sums. */
  readonly hash = new Int32Array(BATCH_TOUCHES);
  readonly place = new Uint32Array(BATCH_TOUCHES);
  readonly added = new Float64Array(BATCH_TOUCHES);
  /** UTC day and hour of `occurredAt`, since the epoch. */
  readonly day = new Int32Array(BATCH_TOUCHES);
  readonly hour = new Int32Array(BATCH_TOUCHES);

  /** Whether a touch of these bytes has no place: what is there has to be settled first. */
  isFullFor(bytes: Uint8Array): boolean {
    return this.count === BATCH_TOUCHES || (this.bytes !== bytes && this.count > 0);
  }

  add(
    { bytes, end, minutes, occurredAt, start }: TouchCursor,
    offset: number,
    now: number,
    kind: number,
    rules: readonly CompiledRule[],
    isActNow: boolean,
  ): void {
    const i = this.count++;
    this.bytes = bytes;
    this.offset[i] = offset;
    this.now[i] = now;
    this.occurredAt[i] = occurredAt;
    this.minutes[i] = minutes;
    this.kind[i] = kind;
    this.kindStart[i] = start[FIELD.kind]!;
    this.kindEnd[i] = end[FIELD.kind]!;
    this.accountStart[i] = start[FIELD.accountId]!;
    this.accountEnd[i] = end[FIELD.accountId]!;
    this.contactStart[i] = start[FIELD.contactId]!;
    this.contactEnd[i] = end[FIELD.contactId]!;
    this.campaignStart[i] = start[FIELD.campaignId]!;
    this.campaignEnd[i] = end[FIELD.campaignId]!;
    this.creativeStart[i] = start[FIELD.creativeId]!;
    this.creativeEnd[i] = end[FIELD.creativeId]!;
    this.rules[i] = rules;
    this.actNow[i] = isActNow ? 1 : 0;
    if (isActNow) this.hasActNow = true;
  }

  clear(): void {
    this.count = 0;
    this.hasActNow = false;
  }
}
