/** A line, or a row, on its way to the server. */
export interface Item {
  /** Where it stands in the input, counted from 1. */
  readonly line: number;
  /** Items of one key reach the server in the order of their lines. */
  readonly orderKey: string;
  /** The item as one line of NDJSON. */
  readonly body: string;
  /** The line as it was read, for the file of rejected lines. */
  readonly text: string;
  readonly accountId: string | null;
}

/** Why a line is rejected before it is sent. A closed list; what the server rejects comes with the server's own codes. */
export const REFUSALS = {
  line_too_long: 'the line is longer than 256 KiB',
  not_a_log_line: 'the line is in none of the known access log formats',
  bad_time: 'the time can not be read, or there is no such time',
  no_host: 'the line names no host',
  bad_csv: 'the row can not be read, or has another number of fields than the header',
  bad_value: 'a field can not be read as what it should be',
  not_json: 'the line is not JSON',
} as const;

export type RefusalReason = keyof typeof REFUSALS;

export interface Refusal {
  readonly line: number;
  readonly reason: RefusalReason;
  readonly message: string;
  readonly text: string;
}

/** What reading a stretch of the input gave. Refusals come in the order of their lines. */
export interface Stretch {
  readonly items: readonly Item[];
  readonly refusals: readonly Refusal[];
}

/** Running counts of what was read. Every line is counted once: read into an item, left out for a named cause, or refused. */
export interface ReadTally {
  lines: number;
  blank: number;
  items: number;
  unresolved: number;
  refused: number;
  /** Access logs only. */
  assets: number;
  failed: number;
  otherMethods: number;
  /** Visits whose minutes could not wait for the next page, as too many waited. */
  cutShort: number;
  /** What was put right in rows, in words, by how often; at most `MENDED_MAX` different. */
  readonly mended: Map<string, number>;
  /** The newest time read, epoch milliseconds, before any shift; null when there is none yet. */
  newestAt: number | null;
}

export function createTally(): ReadTally {
  return {
    lines: 0,
    blank: 0,
    items: 0,
    unresolved: 0,
    refused: 0,
    assets: 0,
    failed: 0,
    otherMethods: 0,
    cutShort: 0,
    mended: new Map(),
    newestAt: null,
  };
}

const MENDED_MAX = 1000;

export function noteMended(tally: ReadTally, what: readonly string[]): void {
  for (const one of what) {
    const count = tally.mended.get(one);
    if (count !== undefined || tally.mended.size < MENDED_MAX) tally.mended.set(one, (count ?? 0) + 1);
  }
}

export function noteTime(tally: ReadTally, at: number): void {
  if (tally.newestAt === null || at > tally.newestAt) tally.newestAt = at;
}

/** Reads the whole input from its beginning. What was read is in the tally when the stretch with it comes out. */
export type Reader = (chunks: AsyncIterable<Buffer>, reading: Reading) => AsyncIterable<Stretch>;

export interface Reading {
  readonly tally: ReadTally;
  /** Gives each line its id; asked once a line, in the order of lines. */
  readonly chain: { next(line: string): string };
  /** Added to every time of a touch, milliseconds. */
  readonly shiftMs: number;
}

export function refuse(reason: RefusalReason, line: number, text: string, detail?: string): Refusal {
  return { line, reason, message: detail ?? REFUSALS[reason], text };
}
