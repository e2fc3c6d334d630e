import { exceptionName } from './map-store-error.ts';
import type { Params, RowTransport } from './row-transport.ts';
import { StoreError } from './store-error.ts';

/**
 * What a question that brings touches and opportunities together may hold at once, so that one about all time can't take a process with it that keeps the scores as
 * well. Of ten million touches over a year a quarter takes 200 to 400 MB.
 */
const BYTES_MAX = 2 * 1024 ** 3;

/** ClickHouse says so whether one statement or all of them together take too much; the first is the statement's own fault. */
const OF_STATEMENT = /query memory limit|memory limit \(for query\)/i;

/**
 * As `read`, of rows as lines of JSON, within bounds.
 * @param statement without FORMAT and SETTINGS
 * @throws StoreError `too_large` when it takes more memory than a question may
 */
export async function readBounded(
  transport: RowTransport,
  statement: string,
  params: Params,
  { bytesMax = BYTES_MAX, settings = '' }: { readonly bytesMax?: number; readonly settings?: string } = {},
): Promise<Uint8Array> {
  const all = [`max_memory_usage = ${bytesMax}`, settings].filter((setting) => setting !== '').join(', ');
  try {
    return await transport.read(`${statement} FORMAT JSONEachRow SETTINGS ${all}`, params, { mayLag: true });
  } catch (cause) {
    const isOwnFault = exceptionName(cause) === 'MEMORY_LIMIT_EXCEEDED' && OF_STATEMENT.test((cause as Error).message);
    if (!isOwnFault) throw cause;
    throw new StoreError('too_large', `A question takes more than ${bytesMax} bytes of memory`, { cause });
  }
}
