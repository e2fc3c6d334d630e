import { CliError, EXIT } from '../cli-error.ts';
import { parseLogLine } from './access-log-line.ts';
import type { Target } from './field-kinds.ts';
import { parseAssignments } from './map-columns.ts';
import { NO_RULES, readMappingFile, rulesText } from './mapping-file.ts';
import type { Source } from './open-source.ts';
import type { Reader } from './outcome.ts';
import { daysInMonth, parseZone } from './parse-time.ts';
import { createAccessLogReader, type AccessLogOptions } from './read-access-log.ts';
import { createCsvReader } from './read-csv.ts';
import { createNdjsonReader } from './read-ndjson.ts';

export const FORMATS = ['access-log', 'csv', 'ndjson'] as const;
export type Format = (typeof FORMATS)[number];

/** The options of the command line that decide how the input is read. */
export interface ReadOptions {
  readonly format?: Format;
  readonly as: Target;
  readonly map?: readonly string[];
  readonly set?: readonly string[];
  readonly mapping?: string;
  readonly zone: string;
  readonly logStart?: string;
  readonly shiftToNow?: boolean;
}

export interface ImportPlan {
  readonly format: Format;
  readonly target: Target;
  /** Tells imports of one file in different ways apart. */
  readonly chainSeed: string;
  /** All that decides what is sent: an import is gone on with only under the same. */
  readonly fingerprint: string;
  readonly shiftToNow: boolean;
  /** `updatedAt`, epoch milliseconds, for facts that say none. */
  createReader(updatedAt: number): Reader;
}

/** Checks the options against each other and against the input. @throws CliError with what to change */
export async function planImport(source: Source, options: ReadOptions): Promise<ImportPlan> {
  const format = options.format ?? (await guessFormat(source));
  const { shiftToNow = false } = options;
  const mapping = options.mapping === undefined ? null : readMappingFile(options.mapping);
  // --as has a default, which says nothing.
  const target = options.as === 'touches' ? (mapping?.as ?? options.as) : options.as;
  const zoneMinutes = zoneOf(options.zone);
  const map = new Map([...(mapping?.map ?? []), ...parseAssignments(options.map ?? [], '--map')]);
  const set = new Map([...(mapping?.set ?? []), ...parseAssignments(options.set ?? [], '--set')]);
  const rules = mapping?.values ?? NO_RULES;
  const start = options.logStart === undefined ? null : dateOf(options.logStart);

  if (format === 'access-log' && target !== 'touches') throw wrong('An access log holds touches: leave --as out.');
  if (format !== 'access-log' && start !== null) throw wrong('--log-start is for access logs only.');
  if (format !== 'csv' && (mapping !== null || map.size + set.size > 0)) throw wrong('--mapping, --map and --set are for CSV files only.');
  if (shiftToNow && target !== 'touches') throw wrong('--shift-to-now is for touches only.');
  if (shiftToNow && source.path === null) {
    throw wrong(
      '--shift-to-now reads the input twice, first for its newest time, so it needs a file: standard input can be read only once.',
    );
  }

  const logOptions: AccessLogOptions = { start, zoneMinutes, isStartNeeded: !shiftToNow };
  const columns = format === 'csv' ? [[...map], [...set], ...(mapping === null ? [] : [[rulesText(rules)]])] : [];
  return {
    format,
    target,
    shiftToNow,
    chainSeed: JSON.stringify([format, target, ...columns]),
    fingerprint: JSON.stringify({ format, target, columns, zoneMinutes, start, shiftToNow }),
    createReader(updatedAt) {
      if (format === 'access-log') return createAccessLogReader(logOptions);
      if (format === 'ndjson') return createNdjsonReader({ isTouches: target === 'touches', zoneMinutes });
      return createCsvReader({ target, map, set, rules, zoneMinutes, updatedAt });
    },
  };
}

/** By the first line: `{` begins NDJSON, a log line is a log line, and what is left with a delimiter is a table. */
async function guessFormat(source: Source): Promise<Format> {
  const line = await source.firstLine();
  if (line === null) throw new CliError(`${source.name} is empty: there is nothing to import.`);
  if (line.trimStart().startsWith('{')) return 'ndjson';
  if (parseLogLine(line) !== null) return 'access-log';
  if (/[,;\t|]/.test(line)) return 'csv';
  throw wrong(`Can not tell the format of ${source.name} by its first line. Say it with --format access-log, csv or ndjson.`);
}

function zoneOf(text: string): number {
  const zone = parseZone(text);
  if (zone === null) throw wrong(`--zone '${text}' is not an offset from UTC such as -0400, +05:30 or Z.`);
  return zone;
}

function dateOf(text: string): { year: number; month: number; day: number } {
  const parts = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text);
  const [year, month, day] = [Number(parts?.[1]), Number(parts?.[2]), Number(parts?.[3])];
  if (parts === null || month < 1 || month > 12 || day < 1 || day > daysInMonth(year, month)) {
    throw wrong(`--log-start '${text}' is no date. Write it as 1995-08-29.`);
  }
  return { year, month, day };
}

function wrong(message: string): CliError {
  return new CliError(message, { exitCode: EXIT.usage });
}
