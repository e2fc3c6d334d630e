import { jsonRows } from './json-rows.ts';
import { exceptionName } from './map-store-error.ts';
import type { RowTransport } from './row-transport.ts';
import type { FactLine } from './stored-run.ts';

export interface FactPages {
  /** Rows in a page. */
  readonly facts: number;
  /** Rows may be large: at this many bytes ClickHouse gives a page up, and a shorter one is asked for. */
  readonly bytesMax: number;
}

/** Ends a statement whose answer would be longer with TOO_MANY_ROWS_OR_BYTES. */
export function atMost({ bytesMax }: Pick<FactPages, 'bytesMax'>): string {
  return `SETTINGS max_result_bytes = ${bytesMax}, result_overflow_mode = 'throw'`;
}

/** The stored facts of a partition in offset order, in pages: where they are few, one statement has told all of them. */
export class StoredFacts {
  readonly #transport: RowTransport;
  readonly #range: { readonly partition: number; readonly from: number; readonly before: number };
  readonly #pages: FactPages;
  /** Read and not given yet. */
  #waiting: readonly FactLine[] = [];
  /** All facts below this offset are read. */
  readTo: number;

  constructor(
    transport: RowTransport,
    range: { readonly partition: number; readonly from: number; readonly before: number },
    pages: FactPages,
  ) {
    this.#transport = transport;
    this.#range = range;
    this.#pages = pages;
    this.readTo = range.from;
  }

  /** Makes sure that those at an offset are read. Where all below it are given, no more than one page waits. */
  async readPast(offset: number): Promise<void> {
    while (this.readTo <= offset) await this.#readPage(this.#pages.facts);
  }

  /** Gives those below an offset, which are read. */
  below(offset: number): readonly FactLine[] {
    const given = this.#waiting.filter((fact) => fact.offset < offset);
    this.#waiting = this.#waiting.slice(given.length);
    return given;
  }

  async #readPage(rows: number): Promise<void> {
    const { before, partition } = this.#range;
    try {
      const answer = await this.#transport.read(
        `SELECT offset, toUnixTimestamp64Milli(appended_at) AS appendedAt, type, body FROM facts
         WHERE partition = {partition:UInt16} AND offset >= {from:UInt64} AND offset < {to:UInt64} ORDER BY offset LIMIT {rows:UInt32}
         ${atMost(this.#pages)} FORMAT JSONEachRow`,
        { partition, from: this.readTo, to: before, rows },
        { isPage: true },
      );
      const facts = jsonRows<{ offset: number | string; appendedAt: number | string; type: string; body: string }>(answer).map((row) => ({
        ...row,
        offset: Number(row.offset),
        appendedAt: Number(row.appendedAt),
      }));
      this.#waiting = [...this.#waiting, ...facts];
      this.readTo = facts.length < rows ? before : facts.at(-1)!.offset + 1;
    } catch (error) {
      if (exceptionName(error) !== 'TOO_MANY_ROWS_OR_BYTES' || rows === 1) throw error;
      await this.#readPage(Math.ceil(rows / 8));
    }
  }
}
