import type { RowTransport } from './row-transport.ts';
import { encodeSlices, type Table } from './tables.ts';

/** In one statement: after an outage there may be hundreds of megabytes to write, and a statement has its time. */
export const STATEMENT_BYTES_MAX = 16 * 1024 * 1024;

/**
 * Rows encoded in one turn of the event loop, a millisecond's worth. The thousands of a checkpoint would hold reads up for 30; and where turns are
 * long, as in a storm of alerts, each of them is waited for.
 */
const ENCODED_AT_ONCE = { rows: 250, bytes: 512 * 1024 };

/** Inserts rows in statements of a size that has time enough, encoding them in turns. */
export async function insertRows<Row>(transport: Pick<RowTransport, 'insert'>, table: Table<Row>, rows: readonly Row[]): Promise<void> {
  let pieces: Uint8Array[] = [];
  let bytes = 0;
  for (const piece of encodeSlices(table, rows, ENCODED_AT_ONCE)) {
    pieces.push(piece);
    bytes += piece.length;
    if (bytes >= STATEMENT_BYTES_MAX) {
      await transport.insert(table.name, table.columns, pieces);
      pieces = [];
      bytes = 0;
    } else await new Promise((resolve) => setImmediate(resolve));
  }
  if (bytes > 0) await transport.insert(table.name, table.columns, pieces);
}
