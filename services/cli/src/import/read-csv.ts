import { parse } from 'csv-parse/sync';
import { CliError } from '../cli-error.ts';
import { createRowMapper, type ColumnMapping, type MappedRow } from './map-columns.ts';
import { noteMended, noteTime, refuse, type Item, type Reader, type Reading, type Refusal } from './outcome.ts';
import { readLines } from './read-lines.ts';
import { createRecordSplitter, type CsvRecord, type RecordSplitter } from './split-records.ts';

export interface CsvOptions extends ColumnMapping {
  /** Epoch milliseconds: `updatedAt` of facts whose row says none. */
  readonly updatedAt: number;
}

/** Rows of a CSV file whose first line names the columns. The delimiter is the one of , ; tab and | that this line has most of. */
export function createCsvReader(options: CsvOptions): Reader {
  return async function* readCsv(chunks, reading) {
    let table: Table | null = null;
    for await (const lines of readLines(chunks)) {
      const records: CsvRecord[] = [];
      for (const line of lines) {
        reading.tally.lines++;
        if (line.text.trim() === '' && table?.splitter.isBetween !== false) reading.tally.blank++;
        else if (table === null) table = openTable(line.text, options, reading);
        else records.push(...table.splitter.add(line));
      }
      if (table !== null) yield table.read(records);
    }
    if (table !== null) yield table.read(table.splitter.end());
  };
}

interface Table {
  readonly splitter: RecordSplitter;
  read(records: readonly CsvRecord[]): { items: Item[]; refusals: Refusal[] };
}

function openTable(headerText: string, options: CsvOptions, reading: Reading): Table {
  const { tally, chain } = reading;
  chain.next(headerText);
  const delimiter = delimiterOf(headerText);
  const header = parseRows(headerText, delimiter)?.[0]?.map((name) => name.trim());
  if (header === undefined) throw new CliError('The first line of the CSV file, which should name the columns, can not be read.');
  const mapRow = createRowMapper(header, options);

  function read(records: readonly CsvRecord[]): { items: Item[]; refusals: Refusal[] } {
    const items: Item[] = [];
    const refusals: Refusal[] = [];
    // One call for many rows is several times faster; when one of them is bad, they are parsed one by one to find it.
    const rows = parseRows(records.map(({ text }) => text).join('\n'), delimiter);
    for (const [at, record] of records.entries()) {
      const row = rows?.length === records.length ? rows[at]! : parseRows(record.text, delimiter)?.[0];
      const read = readRow(record, row);
      if ('reason' in read) refusals.push(read);
      else items.push(read);
    }
    tally.refused += refusals.length;
    return { items, refusals };
  }

  function readRow({ lines, text }: CsvRecord, row: readonly string[] | undefined): Item | Refusal {
    const id = chain.next(text);
    const line = lines[0]!.number;
    if (lines.some(({ isTooLong }) => isTooLong)) return refuse('line_too_long', line, text);
    if (row === undefined) return refuse('bad_csv', line, text, 'the quotes of the row can not be made out');
    if (row.length !== header!.length)
      return refuse('bad_csv', line, text, `the row has ${row.length} fields, the header ${header!.length}`);
    const mapped: MappedRow = mapRow(row);
    if ('problem' in mapped) return refuse('bad_value', line, text, mapped.problem);
    noteMended(tally, mapped.mended);
    return { line, text, ...toItem(mapped.fields, id) };
  }

  function toItem(fields: Record<string, unknown>, id: string): Pick<Item, 'orderKey' | 'body' | 'accountId'> {
    tally.items++;
    const isTouch = options.target === 'touches';
    const occurredAt = fields['occurredAt'];
    if (isTouch && typeof occurredAt === 'number') {
      noteTime(tally, occurredAt);
      fields['occurredAt'] = occurredAt + reading.shiftMs;
    }
    const body = JSON.stringify(isTouch ? { id, ...fields } : { updatedAt: options.updatedAt, ...fields });
    const accountId = textOrNull(fields[options.target === 'accounts' ? 'id' : 'accountId']);
    if (isTouch && accountId === null) tally.unresolved++;
    return { orderKey: accountId ?? textOrNull(fields['contactId']) ?? textOrNull(fields['id']) ?? id, body, accountId };
  }

  return { splitter: createRecordSplitter((text) => parseRows(text, delimiter)?.length === 1), read };
}

/** Null when the quotes of some row can not be made out. */
function parseRows(text: string, delimiter: string): string[][] | null {
  try {
    return parse(text, { delimiter, relax_column_count: true, record_delimiter: '\n' });
  } catch {
    return null;
  }
}

export function delimiterOf(header: string): string {
  const counts = [',', ';', '\t', '|'].map((delimiter) => ({ delimiter, count: header.split(delimiter).length }));
  return counts.reduce((best, next) => (next.count > best.count ? next : best)).delimiter;
}

function textOrNull(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}
