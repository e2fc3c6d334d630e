import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { isRecord } from '../api-client.ts';
import { CliError, EXIT } from '../cli-error.ts';
import { TARGETS, type Target } from './field-kinds.ts';

/** How the columns of a table become fields, kept in a file so that the same export can be imported every week. */
export interface MappingFile {
  readonly as: Target | null;
  /** Column of a field. */
  readonly map: ReadonlyMap<string, string>;
  /** Value of a field, the same in all rows. */
  readonly set: ReadonlyMap<string, string>;
  readonly values: ValueRules;
}

/** What becomes of the text of a cell, by field. */
export interface ValueRules {
  /** What the table calls otherwise. Text that becomes empty leaves the field out. */
  readonly values: Translations;
  /** What is wrong in the table: put right, and reported. */
  readonly mend: Translations;
  /** What an empty cell is taken for, and reported; '' is only reported. */
  readonly empty: ReadonlyMap<string, string>;
}

export type Translations = ReadonlyMap<string, ReadonlyMap<string, string>>;

export const NO_RULES: ValueRules = { values: new Map(), mend: new Map(), empty: new Map() };

const KEYS = new Set(['as', 'map', 'set', 'values', 'mend', 'empty']);

/**
 * A file by its path, or one that comes with the program by its bare name, such as crm-accounts.
 * @throws CliError with what is wrong in it
 */
export function readMappingFile(name: string): MappingFile {
  const shipped = fileURLToPath(new URL(`../../mappings/${name}.json`, import.meta.url));
  const path = /^[a-z-]+$/.test(name) && existsSync(shipped) ? shipped : name;
  const wrong = (detail: string, cause?: unknown): CliError =>
    new CliError(`The mapping ${name} ${detail}`, { exitCode: EXIT.usage, cause });
  let parsed: unknown;
  try {
    parsed = JSON.parse(readFileSync(path, 'utf8'));
  } catch (cause) {
    throw wrong(`can not be read: ${cause instanceof Error ? cause.message : String(cause)}`, cause);
  }
  if (!isRecord(parsed)) throw wrong('is no JSON object.');
  const file = parsed;
  const stranger = Object.keys(file).find((key) => !KEYS.has(key));
  if (stranger !== undefined) throw wrong(`has '${stranger}'. It may have: ${[...KEYS].join(', ')}.`);
  const target = TARGETS.find((one) => one === file['as']);
  if (file['as'] !== undefined && target === undefined) throw wrong(`says as: it must be one of ${TARGETS.join(', ')}.`);

  function texts(key: string, value: unknown): Map<string, string> {
    const entries = Object.entries(value === undefined ? {} : isRecord(value) ? value : { '': null });
    if (!entries.every((entry): entry is [string, string] => typeof entry[1] === 'string'))
      throw wrong(`has '${key}', which must be an object of texts.`);
    return new Map(entries);
  }
  function translations(key: string): Translations {
    const value = file[key] ?? {};
    if (!isRecord(value)) throw wrong(`has '${key}', which must be an object by field.`);
    return new Map(Object.entries(value).map(([field, inner]) => [field, texts(`${key}.${field}`, inner)]));
  }

  return {
    as: target ?? null,
    map: texts('map', file['map']),
    set: texts('set', file['set']),
    values: { values: translations('values'), mend: translations('mend'), empty: texts('empty', file['empty']) },
  };
}

/** The rules as what tells two imports apart. */
export function rulesText({ empty, mend, values }: ValueRules): string {
  const plain = (all: Translations): unknown => [...all].map(([field, inner]) => [field, [...inner]]);
  return JSON.stringify([plain(values), plain(mend), [...empty]]);
}
