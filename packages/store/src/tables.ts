import type { DeliveryRow, EndpointRow } from './notification-store.ts';
import { accountOf, type Transition } from '@touchstone/engine';
import type { KpiTarget } from './kpis/kpi-store.ts';
import { DATE_TIME, RowBinaryWriter } from './row-binary.ts';
import type { ColumnType } from './row-binary.ts';
import type { AlertAction, ApiKeyRow, DeadLetter, DeadLetterPlace, ScoreRow, StoredFact, StoredPosition } from './store.ts';

/** The tables whose rows come as objects. An insert's list of columns, the structure of its bytes and the bytes all follow from these. */
interface Column<Row> extends ColumnType {
  readonly write: (out: RowBinaryWriter, row: Row) => void;
}

export interface Table<Row> {
  readonly name: string;
  readonly columns: readonly Column<Row>[];
}

type Of<Row, Value> = (row: Row) => Value;

const uint16 = <Row>(name: string, of: Of<Row, number>): Column<Row> => ({
  name,
  type: 'UInt16',
  write: (out, row) => out.uint16(of(row)),
});
const uint32 = <Row>(name: string, of: Of<Row, number>): Column<Row> => ({
  name,
  type: 'UInt32',
  write: (out, row) => out.uint32(of(row)),
});
const uint64 = <Row>(name: string, of: Of<Row, number>): Column<Row> => ({ name, type: 'UInt64', write: (out, row) => out.int64(of(row)) });
const time = <Row>(name: string, of: Of<Row, number>): Column<Row> => ({ name, type: DATE_TIME, write: (out, row) => out.int64(of(row)) });
const float64 = <Row>(name: string, of: Of<Row, number>): Column<Row> => ({
  name,
  type: 'Float64',
  write: (out, row) => out.float64(of(row)),
});
const bool = <Row>(name: string, of: Of<Row, boolean>): Column<Row> => ({
  name,
  type: 'Bool',
  write: (out, row) => out.uint8(of(row) ? 1 : 0),
});
const text = <Row>(name: string, of: Of<Row, string>): Column<Row> => ({ name, type: 'String', write: (out, row) => out.text(of(row)) });
const bytes = <Row>(name: string, of: Of<Row, Uint8Array>): Column<Row> => ({
  name,
  type: 'String',
  write: (out, row) => out.bytes(of(row)),
});
const bytesOrNull = <Row>(name: string, of: Of<Row, Uint8Array | null>): Column<Row> => ({
  name,
  type: 'Nullable(String)',
  write: (out, row) => {
    const value = of(row);
    out.uint8(value === null ? 1 : 0);
    if (value !== null) out.bytes(value);
  },
});
const float64OrNull = <Row>(name: string, of: Of<Row, number | null>): Column<Row> => ({
  name,
  type: 'Nullable(Float64)',
  write: (out, row) => {
    const value = of(row);
    out.uint8(value === null ? 1 : 0);
    if (value !== null) out.float64(value);
  },
});
const uint32OrNull = <Row>(name: string, of: Of<Row, number | null>): Column<Row> => ({
  name,
  type: 'Nullable(UInt32)',
  write: (out, row) => {
    const value = of(row);
    out.uint8(value === null ? 1 : 0);
    if (value !== null) out.uint32(value);
  },
});
const texts = <Row>(name: string, of: Of<Row, readonly string[]>): Column<Row> => ({
  name,
  type: 'Array(String)',
  write: (out, row) => {
    const values = of(row);
    out.varint(values.length);
    for (const value of values) out.text(value);
  },
});

type FactOfLog = Extract<StoredFact['fact'], { readonly type: 'model' | 'tick' }>;

/** A control record instead of what the CRM says. */
function isOfLog(fact: StoredFact['fact']): fact is FactOfLog {
  return fact.type === 'model' || fact.type === 'tick';
}

function idOf(fact: StoredFact['fact']): string {
  if (fact.type === 'model') return fact.model.version;
  return fact.type === 'tick' ? '' : fact.id;
}

function bodyOf(fact: StoredFact['fact']): object {
  if (fact.type === 'model') return fact.model;
  return fact.type === 'tick' ? fact.tick : fact;
}

export const FACTS: Table<StoredFact> = {
  name: 'facts',
  columns: [
    uint16('partition', (row) => row.partition),
    uint64('offset', (row) => row.offset),
    time('appended_at', (row) => row.appendedAt),
    text('type', ({ fact }) => fact.type),
    text('id', ({ fact }) => idOf(fact)),
    text('account_id', ({ fact }) => (isOfLog(fact) ? '' : (accountOf(fact) ?? ''))),
    time('updated_at', ({ fact, appendedAt }) => (isOfLog(fact) ? appendedAt : fact.updatedAt)),
    text('body', ({ fact }) => JSON.stringify(bodyOf(fact))),
  ],
};

export const KPI_TARGETS: Table<KpiTarget> = {
  name: 'kpi_targets',
  columns: [
    text('name', (row) => row.name),
    time('set_at', (row) => row.setAt),
    float64OrNull('value', (row) => row.value),
    text('set_by', (row) => row.setBy),
  ],
};

export const DEAD_LETTERS: Table<DeadLetter> = {
  name: 'dead_letters',
  columns: [
    uint16('partition', (row) => row.partition),
    uint64('offset', (row) => row.offset),
    time('appended_at', (row) => row.appendedAt),
    text('reason', (row) => row.reason),
    text('detail', (row) => row.detail),
    bytesOrNull('key', (row) => row.key),
    bytes('value', (row) => row.value),
  ],
};

