import { CELL_WIDTH } from './creative-cell.ts';
import type { CreativeDay } from './creative-day.ts';

/** Cells of a page: a copy takes some microseconds, and of many cells that change meanwhile few pages are copied twice over. */
const PAGE_SHIFT = 7;
const PAGE_CELLS = 1 << PAGE_SHIFT;

/** What cells hold, in arrays as `CreativeDay` has them. */
interface CellPage {
  readonly numbers: Uint32Array;
  readonly minutes: Float64Array;
  readonly sum: Float64Array;
}

/**
 * The cells of a day as they were when the view was opened, while touches go on being counted in them: whoever is about to change a cell keeps a copy of its page first.
 * So a reader may take as many turns as it needs and sees one instant. Memory is bounded by that of the day.
 *
 * After `look` the fields say where the cell is.
 */
export class CreativeDayView {
  readonly day: CreativeDay;
  /** Cells that there were: newer rows are not to be looked at. */
  readonly size: number;
  numbers: Uint32Array;
  minutes: Float64Array;
  sum: Float64Array;
  /** The cell's place in `minutes` and `sum`; in `numbers` it begins at `CELL_WIDTH` times that. */
  place = 0;
  readonly #pages = new Map<number, CellPage>();

  constructor(day: CreativeDay) {
    const { minutes, numbers, size, sum } = day;
    this.day = day;
    this.size = size;
    this.numbers = numbers;
    this.minutes = minutes;
    this.sum = sum;
  }

  /** @returns how many cells stand side by side in the same arrays, from this one on, until the next turn */
  look(row: number): number {
    const page = this.#pages.size === 0 ? undefined : this.#pages.get(row >> PAGE_SHIFT);
    const { minutes, numbers, sum } = page ?? this.day;
    this.numbers = numbers;
    this.minutes = minutes;
    this.sum = sum;
    this.place = page === undefined ? row : row & (PAGE_CELLS - 1);
    return Math.min(PAGE_CELLS - (row & (PAGE_CELLS - 1)), this.size - row);
  }

  /** A cell is about to be changed. */
  keep(row: number): void {
    if (row >= this.size) return;
    const page = row >> PAGE_SHIFT;
    if (this.#pages.has(page)) return;
    const { minutes, numbers, sum } = this.day;
    const from = page * PAGE_CELLS;
    const to = Math.min(from + PAGE_CELLS, this.size);
    this.#pages.set(page, {
      numbers: numbers.slice(from * CELL_WIDTH, to * CELL_WIDTH),
      minutes: minutes.slice(from, to),
      sum: sum.slice(from, to),
    });
  }

  /** All sums are multiplied, and so is what readers multiply them by divided: copies are no exception. */
  scale(by: number): void {
    for (const { sum } of this.#pages.values()) for (let place = 0; place < sum.length; place++) sum[place]! *= by;
  }
}
