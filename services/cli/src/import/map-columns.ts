import { CliError, EXIT } from '../cli-error.ts';
import { FIELDS, fieldKind, type FieldKind, type Target } from './field-kinds.ts';
import { NO_RULES, type ValueRules } from './mapping-file.ts';
import { parseTime } from './parse-time.ts';

/** `field=column` pairs of --map and `field=value` pairs of --set. */
export type Assignments = ReadonlyMap<string, string>;

export interface ColumnMapping {
  readonly target: Target;
  readonly map: Assignments;
  readonly set: Assignments;
  /** Minutes east of UTC, for times that don't say. */
  readonly zoneMinutes: number;
  /** What becomes of values; absent where they stay as they are. */
  readonly rules?: ValueRules;
}

/** A row as the fields of the API, or the one that can't be read. */
export type MappedRow = { readonly fields: Record<string, unknown>; readonly mended: readonly string[] } | { readonly problem: string };

/** `a=x,b=y`, any number of times. A comma belongs to a name unless another `field=` follows. */
export function parseAssignments(texts: readonly string[], option: string): Map<string, string> {
  const pairs = new Map<string, string>();
  for (const text of texts.flatMap((text) => text.split(/,(?=\s*[A-Za-z][\w.-]*=)/))) {
    const equals = text.indexOf('=');
    const field = text.slice(0, Math.max(0, equals)).trim();
    if (field === '') throw new CliError(`${option} '${text}' is not of the form field=name.`, { exitCode: EXIT.usage });
    if (pairs.has(field)) throw new CliError(`${option} gives '${field}' twice.`, { exitCode: EXIT.usage });
    pairs.set(field, text.slice(equals + 1).trim());
  }
  return pairs;
}

interface Cell {
  readonly path: readonly [string] | readonly [string, string];
  readonly kind: FieldKind;
  /** The columns it is read from, joined by '/'; none for a constant. */
  readonly columns: readonly number[];
  readonly constant: string;
}

/**
 * Plans the reading of rows with the given header. Columns that bear the name of a field are that field unless mapped otherwise.
 * @throws CliError when a field or a column does not exist, or a needed field is not mapped
 */
export function createRowMapper(header: readonly string[], mapping: ColumnMapping): (row: readonly string[]) => MappedRow {
  const cells = planCells(header, mapping);
  const { empty, mend, values } = mapping.rules ?? NO_RULES;

  return function mapRow(row) {
    const fields: Record<string, unknown> = {};
    const mended: string[] = [];
    for (const { path, kind, columns, constant } of cells) {
      const field = path.join('.');
      let text = columns.length === 0 ? constant : joined(columns, row);
      const instead = text === '' ? empty.get(field) : mend.get(field)?.get(text);
      if (instead !== undefined) mended.push(`${field}: ${told(text)} ${changeOf(field, instead)}`);
      text = instead ?? values.get(field)?.get(text) ?? text;
      // An empty cell says nothing: the field is left out.
      if (text === '') continue;
      const value = readValue(text, kind, mapping.zoneMinutes);
      if (value === null) return { problem: `${field}: '${text.slice(0, 100)}' is ${EXPECTED[kind]}` };
      const [name, inner] = path;
      if (inner === undefined) fields[name] = value;
      else ((fields[name] ??= Object.create(null)) as Record<string, unknown>)[inner] = value;
    }
    return { fields, mended };
  };
}

/** Times that the first version which says so stands for, where the field does not. */
const DATED_BY_FIRST = new Set(['createdAt', 'qualifiedAt', 'closedAt']);

function changeOf(field: string, instead: string): string {
  if (instead === '' && DATED_BY_FIRST.has(field)) return 'is left out: the time of the first version that has it stands for it';
  return `became ${told(instead)}`;
}

function told(text: string): string {
  return text === '' ? 'empty' : `'${text.slice(0, 60)}'`;
}

function planCells(header: readonly string[], { target, map, set }: ColumnMapping): Cell[] {
  const known = [...Object.keys(FIELDS[target].fields), ...(FIELDS[target].open === undefined ? [] : [`${FIELDS[target].open}.NAME`])];
  const sources = new Map<string, { column: string } | { constant: string }>();
  for (const column of header) if (fieldKind(target, column) !== null) sources.set(column, { column });
  for (const [field, column] of map) sources.set(field, { column });
  for (const [field, constant] of set) sources.set(field, { constant });

  const cells = [...sources].map(([field, source]): Cell => {
    const kind = fieldKind(target, field);
    if (kind === null) throw new CliError(`${target} have no field '${field}'. They have: ${known.join(', ')}.`, { exitCode: EXIT.usage });
    const dot = field.indexOf('.');
    const path = dot < 0 ? ([field] as const) : ([field.slice(0, dot), field.slice(dot + 1)] as const);
    if ('constant' in source) return { path, kind, columns: [], constant: source.constant };
    return { path, kind, columns: columnsOf(header, source.column), constant: '' };
  });
  const missing = FIELDS[target].needed.filter((field) => !sources.has(field));
  if (missing.length > 0) {
    const names = missing.map((field) => `'${field}'`).join(' and ');
    throw new CliError(
      `Nothing says where ${names} of the ${target} comes from. Map a column (--map ${missing[0]}=COLUMN; columns are: ${header.join(', ')}) or set one value for all rows (--set ${missing[0]}=VALUE).`,
      { exitCode: EXIT.usage },
    );
  }
  return cells;
}

/** A column by its name, or several as `date+campaign`, for tables without an id of their own. */
function columnsOf(header: readonly string[], name: string): number[] {
  const names = header.includes(name) ? [name] : name.split('+');
  return names.map((part) => {
    const at = header.indexOf(part);
    if (at < 0) throw new CliError(`The file has no column '${part}'. It has: ${header.join(', ')}.`, { exitCode: EXIT.usage });
    return at;
  });
}

function joined(columns: readonly number[], row: readonly string[]): string {
  return columns.length === 1 ? (row[columns[0]!] ?? '').trim() : columns.map((at) => (row[at] ?? '').trim()).join('/');
}

const EXPECTED: Readonly<Record<FieldKind, string>> = {
  text: 'no text',
  number: 'no number',
  flag: 'neither yes nor no',
  time: 'no date or time (write 2026-01-31, 2026-01-31 13:45, RFC 3339, or an epoch)',
  day: 'no date (write 2026-01-31)',
  list: 'no list',
};

function readValue(text: string, kind: FieldKind, zoneMinutes: number): unknown {
  switch (kind) {
    case 'text':
      return text;
    case 'number':
      return /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d{1,3})?$/i.test(text) ? Number(text) : null;
    case 'flag':
      if (/^(?:true|yes|y|1)$/i.test(text)) return true;
      return /^(?:false|no|n|0)$/i.test(text) ? false : null;
    case 'time':
      return parseTime(text, zoneMinutes);
    case 'day':
      return /^\d{4}-\d{2}-\d{2}/.test(text) && parseTime(text, 0) !== null ? text.slice(0, 10) : null;
    case 'list':
      return text.split(/[;|,\s]+/).filter((part) => part !== '');
  }
}
