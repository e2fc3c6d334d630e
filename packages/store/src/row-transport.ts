import type { Readable } from 'node:stream';
import type { ColumnType } from './row-binary.ts';

/** Values bound to the `{name:Type}` places of a statement. */
export type Params = Readonly<Record<string, string | number>>;

/** The little in which chDB and a server differ. Every failure is a `StoreError`. */
export interface RowTransport {
  /** Makes the database where there is none yet. */
  prepare(): Promise<void>;
  /** Runs a statement that answers nothing. */
  command(statement: string, params?: Params): Promise<void>;
  /** The whole answer of a statement that names its FORMAT; never a part of one. */
  read(statement: string, params?: Params): Promise<Uint8Array>;
  /** Inserts RowBinary rows of the given columns in one statement; resolves once they are as durable as the table makes them. */
  insert(table: string, columns: readonly ColumnType[], chunks: readonly Uint8Array[]): Promise<void>;
  /** Rejects when ClickHouse does not answer. */
  ping(): Promise<void>;
  /** Waits for statements under way. */
  close(): Promise<void>;
}

/**
 * An insert is acknowledged when its part is written, never when it is queued (a server's default since version 26). Rows repeated inside
 * one insert are left for a merge: looking for them would cost a third more, and readers drop them.
 */
export const INSERT_SETTINGS = 'SETTINGS async_insert = 0, optimize_on_insert = 0';

export function columnList(columns: readonly ColumnType[]): string {
  return columns.map(({ name }) => name).join(', ');
}

/** A stream's bytes, in one piece. */
export async function collect(stream: Readable): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream as AsyncIterable<Uint8Array>) chunks.push(chunk);
  return chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks);
}
