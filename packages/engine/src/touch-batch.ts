import type { CompiledRule } from './match-rule.ts';
import { FIELD, type TouchCursor } from './touch.ts';

/** Touches of a batch: enough that what a stage needs of them stays in the processor's first cache, and the next stage finds it there. */
export const TOUCHES_A_BATCH = 256;
const NO_BYTES = new Uint8Array(0);

/** Where texts of one field are, by touch. */
export interface BatchTexts {
  /** Of `FIELD`. */
  readonly field: number;
  readonly start: Int32Array;
  readonly end: Int32Array;
  /** Which entry of a dictionary they are, -1 where they come without one; null where nobody asks. */
  readonly entry: Int32Array | null;
}

/**
 * Touches that were found to count and are not in the columns yet, as columns themselves. Their names are ranges of one buffer, so a batch ends
 * where the records of another buffer begin.
 */
export class TouchBatch {
  count = 0;
  /** What the ranges are of: a block or a page, which is held only while touches of it are. */
  bytes: Uint8Array = NO_BYTES;
  readonly offset = new Float64Array(TOUCHES_A_BATCH);
  /** The engine's clock when the touch was taken, epoch ms. */
  readonly now = new Float64Array(TOUCHES_A_BATCH);
  readonly occurredAt = new Float64Array(TOUCHES_A_BATCH);
  readonly minutes = new Float64Array(TOUCHES_A_BATCH);
  readonly kind = new Uint16Array(TOUCHES_A_BATCH);
  readonly kindStart = new Int32Array(TOUCHES_A_BATCH);
  readonly kindEnd = new Int32Array(TOUCHES_A_BATCH);
  readonly accountStart = new Int32Array(TOUCHES_A_BATCH);
  readonly accountEnd = new Int32Array(TOUCHES_A_BATCH);
  /** -1 for nobody known. */
  readonly contactStart = new Int32Array(TOUCHES_A_BATCH);
  readonly contactEnd = new Int32Array(TOUCHES_A_BATCH);
  /** -1 for none. */
  readonly campaignStart = new Int32Array(TOUCHES_A_BATCH);
  readonly campaignEnd = new Int32Array(TOUCHES_A_BATCH);
  /** -1 for none. */
  readonly creativeStart = new Int32Array(TOUCHES_A_BATCH);
  readonly creativeEnd = new Int32Array(TOUCHES_A_BATCH);
  /** What says which texts the entries are; null where touches come without. */
  dictionaries: object | null = null;
  readonly kindEntry = new Int32Array(TOUCHES_A_BATCH);
  readonly accountEntry = new Int32Array(TOUCHES_A_BATCH);
  /** The same columns for whoever fills them as a whole. */
  readonly texts: readonly BatchTexts[] = [
    { field: FIELD.kind, start: this.kindStart, end: this.kindEnd, entry: this.kindEntry },
    { field: FIELD.accountId, start: this.accountStart, end: this.accountEnd, entry: this.accountEntry },
    { field: FIELD.contactId, start: this.contactStart, end: this.contactEnd, entry: null },
    { field: FIELD.campaignId, start: this.campaignStart, end: this.campaignEnd, entry: null },
    { field: FIELD.creativeId, start: this.creativeStart, end: this.creativeEnd, entry: null },
  ];
  /** The rules that match the touch; what their caps leave of them is found out when they are added. */
  readonly rules: (readonly CompiledRule[])[] = [];
  /** 1 for those that qualify their account at once; */
  readonly actNow = new Uint8Array(TOUCHES_A_BATCH);
  hasActNow = false;
  /** Rows that the stages find: the account's, and the contact's or -1. */
  readonly account = new Int32Array(TOUCHES_A_BATCH);
  readonly contact = new Int32Array(TOUCHES_A_BATCH);
  /** Where figures of creatives are kept: the numbers of the touch's creative and of its campaign, 0 for none, and the row of its cell in its day, -1 for none. */
  readonly creative = new Int32Array(TOUCHES_A_BATCH);
  readonly campaign = new Int32Array(TOUCHES_A_BATCH);
  readonly creativeCell = new Int32Array(TOUCHES_A_BATCH).fill(-1);
  /** What a stage leaves for its next step: hashes of names, then their places; what is to be added to the sums. */
  readonly hash = new Int32Array(TOUCHES_A_BATCH);
  readonly place = new Uint32Array(TOUCHES_A_BATCH);
  readonly added = new Float64Array(TOUCHES_A_BATCH);
  /** UTC day and hour of `occurredAt`, since the epoch. */
  readonly day = new Int32Array(TOUCHES_A_BATCH);
  readonly hour = new Int32Array(TOUCHES_A_BATCH);

  /** Whether a touch of these bytes has no place: what is there has to be settled first. */
  isFullFor(bytes: Uint8Array): boolean {
    return this.count === TOUCHES_A_BATCH || (this.bytes !== bytes && this.count > 0);
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
    this.judge(i, kind, rules, isActNow);
  }

  /** What the model says of a touch. */
  judge(i: number, kind: number, rules: readonly CompiledRule[], isActNow: boolean): void {
    this.kind[i] = kind;
    this.rules[i] = rules;
    this.actNow[i] = isActNow ? 1 : 0;
    if (isActNow) this.hasActNow = true;
  }

  /** Puts one of touches that came as columns where one before it was left out. */
  move(from: number, to: number): void {
    this.offset[to] = this.offset[from]!;
    this.occurredAt[to] = this.occurredAt[from]!;
    this.minutes[to] = this.minutes[from]!;
    for (const { end, entry, start } of this.texts) {
      start[to] = start[from]!;
      end[to] = end[from]!;
      if (entry !== null) entry[to] = entry[from]!;
    }
  }

  clear(): void {
    this.count = 0;
    this.bytes = NO_BYTES;
    this.dictionaries = null;
    this.hasActNow = false;
  }
}
