import type { RecordRun } from '@touchstone/engine';
import { jsonRows } from './json-rows.ts';
import { exceptionName } from './map-store-error.ts';
import { columnList } from './row-transport.ts';
import type { RowTransport } from './row-transport.ts';
import { StoredRun } from './stored-run.ts';
import type { FactLine } from './stored-run.ts';
import type { TouchLayout } from './touch-columns.ts';

export interface PageSizes {
  /** The first page is small, so that applying begins soon. */
  readonly firstOffsets: number;
  /** Later ones are as many offsets as would have filled this many bytes before. Shorter ones cost more: 4 MiB are a third slower. */
  readonly bytes: number;
  /** Rows may suddenly be larger: at this many bytes ClickHouse gives a page up, and a shorter one is asked for. */
  readonly bytesMax: number;
}

const PAGE_SIZES: PageSizes = { firstOffsets: 20_000, bytes: 16 * 1024 * 1024, bytesMax: 64 * 1024 * 1024 };
const GROWTH_MAX = 4;
const IN_RANGE = 'partition = {partition:UInt16} AND offset >= {from:UInt64} AND offset < {to:UInt64}';

/** What of a partition is replayed: offsets from `from` to below `before`, and these columns. */
export interface Replayed {
  readonly partition: number;
  readonly from: number;
  readonly before: number;
  readonly layout: TouchLayout;
}

interface Page {
  readonly touches: Uint8Array;
  readonly facts: readonly FactLine[];
  readonly bytes: number;
  readonly to: number;
  readonly offsets: number;
}

/**
 * Reads a partition's stored records in pages by ranges of offsets, the next page while the current one is being applied: at most two are in
 * memory.
 */
export async function* replay(transport: RowTransport, replayed: Replayed, sizes: PageSizes = PAGE_SIZES): AsyncGenerator<RecordRun> {
  const first = await firstOffset(transport, replayed);
  if (first >= replayed.before) return;
  const run = new StoredRun(replayed.partition, replayed.layout);
  let coming = readPage(transport, replayed, first, sizes.firstOffsets, sizes);
  for (;;) {
    const page = await coming;
    const isLast = page.to >= replayed.before;
    if (!isLast) {
      coming = readPage(transport, replayed, page.to, nextOffsets(page, sizes), sizes);
      // Whoever stops reading leaves this one behind; its failure is nobody's then.
      coming.catch(() => {});
    }
    run.open(page.touches, page.facts);
    yield run;
    if (isLast) return;
  }
}

function nextOffsets({ bytes, offsets }: Page, sizes: PageSizes): number {
  const wanted = Math.floor((offsets * sizes.bytes) / Math.max(bytes, 1));
  return Math.max(1, Math.min(wanted, offsets * GROWTH_MAX));
}

const FIRST_OF_PARTITION = 'WHERE partition = {partition:UInt16} AND offset >= {from:UInt64} ORDER BY offset LIMIT 1';

/** Infinity when there is none. */
async function firstOffset(transport: RowTransport, { partition, from }: Replayed): Promise<number> {
  const answer = await transport.read(
    `SELECT offset FROM (SELECT offset FROM touches ${FIRST_OF_PARTITION}) UNION ALL
     SELECT offset FROM (SELECT offset FROM facts ${FIRST_OF_PARTITION}) FORMAT JSONEachRow`,
    { partition, from },
    { isPage: true },
  );
  return Math.min(...jsonRows<{ offset: number | string }>(answer).map(({ offset }) => Number(offset)));
}

async function readPage(transport: RowTransport, replayed: Replayed, from: number, offsets: number, sizes: PageSizes): Promise<Page> {
  const to = Math.min(replayed.before, from + offsets);
  const range = { partition: replayed.partition, from, to };
  const rest = `WHERE ${IN_RANGE} ORDER BY offset SETTINGS max_result_bytes = ${sizes.bytesMax}, result_overflow_mode = 'throw'`;
  try {
    const touches = await transport.read(`SELECT ${columnList(replayed.layout.columns)} FROM touches ${rest} FORMAT RowBinary`, range, {
      isPage: true,
    });
    const facts = await transport.read(
      `SELECT offset, toUnixTimestamp64Milli(appended_at) AS appendedAt, type, body FROM facts ${rest} FORMAT JSONEachRow`,
      range,
      { isPage: true },
    );
    return { touches, facts: factLines(facts), bytes: touches.length + facts.length, to, offsets: to - from };
  } catch (error) {
    if (exceptionName(error) !== 'TOO_MANY_ROWS_OR_BYTES' || to - from === 1) throw error;
    return readPage(transport, replayed, from, Math.ceil((to - from) / 8), sizes);
  }
}

function factLines(answer: Uint8Array): FactLine[] {
  return jsonRows<{ offset: number | string; appendedAt: number | string; type: string; body: string }>(answer).map((row) => ({
    ...row,
    offset: Number(row.offset),
    appendedAt: Number(row.appendedAt),
  }));
}
