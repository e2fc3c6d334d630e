import type { StateWalk } from '../state-walk.ts';
import { CreativeDay } from './creative-day.ts';
import { FIRST_ROWS, grown, moreRows } from './growth.ts';
import { Names } from './names.ts';

/** Sums of what touches were worth, by cell. */
export interface CreativeSums {
  /** Those of a UTC day, by the rows of its cells; empty when the day is not kept any more, so that what is added to it is gone. */
  sumsOf(day: number): Float64Array;
  /** Multiplies all of them. */
  scale(by: number): void;
}

const NO_SUMS = new Float64Array(0);

/**
 * What creatives did, by creative, UTC day of occurredAt and contact: counted as the accounts are, from the same touches in the same order, so
 * that whatever holds for ledgers (a touch counts once, replay, snapshots, a new model) holds for creatives as well. Role multipliers are applied by
 * readers: a role that changes is retroactive at once.
 *
 * A creative is a pair of campaign and creative id, of which one may be missing. Pairs have numbers from 1, for as long as the ledgers live; their cells are kept
 * for so many days.
 */
export class Creatives implements CreativeSums {
  /** Days that are kept whole, today included. */
  readonly days: number;
  readonly #campaigns = new Names();
  /** A creative's scope is its campaign's number; a pair without a creative id has no bytes. */
  readonly names = new Names();
  /** By creative's number - 1: the campaign's row + 1, or 0 for none. */
  #campaignOf = new Uint32Array(FIRST_ROWS);
  readonly #days = new Map<number, CreativeDay>();
  /** The day asked for last: the next touch is likely of the same. */
  #day = -1;
  #table: CreativeDay | undefined;

  constructor(days: number) {
    this.days = days;
  }

  /** Creatives are numbered from 1 to this. */
  get count(): number {
    return this.names.size;
  }

  /** Cells of all days. */
  get cellCount(): number {
    let count = 0;
    for (const { size } of this.#days.values()) count += size;
    return count;
  }

  /** The number of a campaign; 0 for none, whose range begins below 0. */
  campaignNumber(bytes: Uint8Array, start: number, end: number): number {
    return start < 0 ? 0 : this.#campaigns.intern(0, bytes, start, end) + 1;
  }

  /** The number of a creative by its campaign's and the bytes of its own id, of which it may have none. */
  intern(campaign: number, bytes: Uint8Array, start: number, end: number): number {
    const known = this.names.size;
    const row = this.names.intern(campaign, bytes, start, end);
    if (row === known) {
      if (row === this.#campaignOf.length) this.#campaignOf = grown(this.#campaignOf, moreRows(row));
      this.#campaignOf[row] = campaign;
    }
    return row + 1;
  }

  /** The number of a campaign, or 0 for one that never came. */
  findCampaign(bytes: Uint8Array, start: number, end: number): number {
    return this.#campaigns.find(0, bytes, start, end) + 1;
  }

  campaignId(creative: number): string | null {
    const campaign = this.#campaignOf[creative - 1]!;
    return campaign === 0 ? null : this.#campaigns.text(campaign - 1);
  }

  creativeId(creative: number): string | null {
    const text = this.names.text(creative - 1);
    return text === '' ? null : text;
  }

  /**
   * The cells of a day that a touch is about to be counted in, made when there are none; undefined for a day that is not kept any more.
   * @param today UTC day of the engine's clock
   */
  openDay(day: number, today: number): CreativeDay | undefined {
    // One more than is promised: the clock of whoever reads may be behind the log's at midnight.
    const oldest = today - this.days;
    if (day < oldest) return undefined;
    if (day === this.#day && this.#table !== undefined) return this.#table;
    let table = this.#days.get(day);
    if (table === undefined) {
      for (const known of this.#days.keys()) if (known < oldest) this.#days.delete(known);
      table = new CreativeDay(day >= today - 1 ? this.#cellsExpected() : 0);
      this.#days.set(day, table);
    }
    this.#day = day;
    this.#table = table;
    return table;
  }

  /** Of a day that begins, half of what the fullest one has: few days are that much quieter. */
  #cellsExpected(): number {
    let most = 0;
    for (const { size } of this.#days.values()) most = Math.max(most, size);
    return most >> 1;
  }

  /** The cells of a day, if there are any. */
  dayOf(day: number): CreativeDay | undefined {
    if (day === this.#day && this.#table !== undefined) return this.#table;
    return this.#days.get(day);
  }

  sumsOf(day: number): Float64Array {
    if (day === this.#day && this.#table !== undefined) return this.#table.sum;
    return this.#days.get(day)?.sum ?? NO_SUMS;
  }

  scale(by: number): void {
    for (const day of this.#days.values()) day.scale(by);
  }

  /** Puts other sums in the place of those that are kept; a day without any has none. */
  replaceSums(sums: ReadonlyMap<number, Float64Array<ArrayBuffer>>): void {
    for (const [day, table] of this.#days) table.sum = grown(sums.get(day) ?? new Float64Array(0), table.sum.length);
  }

  walk(state: StateWalk): void {
    this.#campaigns.walk(state);
    this.names.walk(state);
    this.#campaignOf = state.column(this.#campaignOf, this.count);
    const days = state.list([...this.#days.keys()]);
    if (state.isBringing) for (const day of days) this.#days.set(day, new CreativeDay());
    for (const day of this.#days.values()) day.walk(state);
  }
}
