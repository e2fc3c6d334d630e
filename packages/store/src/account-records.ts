import type { RecordRun } from '@touchstone/engine';
import { jsonRows } from './json-rows.ts';
import { exceptionName } from './map-store-error.ts';
import { columnList } from './row-transport.ts';
import type { RowTransport } from './row-transport.ts';
import type { FactLine } from './stored-run.ts';
import { StoredRun } from './stored-run.ts';
import type { TouchLayout } from './touch-columns.ts';
import { TouchRowReader } from './touch-row-reader.ts';

export interface AccountPages {
  /** Rows in a page, of touches and of facts. */
  readonly rows: number;
  /** Rows may be large: at this many bytes ClickHouse gives a page up, and a shorter one is asked for. */
  readonly bytesMax: number;
}

const ACCOUNT_PAGES: AccountPages = { rows: 50_000, bytesMax: 16 * 1024 * 1024 };

/** Whose records are read: offsets from 0 to below `before`, and these columns. */
export interface AccountRange {
  readonly partition: number;
  readonly accountId: string;
  readonly before: number;
  readonly layout: TouchLayout;
}

const OF_ACCOUNT = `partition = {partition:UInt16} AND account_id = {accountId:String}
  AND offset >= {from:UInt64} AND offset < {to:UInt64}`;

/**
 * The stored records of one account in offset order, in pages of bounded size. Touches of an account lie scattered over those of its partition, whose order the
 * table has; a filter by account (index `by_account`) passes over the granules that hold none. Pages are read one after the other: what is asked by a
 * person is small, and the store has others to answer.
 */
export async function* readAccountRecords(
  transport: RowTransport,
  range: AccountRange,
  pages: AccountPages = ACCOUNT_PAGES,
): AsyncGenerator<RecordRun> {
  const run = new StoredRun(range.partition, new TouchRowReader(range.layout));
  /** Facts that are read and not given yet, and up to where they are all that there are. */
  let facts: readonly FactLine[] = [];
  let factsTo = 0;
  for (let from = 0; from < range.before;) {
    if (factsTo <= from) [facts, factsTo] = await readFacts(transport, range, from, pages);
    const { bytes, to } = await readTouches(transport, range, from, factsTo, pages);
    run.open(
      bytes,
      facts.filter(({ offset }) => offset < to),
    );
    yield run;
    facts = facts.filter(({ offset }) => offset >= to);
    from = to;
  }
}

interface TouchPage {
  readonly bytes: Uint8Array;
  /** All touches below this offset are in it, from where it begins. */
  readonly to: number;
}

async function readTouches(
  transport: RowTransport,
  range: AccountRange,
  from: number,
  to: number,
  pages: AccountPages,
): Promise<TouchPage> {
  const bytes = await shorterUntilItFits(pages, (rows) =>
    transport.read(
      `SELECT ${columnList(range.layout.columns)} FROM touches WHERE ${OF_ACCOUNT} ORDER BY offset LIMIT {rows:UInt32}
       SETTINGS max_result_bytes = ${pages.bytesMax}, result_overflow_mode = 'throw' FORMAT RowBinary`,
      { ...whose(range), from, to, rows },
    ),
  );
  const reader = new TouchRowReader(range.layout);
  reader.open(bytes.answer);
  let count = 0;
  while (reader.next()) count++;
  return { bytes: bytes.answer, to: count < bytes.rows ? to : reader.offset + 1 };
}

async function readFacts(
  transport: RowTransport,
  range: AccountRange,
  from: number,
  pages: AccountPages,
): Promise<[facts: readonly FactLine[], to: number]> {
  const { answer, rows } = await shorterUntilItFits(pages, (limit) =>
    transport.read(
      `SELECT offset, toUnixTimestamp64Milli(appended_at) AS appendedAt, type, body FROM facts WHERE ${OF_ACCOUNT} ORDER BY offset LIMIT {rows:UInt32}
       SETTINGS max_result_bytes = ${pages.bytesMax}, result_overflow_mode = 'throw' FORMAT JSONEachRow`,
      { ...whose(range), from, to: range.before, rows: limit },
    ),
  );
  const facts = jsonRows<{ offset: number | string; appendedAt: number | string; type: string; body: string }>(answer).map((row) => ({
    ...row,
    offset: Number(row.offset),
    appendedAt: Number(row.appendedAt),
  }));
  return [facts, facts.length < rows ? range.before : facts.at(-1)!.offset + 1];
}

function whose({ accountId, partition }: AccountRange): { accountId: string; partition: number } {
  return { accountId, partition };
}

async function shorterUntilItFits(
  { rows }: AccountPages,
  read: (rows: number) => Promise<Uint8Array>,
): Promise<{ answer: Uint8Array; rows: number }> {
  for (let limit = rows; ; limit = Math.ceil(limit / 8)) {
    try {
      return { answer: await read(limit), rows: limit };
    } catch (error) {
      if (exceptionName(error) !== 'TOO_MANY_ROWS_OR_BYTES' || limit === 1) throw error;
    }
  }
}
