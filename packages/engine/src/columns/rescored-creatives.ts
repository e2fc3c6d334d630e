import type { TouchBatch } from '../touch-batch.ts';
import { CELL, CELL_WIDTH } from './creative-cell.ts';
import type { CreativeDay } from './creative-day.ts';
import type { CreativeSums, Creatives } from './creatives.ts';
import { grown, moreRows } from './growth.ts';
import { KnownPlaces } from './known-places.ts';

const NO_SUMS: Float64Array<ArrayBuffer> = new Float64Array(0);
const NO_BYTES: Uint8Array = new Uint8Array(0);
/** So many creatives, as powers of two, are found again by their place; campaigns are fewer. */
const CREATIVE_BITS = 13;
const CAMPAIGN_BITS = 8;
/** Numbers a creative has for where it was named last: begin and end of its campaign's id, begin and end of its own. */
const NAMED = 4;
/** No place of a text, nor that of none. */
const NOWHERE = -2;

/** A day on its way to another model. */
interface RescoredDay {
  /** Undefined when it is not kept any more, and as long as no touch of the day had a creative. */
  table: CreativeDay | undefined;
  sums: Float64Array<ArrayBuffer>;
  /** The row of the cell that is expected to be next. */
  next: number;
}

/**
 * What another model adds up for the cells of creatives that go on living: see `RescoredSums`.
 *
 * Cells were made in the order of the touches that come again now, and nearly each touch made one of its own. So the one after the cell before is looked at
 * first: rows that follow each other cost no wait for memory, where looking a cell up costs three. What a cell says of itself has to be true of the touch;
 * otherwise the touch's cell is looked up.
 */
export class RescoredCreatives implements CreativeSums {
  readonly #live: Creatives;
  readonly #days = new Map<number, RescoredDay>();
  readonly #campaignPlaces = new KnownPlaces(CAMPAIGN_BITS);
  readonly #creativePlaces = new KnownPlaces(CREATIVE_BITS);
  /** By creative's number, of `NAMED`; ranges of these bytes. */
  #named = new Int32Array(0);
  #bytes = NO_BYTES;
  /** The day asked for last: the next touch is likely of the same. */
  #day = -1;
  #ofDay: RescoredDay = { table: undefined, sums: NO_SUMS, next: 0 };

  constructor(live: Creatives) {
    this.#live = live;
  }

  /** Finds the cells in which living ledgers have counted the touches of a batch before. */
  find(batch: TouchBatch): void {
    const { account, campaignEnd, campaignStart, contact, count, creative, creativeCell, creativeEnd, creativeStart, day } = batch;
    this.#turnTo(batch.bytes);
    for (let i = 0; i < count; i++) {
      const ofDay = this.#dayOf(day[i]!);
      const { next, table } = ofDay;
      if (table !== undefined && next < table.size) {
        const at = next * CELL_WIDTH;
        const { numbers } = table;
        const number = numbers[at]!;
        if (numbers[at + CELL.account] === account[i] && numbers[at + CELL.contact] === contact[i]! + 1) {
          const named = this.#named;
          const place = number * NAMED;
          if (
            named[place] === campaignStart[i] &&
            named[place + 1] === campaignEnd[i] &&
            named[place + 2] === creativeStart[i] &&
            named[place + 3] === creativeEnd[i]
          ) {
            creative[i] = number;
            creativeCell[i] = next;
            ofDay.next = next + 1;
            continue;
          }
        }
      }
      const number = this.#number(batch, i);
      creative[i] = number;
      creativeCell[i] = -1;
      if (number === 0 || table === undefined) continue;
      const row = table.find(number, account[i]!, contact[i]! + 1);
      creativeCell[i] = row;
      if (row >= next) ofDay.next = row + 1;
    }
  }

  sumsOf(day: number): Float64Array {
    const ofDay = this.#dayOf(day);
    const { sums, table } = ofDay;
    if (table !== undefined && sums.length < table.size) ofDay.sums = grown(sums, table.sum.length);
    return ofDay.sums;
  }

  scale(by: number): void {
    for (const { sums } of this.#days.values()) for (let row = 0; row < sums.length; row++) sums[row]! *= by;
  }

  letGo(): void {
    this.#campaignPlaces.forget();
    this.#creativePlaces.forget();
    this.#bytes = NO_BYTES;
  }

  takeOver(): void {
    this.#live.replaceSums(new Map([...this.#days].map(([day, { sums }]) => [day, sums])));
  }

  /** The number of a touch's creative; 0 for none. */
  #number(batch: TouchBatch, i: number): number {
    const { bytes } = batch;
    const campaignStart = batch.campaignStart[i]!;
    const campaignEnd = batch.campaignEnd[i]!;
    const creativeStart = batch.creativeStart[i]!;
    const creativeEnd = batch.creativeEnd[i]!;
    if (campaignStart < 0 && creativeStart < 0) return 0;
    let campaign = 0;
    if (campaignStart >= 0) {
      campaign = this.#campaignPlaces.find(0, bytes, campaignStart, campaignEnd);
      if (campaign < 0) {
        campaign = this.#live.findCampaign(bytes, campaignStart, campaignEnd);
        this.#campaignPlaces.keep(0, bytes, campaignStart, campaignEnd, campaign);
      }
      if (campaign === 0) return 0;
    }
    const start = creativeStart < 0 ? 0 : creativeStart;
    const end = creativeStart < 0 ? 0 : creativeEnd;
    let number = this.#creativePlaces.find(campaign, bytes, start, end);
    if (number < 0) {
      number = this.#live.names.find(campaign, bytes, start, end) + 1;
      this.#creativePlaces.keep(campaign, bytes, start, end, number);
    }
    this.#name(number, campaignStart, campaignEnd, creativeStart, creativeEnd);
    return number;
  }

  #name(number: number, campaignStart: number, campaignEnd: number, creativeStart: number, creativeEnd: number): void {
    const at = number * NAMED;
    if (at >= this.#named.length) {
      const named = new Int32Array(moreRows(Math.max(number, this.#live.count) + 1) * NAMED).fill(NOWHERE);
      named.set(this.#named);
      this.#named = named;
    }
    const named = this.#named;
    named[at] = campaignStart;
    named[at + 1] = campaignEnd;
    named[at + 2] = creativeStart;
    named[at + 3] = creativeEnd;
  }

  /** Places are of bytes: those of others say nothing. */
  #turnTo(bytes: Uint8Array): void {
    if (bytes === this.#bytes) return;
    this.#bytes = bytes;
    this.#named.fill(NOWHERE);
  }

  #dayOf(day: number): RescoredDay {
    if (day === this.#day && this.#ofDay.table !== undefined) return this.#ofDay;
    let ofDay = this.#days.get(day);
    if (ofDay === undefined) {
      ofDay = { table: undefined, sums: NO_SUMS, next: 0 };
      this.#days.set(day, ofDay);
    }
    ofDay.table ??= this.#live.dayOf(day);
    this.#day = day;
    this.#ofDay = ofDay;
    return ofDay;
  }
}
