import type { Measured, MeasuredRow, WhenAbsent } from '@touchstone/kpis';
import { jsonRows } from '../json-rows.ts';
import { readBounded } from '../read-bounded.ts';
import type { RowTransport } from '../row-transport.ts';
import { expressionOf, FACT_TABLES, probeOf, type Dimension } from './dimensions.ts';
import type { StoredKpi } from './kpi.ts';
import type { KpiQuery, KpiTarget } from './kpi-store.ts';
import { createScope, type Measure, type MeasureScope, type ScopeOptions } from './measure.ts';

/** Rows that tell whether a table has any, in the place of a measure. */
const TABLE = 'table:';

/** All measures of a KPI in one statement: in the embedded ClickHouse statements wait for each other, and each has its price. */
export async function measureKpi(transport: RowTransport, { kpi, ...options }: KpiQuery): Promise<Measured> {
  const asked = dimensionsOf(options);
  const measures = Object.entries(kpi.measures).map(([name, measure]) => ({ name, measure, unknown: unknownOf(measure, asked) }));
  const answered = measures.filter(({ unknown }) => unknown === null);
  const params = new Map<string, string>();
  const scope = createScope(options, params);
  const tables = new Set(answered.flatMap(({ measure }) => [measure.table, ...(measure.needs ?? [])]));
  const statements = [
    ...statementsOf(answered, scope),
    ...[...tables].map(
      (table) => `SELECT '${TABLE}${table}', 0, '', '', toFloat64(count()) FROM (SELECT 1 FROM ${probeOf(table, scope)} LIMIT 1)`,
    ),
  ];
  const rows = answered.length === 0 ? [] : await readRows(transport, statements.join('\nUNION ALL\n'), params);
  const filled = new Set(
    rows.flatMap(({ measure, value }) => (measure.startsWith(TABLE) && value > 0 ? [measure.slice(TABLE.length)] : [])),
  );
  return {
    rows: rows.filter((row) => !row.measure.startsWith(TABLE) && !isNothing(row, kpi)),
    measures: Object.fromEntries(
      measures.map(({ measure, name, unknown }) => [name, { isMoney: measure.isMoney, whenAbsent: unknown ?? absentOf(measure, filled) }]),
    ),
  };
}

/** One for each kind of rows and, as amounts are by currency and other figures are not, for money and for the rest. */
function statementsOf(named: readonly { readonly name: string; readonly measure: Measure }[], scope: MeasureScope): string[] {
  const groups = Map.groupBy(named, ({ measure }) => `${measure.rows.key} ${measure.isMoney}`);
  return [...groups.values()]
    .map((group) => {
      const { isMoney, rows } = group[0]!.measure;
      const values = group.map(({ measure, name }) => `('${name}', toFloat64OrNull(toString(${measure.value(scope)})))`);
      return `SELECT arrayJoin([${values.join(', ')}]) AS told, told.1 AS measure, toUInt32(span) AS span, toString(segment) AS segment,
        ${isMoney ? 'toString(currency)' : "''"} AS currency, told.2 AS value
      FROM ${rows.from(scope)} GROUP BY span, segment${isMoney ? ', currency' : ''}`;
    })
    .map((statement) => `SELECT measure, span, segment, currency, value FROM (${statement}) WHERE value IS NOT NULL`);
}

/** A segment that rows of another kind brought up: 0 is what it would be without. */
function isNothing({ measure, segment, value }: MeasuredRow, kpi: StoredKpi): boolean {
  return segment !== '' && value === 0 && kpi.measures[measure]?.whenAbsent === 'zero';
}

async function readRows(transport: RowTransport, statement: string, params: ReadonlyMap<string, string>): Promise<MeasuredRow[]> {
  const answer = await readBounded(transport, statement, Object.fromEntries(params));
  return jsonRows<MeasuredRow>(answer);
}

function dimensionsOf({ filters, segmentBy }: ScopeOptions): Dimension[] {
  return [...(Object.keys(filters) as Dimension[]), ...(segmentBy === null ? [] : [segmentBy])];
}

/** Why it can't be told by what is asked; null where it can. */
function unknownOf({ table, without = [] }: Measure, asked: readonly Dimension[]): WhenAbsent | null {
  const dimension = asked.find((one) => without.includes(one) || expressionOf(table, one) === null);
  return dimension === undefined ? null : { reason: `${FACT_TABLES[table].words} can not be told by ${dimension}` };
}

function absentOf({ needs = [], table, whenAbsent }: Measure, filled: ReadonlySet<string>): WhenAbsent {
  const empty = [table, ...needs].find((one) => !filled.has(one));
  if (empty !== undefined) return { reason: `nothing is known of ${FACT_TABLES[empty].words}` };
  const { words } = FACT_TABLES[table];
  return whenAbsent === 'zero' ? 'zero' : { reason: `nothing is known of ${words} in the period` };
}

export async function readKpiTargets(transport: RowTransport): Promise<KpiTarget[]> {
  const answer = await transport.read(
    `SELECT name, toUnixTimestamp64Milli(set_at) AS setAt, value, set_by AS setBy FROM kpi_targets FINAL ORDER BY name FORMAT JSONEachRow`,
  );
  return jsonRows<Omit<KpiTarget, 'setAt'> & { setAt: number | string }>(answer).map((row) => ({ ...row, setAt: Number(row.setAt) }));
}
