import type { AskedSpan, KpiSettings, Span } from '@touchstone/kpis';
import { expressionOf, FACT_TABLES, sourceOf, type Dimension, type FactTable, type FactTableName } from './dimensions.ts';

/**
 * A measure comes to a number in each span that is asked for, of everything (segment '') and of each segment ('=' and its value). One KPI is a
 * handful of measures, and all of them are one statement.
 */
export interface Measure {
  /** The table whose emptiness makes it missing. */
  readonly table: FactTableName;
  readonly isMoney: boolean;
  /** In a span without rows: 0, or missing, as where nothing was booked nobody knows whether nothing was spent. */
  readonly whenAbsent: 'zero' | 'missing';
  /** Dimensions it can't be filtered or segmented by, though its table could. */
  readonly without?: readonly Dimension[];
  /** Further tables whose emptiness makes it missing. */
  readonly needs?: readonly FactTableName[];
  /** Measures whose rows have one key are read in one go. */
  readonly rows: SharedRows;
  /** Aggregate over those rows, by span, segment and currency; NULL where it has none. */
  value(scope: MeasureScope): string;
}

/** Rows that several measures may be aggregates of. */
export interface SharedRows {
  readonly key: string;
  /** A table expression with columns `span`, `segment` and, for money, `currency`. */
  from(scope: MeasureScope): string;
}

/** How the rows of a table come by spans. */
export type Placed =
  /** By an instant, a column in the row's alias `row`: in each span that it is in. */
  | { readonly at: string }
  /** By a calendar day, a Date32: in each span in which it begins. */
  | { readonly day: string }
  /**
   * By whether it goes on just before the end of a span: what begins or ends with a month does so in that month. An end of the epoch is none.
   */
  | { readonly from: string; readonly to: string; readonly edge: 'end' }
  /** In every span. */
  | 'always';

/** What a statement is built from. */
export interface MeasureScope {
  readonly spans: readonly AskedSpan[];
  readonly settings: KpiSettings;
  readonly parameters: Readonly<Record<string, string>>;
  /**
   * The newest rows of a table (alias `row`, all columns by name) that meet the filters, once for each span and segment they are in, with columns
   * `span` and `segment`. `of` are other spans in the place of those asked for, one for each.
   */
  rows(table: FactTableName, placed: Placed, of?: readonly (Span & Partial<AskedSpan>)[]): string;
  /** Whether a segment is told of a span, in SQL by these columns: segments are told of the first spans alone. */
  isTold(span: string, segment: string): string;
  /** When the row's span begins, epoch ms, in SQL. */
  readonly beginOfSpan: string;
  /** A list of texts as a place of the statement that takes it as a value, for `x IN list(...)`. */
  list(texts: readonly string[]): string;
}

/** A condition on rows in SQL, which may ask for settings and parameters. */
export type Condition = (scope: MeasureScope) => string;

const ALL: Condition = () => '1';

/** Rows counted. */
export function countOf(table: FactTableName, placed: Placed, where: Condition = ALL): Measure {
  return aggregateOf(table, placed, { isMoney: false, whenAbsent: 'zero', value: (scope) => `countIf(${where(scope)})` });
}

/** Different values counted: exact. */
export function distinctOf(table: FactTableName, placed: Placed, column: string, where: Condition = ALL): Measure {
  return aggregateOf(table, placed, { isMoney: false, whenAbsent: 'zero', value: (scope) => `uniqExactIf(${column}, ${where(scope)})` });
}

/** Money added up, by the column `currency`. */
export function moneyOf(
  table: FactTableName,
  placed: Placed,
  column: string,
  whenAbsent: Measure['whenAbsent'],
  where: Condition = ALL,
): Measure {
  return aggregateOf(table, placed, { isMoney: true, whenAbsent, value: (scope) => `sumOrNullIf(${column}, ${where(scope)})` });
}

/** Any aggregate over the rows of a table, by span, segment and, for money, currency. It is NULL where it has no row. */
export function aggregateOf(table: FactTableName, placed: Placed, of: Pick<Measure, 'isMoney' | 'whenAbsent' | 'value'>): Measure {
  return { table, ...of, rows: { key: JSON.stringify([table, placed]), from: (scope) => scope.rows(table, placed) } };
}

export interface ScopeOptions {
  readonly spans: readonly AskedSpan[];
  readonly segmentBy: Dimension | null;
  /** All of them must hold; of a dimension's values any. */
  readonly filters: Readonly<Partial<Record<Dimension, readonly string[]>>>;
  readonly settings: KpiSettings;
  readonly parameters: Readonly<Record<string, string>>;
}

/** Segments are told of the period and the one before it: of a series they would be more numbers than anybody reads. */
const SEGMENTED_SPANS = 2;

