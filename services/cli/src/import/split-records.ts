import type { Line } from './read-lines.ts';

/** One row of a CSV file: a line, or several when a quoted field holds line breaks. */
export interface CsvRecord {
  readonly lines: readonly Line[];
  readonly text: string;
}

const RECORD_LENGTH_MAX = 256 * 1024;

/**
 * Puts lines together until their quotes are balanced. A stray quote would so swallow the lines up to the next one, or the rest of the file.
 * Therefore, when several lines together are no row, or exceed RECORD_LENGTH_MAX, the first of them stands alone (the reader rejects it) and
 * the others are looked at again.
 */
export interface RecordSplitter {
  /** Whether the next line begins a row; false inside a quoted field. */
  readonly isBetween: boolean;
  add(line: Line): CsvRecord[];
  /** The file has ended: what is left comes out, balanced or not. */
  end(): CsvRecord[];
}

/** `isRow` says whether a text that spans lines can be read as one row. */
export function createRecordSplitter(isRow: (text: string) => boolean): RecordSplitter {
  let open: Line[] = [];
  let length = 0;
  let quotes = 0;

  function add(line: Line): CsvRecord[] {
    open.push(line);
    length += line.text.length + 1;
    quotes += countQuotes(line.text);
    if (quotes % 2 === 0 && (open.length === 1 || isRow(joined(open)))) return [take(open.length)];
    if (quotes % 2 === 0) return giveUp();
    if (length <= RECORD_LENGTH_MAX && !line.isTooLong) return [];
    return giveUp();
  }

  function take(count: number): CsvRecord {
    const lines = open.slice(0, count);
    open = [];
    length = 0;
    quotes = 0;
    return { lines, text: joined(lines) };
  }

  function giveUp(): CsvRecord[] {
    const rest = open.slice(1);
    return [take(1), ...rest.flatMap(add)];
  }

  function end(): CsvRecord[] {
    const records: CsvRecord[] = [];
    while (open.length > 0) records.push(...giveUp());
    return records;
  }

  return {
    get isBetween() {
      return open.length === 0;
    },
    add,
    end,
  };
}

function joined(lines: readonly Line[]): string {
  return lines.map(({ text }) => text).join('\n');
}

function countQuotes(text: string): number {
  let count = 0;
  for (let at = text.indexOf('"'); at >= 0; at = text.indexOf('"', at + 1)) count++;
  return count;
}