export const DEAD_LETTER_REPLAYS: Table<DeadLetterPlace & { readonly replayedAt: number }> = {
  name: 'dead_letter_replays',
  columns: [
    uint16('partition', (row) => row.partition),
    uint64('offset', (row) => row.offset),
    time('replayed_at', (row) => row.replayedAt),
  ],
};

export const ALERT_TRANSITIONS: Table<Transition> = {
  name: 'alert_transitions',
  columns: [
    uint16('partition', ({ alert }) => alert.partition),
    text('account_id', ({ alert }) => alert.accountId),
    text('rule_id', ({ alert }) => alert.ruleId),
    uint32('step', (row) => row.step),
    uint64('offset', (row) => row.offset),
    time('at', ({ alert }) => alert.at),
    text('alert_id', ({ alert }) => alert.id),
    text('type', ({ alert }) => alert.type),
    text('direction', ({ alert }) => alert.direction),
    bool('is_held', (row) => row.isHeld),
    uint32('episode', ({ alert }) => alert.episode),
    text('stage', ({ alert }) => alert.currentStage ?? ''),
    text('owner', ({ alert }) => alert.owner ?? ''),
    text('body', ({ alert }) => JSON.stringify(alert)),
  ],
};

export const ALERT_ACTIONS_TAKEN: Table<AlertAction> = {
  name: 'alert_actions',
  columns: [
    text('alert_id', (row) => row.alertId),
    text('action', (row) => row.action),
    time('at', (row) => row.at),
    text('by', (row) => row.by),
    time('until', (row) => row.until ?? 0),
    text('note', (row) => row.note),
  ],
};

export const POSITIONS: Table<StoredPosition> = {
  name: 'positions',
  columns: [
    uint16('partition', (row) => row.partition),
    text('generation', (row) => row.generation),
    uint64('offset', (row) => row.offset),
  ],
};

export const ACCOUNT_SCORES: Table<ScoreRow> = {
  name: 'account_scores',
  columns: [
    text('account_id', (row) => row.accountId),
    uint16('partition', (row) => row.partition),
    uint64('version', (row) => row.version),
    text('model_version', (row) => row.modelVersion),
    time('as_of', (row) => row.asOf),
    float64('points', (row) => row.points),
    float64('score', (row) => row.score),
    bool('engaged', (row) => row.engaged),
  ],
};

export const API_KEYS: Table<ApiKeyRow> = {
  name: 'api_keys',
  columns: [
    text('id', (row) => row.id),
    text('name', (row) => row.name),
    text('hash', (row) => row.hash),
    texts('scopes', (row) => row.scopes),
    time('created_at', (row) => row.createdAt),
    time('revoked_at', (row) => row.revokedAt ?? 0),
  ],
};

export const ENDPOINTS: Table<EndpointRow> = {
  name: 'endpoints',
  columns: [
    text('id', (row) => row.id),
    uint32('revision', (row) => row.revision),
    text('name', (row) => row.name),
    text('kind', (row) => row.kind),
    text('url', (row) => row.url),
    texts('secrets', (row) => row.secrets),
    text('filter', (row) => row.filter),
    uint32OrNull('owner_budget', (row) => row.ownerBudget),
    text('state', (row) => row.state),
    text('state_reason', (row) => row.stateReason),
    time('created_at', (row) => row.createdAt),
    time('updated_at', (row) => row.updatedAt),
  ],
};

export const DELIVERIES: Table<DeliveryRow> = {
  name: 'deliveries',
  columns: [
    text('endpoint_id', (row) => row.endpointId),
    time('at', (row) => row.at),
    text('id', (row) => row.id),
    uint32('revision', (row) => row.revision),
    text('kind', (row) => row.kind),
    uint16('partition', (row) => row.partition),
    text('owner', (row) => row.owner ?? ''),
    text('state', (row) => row.state),
    time('taken_at', (row) => row.takenAt),
    time('next_attempt_at', (row) => row.nextAttemptAt),
    uint32('attempts', (row) => row.attempts),
    text('attempt_log', (row) => row.attemptLog),
    text('payload', (row) => row.payload),
  ],
};

export const MIGRATIONS_APPLIED: Table<{ readonly number: number; readonly name: string; readonly checksum: string }> = {
  name: 'schema_migrations',
  columns: [uint32('number', (row) => row.number), text('name', (row) => row.name), text('checksum', (row) => row.checksum)],
};

export function encodeRows<Row>(table: Table<Row>, rows: Iterable<Row>): Uint8Array {
  return Buffer.concat([...encodeSlices(table, rows, { rows: Infinity, bytes: Infinity })]);
}

/** The rows as RowBinary, in pieces of so many rows or about so many bytes, whatever is less. */
export function* encodeSlices<Row>(
  table: Table<Row>,
  rows: Iterable<Row>,
  most: { readonly rows: number; readonly bytes: number },
): Generator<Uint8Array> {
  let out = new RowBinaryWriter();
  let count = 0;
  for (const row of rows) {
    for (const column of table.columns) column.write(out, row);
    if (++count < most.rows && out.byteLength < most.bytes) continue;
    yield out.written();
    out = new RowBinaryWriter();
    count = 0;
  }
  if (out.byteLength > 0) yield out.written();
}