/** `params` takes the values bound to places of the statement. */
export function createScope(options: ScopeOptions, params: Map<string, string>): MeasureScope {
  const { filters, segmentBy, spans } = options;

  function list(texts: readonly string[]): string {
    const name = `list${params.size}`;
    params.set(name, JSON.stringify(texts));
    return `(SELECT arrayJoin(JSONExtract({${name}:String}, 'Array(String)')))`;
  }

  function rows(name: FactTableName, placed: Placed, of: readonly (Span & Partial<AskedSpan>)[] = spans): string {
    const table: FactTable = FACT_TABLES[name];
    const asked = [...(segmentBy === null ? [] : [segmentBy]), ...(Object.keys(filters) as Dimension[])];
    const expressions = new Map(asked.map((dimension) => [dimension, expressionOf(name, dimension)!]));
    const needsAccount = [...expressions.values()].some((expression) => expression.includes('account.'));
    const conditions = Object.entries(filters).map(
      ([dimension, values]) => `${expressions.get(dimension as Dimension)} IN ${list(values)}`,
    );
    const { condition, place, spansAt } = placement(placed, of);
    const own = asked.flatMap((dimension) => table.own[dimension]?.replace('row.', '') ?? []);
    const values = table.values === undefined ? null : [...table.values, ...own].join(', ');
    const columns = values === null ? '*' : [values, ...(table.sums ?? [])].join(', ');
    // Not DISTINCT, which has one thread.
    const grouped = values === null ? '' : `GROUP BY ${values}, place`;
    const segment =
      segmentBy === null
        ? "''"
        : `arrayJoin(if(span < ${SEGMENTED_SPANS}, ['', concat('=', toString(${expressions.get(segmentBy)}))], ['']))`;
    const join = needsAccount ? `LEFT ANY JOIN (SELECT * FROM accounts FINAL) AS account ON row.${table.account} = account.id` : '';
    return `(SELECT row.*, arrayJoin(${spansAt('place')}) AS span, ${segment} AS segment
       FROM (SELECT ${columns}, ${place} AS place FROM ${sourceOf(name, { settings: options.settings, asked, list })} AS row${table.isVersioned ? ' FINAL' : ''} WHERE ${table.where ?? '1'} AND ${condition} ${grouped}) AS row ${join} WHERE ${['1', ...conditions].join(' AND ')})`;
  }

  const beginOfSpan = `arrayElement([${spans.map(({ from }) => from).join(', ')}], span + 1)`;
  const isTold = (span: string, segment: string): string => `(${span} < ${SEGMENTED_SPANS} OR ${segment} = '')`;
  return { spans, beginOfSpan, isTold, settings: options.settings, parameters: options.parameters, rows, list };
}

interface Placement {
  /** Leaves out what is in no span. */
  readonly condition: string;
  /** What decides of a row in which spans it is. */
  readonly place: string;
  /** These spans, as an array of their indexes, by the column that `place` is in. */
  spansAt(column: string): string;
}

function placement(placed: Placed, spans: readonly (Span & Partial<AskedSpan>)[]): Placement {
  if (placed === 'always') return { condition: '1', place: '0', spansAt: () => `[${spans.map((_, index) => index).join(', ')}]` };
  if ('edge' in placed) {
    const instants = `[${spans.map(({ to }) => to).join(', ')}]`;
    const ms = (column: string): string => `toUnixTimestamp64Milli(${column})`;
    const goesOn = `${ms(placed.from)} < instant AND (${ms(placed.to)} = 0 OR ${ms(placed.to)} >= instant)`;
    return {
      condition: '1',
      place: `arrayFilter((span, instant) -> ${goesOn}, range(${spans.length}), ${instants})`,
      spansAt: (column) => column,
    };
  }
  const isDay = 'day' in placed;
  return bySlices(
    isDay
      ? { value: `toInt64(toInt32(${placed.day}))`, column: placed.day, literal: (day) => `toDate32(${day})` }
      : {
          value: `toUnixTimestamp64Milli(${placed.at})`,
          column: placed.at,
          literal: (ms) => `fromUnixTimestamp64Milli(toInt64(${ms}), 'UTC')`,
        },
    spans.map((span) => (isDay ? { from: span.fromDay ?? 0, to: span.toDay ?? 0 } : span)),
  );
}

/** A column that places a row in time, and its value as a number; the condition is on the column as it is, so that an index can pass over rows. */
interface TimeColumn {
  readonly value: string;
  readonly column: string;
  readonly literal: (value: number) => string;
}

/** Spans overlap (a period and its series): the instants where one begins or ends cut time into slices, and each slice is in some of them. */
function bySlices({ column, literal, value }: TimeColumn, spans: readonly { readonly from: number; readonly to: number }[]): Placement {
  const cuts = [...new Set(spans.flatMap(({ from, to }) => [from, to]))].toSorted((one, other) => one - other);
  const within = cuts.map((cut) => spans.flatMap(({ from, to }, index) => (from <= cut && cut < to ? [index] : [])));
  const list = `[${cuts.join(', ')}]`;
  const ranges = mergedRanges(spans).map(({ from, to }) => `(${column} >= ${literal(from)} AND ${column} < ${literal(to)})`);
  return {
    condition: `(${ranges.join(' OR ') || '0'})`,
    place: `indexOf(${list}, roundDown(${value}, ${list}))`,
    // The type is said, as all lists may be empty: some hours of a day have no day that begins in them.
    spansAt: (column) =>
      `arrayElement(CAST([${within.map((indexes) => `[${indexes.join(', ')}]`).join(', ')}] AS Array(Array(UInt32))), ${column})`,
  };
}

/** What the spans cover, as few ranges: a period with its series and the one before are one, that of last year another. */
function mergedRanges(spans: readonly { readonly from: number; readonly to: number }[]): { from: number; to: number }[] {
  const ranges: { from: number; to: number }[] = [];
  for (const { from, to } of spans.filter((span) => span.from < span.to).toSorted((one, other) => one.from - other.from)) {
    const last = ranges.at(-1);
    if (last !== undefined && from <= last.to) last.to = Math.max(last.to, to);
    else ranges.push({ from, to });
  }
  return ranges;
}
