/** How much is done before others may have their turn, in cells of creatives: a millisecond or two. */
const CELLS_A_TURN = 20_000;

/** How much of its turn a reader has left, for everything that one answer takes. */
export class Pace {
  left: number;
  readonly #cellsATurn: number;

  constructor(cellsATurn: number = CELLS_A_TURN) {
    this.#cellsATurn = cellsATurn;
    this.left = cellsATurn;
  }

  /** So much was done, where the turn can't end. */
  note(cells: number): void {
    this.left -= cells;
  }

  /** So much was done. Whether the turn is over: then the next one has begun. */
  spend(cells: number): boolean {
    this.left -= cells;
    if (this.left > 0) return false;
    this.left = this.#cellsATurn;
    return true;
  }
}
