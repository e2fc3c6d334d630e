import { addAbortSignal } from 'node:stream';
import type { Readable } from 'node:stream';
import type { ColumnType } from './row-binary.ts';
import { StoreError } from './store-error.ts';

/** Values bound to the `{name:Type}` places of a statement. */
export type Params = Readonly<Record<string, string | number>>;

export interface ReadNeeds {
  /** A page of a restore: worth waiting for longer than for what somebody waits for. */
  readonly isPage?: boolean;
  /** May miss what was stored a moment ago, and so is answered by a replica that lags. Never where state is restored from the answer. */
  readonly mayLag?: boolean;
}

/** The little in which chDB and a server differ. Every failure is a `StoreError`. */
export interface RowTransport {
  /** Name of the cluster whose servers all hold every table; absent when there is one server. */
  readonly cluster?: string | undefined;
  /** Whether nobody reads the chunks of an insert once it has resolved: bytes of an attempt that a repeat has overtaken may still be on their way. */
  readonly letsGoOfChunks?: boolean;
  /** Makes the database where there is none yet. */
  prepare(): Promise<void>;
  /** Runs a statement that answers nothing, once; callers repeat. */
  command(statement: string, params?: Params): Promise<void>;
  /** The whole answer of a statement that names its FORMAT and changes nothing; never a part of one. */
  read(statement: string, params?: Params, needs?: ReadNeeds): Promise<Uint8Array>;
  /**
   * Inserts RowBinary rows of the given columns in one statement; resolves once they are as durable as the table makes them. May be repeated
   * on the way, as after a failure by callers: a row written twice must be one to whoever reads.
   */
  insert(table: string, columns: readonly ColumnType[], chunks: readonly Uint8Array[]): Promise<void>;
  /** Rejects when ClickHouse does not answer. */
  ping(): Promise<void>;
  /** Waits for statements under way, no longer than one may take. */
  close(): Promise<void>;
}

/**
 * An insert is acknowledged when its part is written, never when it is queued (a server's default since version 26). Rows repeated inside
 * one insert are left for a merge: looking for them would cost a third more, and readers drop them.
 */
export const INSERT_SETTINGS = 'SETTINGS async_insert = 0, optimize_on_insert = 0';

/** More than any answer asked for: a page of a restore ends at a quarter of it. */
const ANSWER_BYTES_MAX = 256 * 1024 * 1024;

export function columnList(columns: readonly ColumnType[]): string {
  return columns.map(({ name }) => name).join(', ');
}

/**
 * A stream's bytes, in one piece; `signal` ends the wait for more.
 * @throws StoreError `rejected` when they are more than should ever be in memory
 */
export async function collect(stream: Readable, signal?: AbortSignal): Promise<Uint8Array> {
  if (signal !== undefined) addAbortSignal(signal, stream);
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of stream as AsyncIterable<Uint8Array>) {
    bytes += chunk.length;
    if (bytes > ANSWER_BYTES_MAX) throw new StoreError('rejected', `An answer is longer than ${ANSWER_BYTES_MAX} bytes`);
    chunks.push(chunk);
  }
  return chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks);
}
