import type { RecordRun } from '@touchstone/engine';
import { jsonRows } from './json-rows.ts';
import { exceptionName } from './map-store-error.ts';
import type { RowTransport } from './row-transport.ts';
import { atMost, StoredFacts } from './stored-facts.ts';
import { StoredRun } from './stored-run.ts';
import { columnsAsked, TouchColumnReader } from './touch-column-reader.ts';
import type { TouchLayout } from './touch-columns.ts';

export interface PageSizes {
  /** The first page is small, so that applying begins soon. A statement takes some milliseconds however little it asks for, so it is not smaller yet. */
  readonly firstOffsets: number;
  /** Later ones are as many offsets as would have filled this many bytes before. Shorter ones cost more: 4 MiB are a third slower. */
  readonly bytes: number;
  /** Rows may suddenly be larger: at this many bytes ClickHouse gives a page up, and a shorter one is asked for. */
  readonly bytesMax: number;
  /** Facts are read so many at a time: where they are few, all of a partition by one statement. */
  readonly facts: number;
}

const PAGE_SIZES: PageSizes = { firstOffsets: 50_000, bytes: 16 * 1024 * 1024, bytesMax: 64 * 1024 * 1024, facts: 20_000 };
const GROWTH_MAX = 4;
const BLOCK_ROWS = 262_144;
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
  /** All touches below this offset are in it, from where it begins. */
  readonly to: number;
  readonly offsets: number;
}

/**
 * Reads a partition's stored records in pages by ranges of offsets, the next page while the current one is being applied: at most two are in
 * memory, and as many facts as are asked for at a time.
 */
export async function* replay(transport: RowTransport, replayed: Replayed, sizes: PageSizes = PAGE_SIZES): AsyncGenerator<RecordRun> {
  if (replayed.from >= replayed.before) return;
  const run = new StoredRun(replayed.partition, new TouchColumnReader(replayed.layout));
  const facts = new StoredFacts(transport, replayed, sizes);
  const read = async (from: number, offsets: number): Promise<Page> => {
    // Before the touches: a page can be given as soon as it is there. It ends where facts are read to, however few touches stand between them.
    await facts.readPast(from);
    const page = await readPage(transport, replayed, from, Math.min(offsets, facts.readTo - from), sizes);
    if (page.touches.length > 0 || page.to >= replayed.before) return page;
    // A log may begin anywhere, and what is in it may be far apart.
    return { ...page, to: Math.max(page.to, Math.min(await nextTouch(transport, replayed, page.to), facts.readTo)) };
  };
  let coming = read(replayed.from, sizes.firstOffsets);
  for (;;) {
    const page = await coming;
    const given = facts.below(page.to);
    const isLast = page.to >= replayed.before;
    if (!isLast) {
      coming = read(page.to, nextOffsets(page, sizes));
      // Whoever stops reading leaves this one behind; its failure is nobody's then.
      coming.catch(() => {});
    }
    run.open(page.touches, given);
    yield run;
    if (isLast) return;
  }
}

function nextOffsets({ offsets, touches }: Page, sizes: PageSizes): number {
  const wanted = Math.floor((offsets * sizes.bytes) / Math.max(touches.length, 1));
  return Math.max(1, Math.min(wanted, offsets * GROWTH_MAX));
}

/** The offset of the first touch that is stored from an offset on, or `before` when there is none. */
async function nextTouch(transport: RowTransport, { before, partition }: Replayed, from: number): Promise<number> {
  const answer = await transport.read(
    'SELECT offset FROM touches WHERE partition = {partition:UInt16} AND offset >= {from:UInt64} ORDER BY offset LIMIT 1 FORMAT JSONEachRow',
    { partition, from },
    { isPage: true },
  );
  return Math.min(before, ...jsonRows<{ offset: number | string }>(answer).map(({ offset }) => Number(offset)));
}

/**
 * A page in one block or two, where ClickHouse would make one of every 8,192 rows by itself: each block has dictionaries of its own, whose texts the reader
 * looks up. No block is larger than the page it is of.
 */
function wholeBlocks({ bytes }: PageSizes): string {
  return `, max_block_size = ${BLOCK_ROWS}, preferred_block_size_bytes = ${bytes}`;
}

async function readPage(transport: RowTransport, replayed: Replayed, from: number, offsets: number, sizes: PageSizes): Promise<Page> {
  const to = Math.min(replayed.before, from + offsets);
  const { layout, partition } = replayed;
  try {
    // Who has no need of ids adds up alone, and looks accounts up.
    const touches = await transport.read(
      `SELECT ${columnsAsked(layout, !layout.hasIds)} FROM touches WHERE ${IN_RANGE} ORDER BY offset ${atMost(sizes)}${layout.hasIds ? '' : wholeBlocks(sizes)} FORMAT Native`,
      { partition, from, to },
      { isPage: true },
    );
    return { touches, to, offsets: to - from };
  } catch (error) {
    if (exceptionName(error) !== 'TOO_MANY_ROWS_OR_BYTES' || to - from === 1) throw error;
    return readPage(transport, replayed, from, Math.ceil((to - from) / 8), sizes);
  }
}
