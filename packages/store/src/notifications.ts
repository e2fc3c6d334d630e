import type { AccountFact } from '@touchstone/engine';
import { byHundreds } from './by-hundreds.ts';
import { jsonRows } from './json-rows.ts';
import type { Params, RowTransport } from './row-transport.ts';
import type {
  DeliveryKey,
  DeliveryKind,
  DeliveryQuery,
  DeliveryRow,
  DeliveryState,
  EndpointKind,
  EndpointRow,
  EndpointState,
  OwnerCount,
  PendingQuery,
} from './notification-store.ts';

/** How the notifier's endpoints and deliveries are read. They are few and small beside touches. */

interface EndpointJson {
  readonly id: string;
  readonly revision: number;
  readonly name: string;
  readonly kind: EndpointKind;
  readonly url: string;
  readonly secrets: readonly string[];
  readonly filter: string;
  readonly ownerBudget: number | null;
  readonly state: EndpointState;
  readonly stateReason: string;
  readonly createdAt: number | string;
  readonly updatedAt: number | string;
}

/** Those that were not deleted, oldest first. */
export async function readEndpoints(transport: RowTransport): Promise<EndpointRow[]> {
  const answer = await transport.read(
    `SELECT id, revision, name, kind, url, secrets, filter, owner_budget AS ownerBudget, state, state_reason AS stateReason,
       toUnixTimestamp64Milli(created_at) AS createdAt, toUnixTimestamp64Milli(updated_at) AS updatedAt
     FROM endpoints FINAL WHERE state != 'deleted' ORDER BY created_at, id FORMAT JSONEachRow`,
  );
  return jsonRows<EndpointJson>(answer).map((row) => ({ ...row, createdAt: Number(row.createdAt), updatedAt: Number(row.updatedAt) }));
}

interface DeliveryJson {
  readonly endpointId: string;
  readonly at: number | string;
  readonly id: string;
  readonly revision: number;
  readonly kind: DeliveryKind;
  readonly partition: number;
  readonly owner: string;
  readonly state: DeliveryState;
  readonly takenAt: number | string;
  readonly nextAttemptAt: number | string;
  readonly attempts: number;
  readonly attemptLog: string;
  readonly payload: string;
}

const KEY = 'endpoint_id, at, id';

/** Names of columns go in front of those of the answer, which would else take their place in conditions. */
const WHOLE = `endpoint_id AS endpointId, toUnixTimestamp64Milli(d.at) AS at, d.id AS id, d.revision AS revision, d.kind AS kind, d.partition AS partition,
  d.owner AS owner, d.state AS state, toUnixTimestamp64Milli(taken_at) AS takenAt, toUnixTimestamp64Milli(next_attempt_at) AS nextAttemptAt,
  d.attempts AS attempts, attempt_log AS attemptLog, d.payload AS payload`;

/** Texts for `IN`, as one value: they hold no line ends. */
const listed = (name: string): string => `(SELECT arrayJoin(splitByChar('\\n', {${name}:String})))`;
const list = (values: Iterable<string | number>): string => [...values].join('\n');

/**
 * Rows whose keys a statement over the narrow columns finds: payloads, which are most of the bytes, are then read of just those.
 * @param keys a statement for their keys
 */
async function read(transport: RowTransport, keys: string, params: Params, order: string): Promise<DeliveryRow[]> {
  const answer = await transport.read(
    `SELECT ${WHOLE} FROM deliveries AS d FINAL WHERE (endpoint_id, d.at, d.id) IN (${keys}) ${order} FORMAT JSONEachRow`,
    params,
  );
  return jsonRows<DeliveryJson>(answer).map(({ at, nextAttemptAt, owner, takenAt, ...row }) => ({
    ...row,
    at: Number(at),
    owner: owner === '' ? null : owner,
    takenAt: Number(takenAt),
    nextAttemptAt: Number(nextAttemptAt),
  }));
}

/** An endpoint's deliveries, newest first. */
export function findDeliveries(transport: RowTransport, { before, endpointId, limit, state }: DeliveryQuery): Promise<DeliveryRow[]> {
  const conditions = ['endpoint_id = {endpointId:String}'];
  const params: Record<string, string | number> = { endpointId, rows: limit };
  if (state !== undefined) {
    conditions.push('state = {state:String}');
    params['state'] = state;
  }
  if (before !== undefined) {
    conditions.push(`(at, id) < (fromUnixTimestamp64Milli({beforeAt:Int64}, 'UTC'), {beforeId:String})`);
    Object.assign(params, { beforeAt: before.at, beforeId: before.id });
  }
  const keys = `SELECT ${KEY} FROM deliveries FINAL WHERE ${conditions.join(' AND ')} ORDER BY at DESC, id DESC LIMIT {rows:UInt32}`;
  return read(transport, keys, params, 'ORDER BY d.at DESC, d.id DESC');
}

/** All deliveries of one message, by endpoint. */
export function readDeliveriesOf(transport: RowTransport, id: string): Promise<DeliveryRow[]> {
  return read(transport, `SELECT ${KEY} FROM deliveries WHERE id = {id:String}`, { id }, 'ORDER BY endpoint_id');
}

/**
 * Keys of the messages whose last row is in a state, by what any of their rows says: the column of states alone is read of all that ever was, and
 * the last row is looked for among those that were in that state once. To put the table together first (FINAL), as for what is asked by hand, takes
 * a second for each ten million rows.
 * @param rows conditions that hold for all rows of a message or for none
 * @param last what stands behind the last row of each
 */
function keysIn(state: DeliveryState, rows: string, last = ''): string {
  return `SELECT ${KEY} FROM deliveries WHERE (${KEY}) IN (SELECT ${KEY} FROM deliveries WHERE state = '${state}' AND ${rows})
    GROUP BY ${KEY} HAVING argMax(state, revision) = '${state}' ${last}`;
}

/** What has to be sent to an endpoint, of the partitions given: what is due first comes first. */
export async function readPending(transport: RowTransport, query: PendingQuery): Promise<DeliveryRow[]> {
  if (query.partitions.length === 0) return [];
  const rows = `endpoint_id = {endpointId:String} AND at >= fromUnixTimestamp64Milli({from:Int64}, 'UTC') AND partition IN ${listed('partitions')}`;
  return read(
    transport,
    keysIn('pending', rows, 'ORDER BY argMax(next_attempt_at, revision), at, id LIMIT {rows:UInt32}'),
    { endpointId: query.endpointId, partitions: list(query.partitions), from: query.from, rows: query.limit },
    'ORDER BY next_attempt_at, d.at, d.id',
  );
}

/** How many messages are pending for each endpoint, of the partitions given and of alerts since an instant. */
export async function countPending(
  transport: RowTransport,
  partitions: readonly number[],
  from: number,
): Promise<ReadonlyMap<string, number>> {
  if (partitions.length === 0) return new Map();
  const keys = keysIn('pending', `at >= fromUnixTimestamp64Milli({from:Int64}, 'UTC') AND partition IN ${listed('partitions')}`);
  const answer = await transport.read(
    `SELECT endpoint_id AS endpointId, count() AS pending FROM (${keys}) GROUP BY endpoint_id FORMAT JSONEachRow`,
    { partitions: list(partitions), from },
  );
  const rows = jsonRows<{ endpointId: string; pending: number | string }>(answer);
  return new Map(rows.map(({ endpointId, pending }) => [endpointId, Number(pending)]));
}

/** Messages of one digest stand together: those of an endpoint, an owner and an hour. */
const byDigest = (owner: string, takenAt: string): string => `endpoint_id, ${owner}, toStartOfHour(${takenAt}, 'UTC')`;

/** What was held back for digests before an instant, digest by digest. */
export function readHeld(transport: RowTransport, takenBefore: number, limit: number): Promise<DeliveryRow[]> {
  return read(
    transport,
    keysIn(
      'held',
      "taken_at < fromUnixTimestamp64Milli({takenBefore:Int64}, 'UTC')",
      `ORDER BY ${byDigest('any(owner)', 'any(taken_at)')}, at, id LIMIT {rows:UInt32}`,
    ),
    { takenBefore, rows: limit },
    `ORDER BY ${byDigest('d.owner', 'taken_at')}, d.at, d.id`,
  );
}

/** So many keys within so long a time are asked for by that time: in a storm thousands come at once, of which by their ids a hundred fit into a question. */
const MANY_KEYS = 100;
const SHORT_TIME_MS = 10_000;

/** Those of the keys that are stored already, whatever has become of them. */
export async function readKnown(transport: RowTransport, keys: readonly DeliveryKey[]): Promise<DeliveryKey[]> {
  const sorted = keys.toSorted((one, other) => one.at - other.at);
  const sparse: DeliveryKey[] = [];
  const known: DeliveryKey[] = [];
  for (let from = 0; from < sorted.length;) {
    const last = sorted[from]!.at + SHORT_TIME_MS;
    let to = from;
    while (to < sorted.length && sorted[to]!.at <= last) to++;
    const some = sorted.slice(from, to);
    from = to;
    if (some.length <= MANY_KEYS) sparse.push(...some);
    else known.push(...(await readKnownOfTime(transport, some)));
  }
  return [...known, ...(await byHundreds(sparse, (some) => readKnownOf(transport, some)))];
}

/** What is stored of the time is about as much as is asked for: an endpoint hears of nearly all that is told. */
async function readKnownOfTime(transport: RowTransport, keys: readonly DeliveryKey[]): Promise<DeliveryKey[]> {
  const textOf = ({ at, endpointId, id }: DeliveryKey): string => `${endpointId}/${at}/${id}`;
  const asked = new Set(keys.map(textOf));
  return (await readKeys(transport, keys, '', {})).filter((key) => asked.has(textOf(key)));
}

function readKnownOf(transport: RowTransport, keys: readonly DeliveryKey[]): Promise<DeliveryKey[]> {
  return readKeys(transport, keys, `AND d.id IN ${listed('ids')}`, { ids: list(new Set(keys.map(({ id }) => id))) });
}

async function readKeys(transport: RowTransport, keys: readonly DeliveryKey[], condition: string, params: Params): Promise<DeliveryKey[]> {
  const times = keys.map(({ at }) => at);
  const answer = await transport.read(
    `SELECT endpoint_id AS endpointId, toUnixTimestamp64Milli(d.at) AS at, d.id AS id FROM deliveries AS d
     WHERE endpoint_id IN ${listed('endpointIds')} ${condition}
       AND d.at BETWEEN fromUnixTimestamp64Milli({from:Int64}, 'UTC') AND fromUnixTimestamp64Milli({to:Int64}, 'UTC')
     LIMIT 1 BY endpoint_id, d.at, d.id FORMAT JSONEachRow`,
    {
      endpointIds: list(new Set(keys.map(({ endpointId }) => endpointId))),
      from: times.reduce((least, at) => Math.min(least, at)),
      to: times.reduce((most, at) => Math.max(most, at)),
      ...params,
    },
  );
  return jsonRows<{ endpointId: string; at: number | string; id: string }>(answer).map((row) => ({ ...row, at: Number(row.at) }));
}

/** Budgets do not count what was older than this when it was taken. */
const TOLD_AGE_MAX_MS = 30 * 86_400_000;

/** How many alerts each owner was sent, or will be, of those taken at an instant or later: a message is taken later, if ever, when it is sent again. */
export async function countTold(transport: RowTransport, endpointIds: readonly string[], takenFrom: number): Promise<OwnerCount[]> {
  if (endpointIds.length === 0) return [];
  const answer = await transport.read(
    `SELECT endpoint_id AS endpointId, last_owner AS owner, count() AS told FROM (
       SELECT endpoint_id, any(d.owner) AS last_owner FROM deliveries AS d
       WHERE endpoint_id IN ${listed('endpointIds')} AND kind = 'alert'
         AND taken_at >= fromUnixTimestamp64Milli({takenFrom:Int64}, 'UTC') AND d.at >= fromUnixTimestamp64Milli({from:Int64}, 'UTC')
       GROUP BY endpoint_id, d.at, d.id HAVING argMax(state, d.revision) NOT IN ('held', 'digested'))
     GROUP BY endpoint_id, last_owner FORMAT JSONEachRow`,
    { endpointIds: list(endpointIds), takenFrom, from: takenFrom - TOLD_AGE_MAX_MS },
  );
  const rows = jsonRows<{ endpointId: string; owner: string; told: number | string }>(answer);
  return rows.map(({ endpointId, owner, told }) => ({ endpointId, owner: owner === '' ? null : owner, told: Number(told) }));
}

/** What the CRM said last of these accounts: of two facts the newer, as in the ledgers. */
export async function readAccountFacts(transport: RowTransport, accountIds: readonly string[]): Promise<ReadonlyMap<string, AccountFact>> {
  if (accountIds.length === 0) return new Map();
  const answer = await transport.read(
    `SELECT id, argMax(body, (updated_at, offset)) AS last FROM facts
     WHERE type = 'account' AND id IN (SELECT arrayJoin(JSONExtract({ids:String}, 'Array(String)'))) GROUP BY id FORMAT JSONEachRow`,
    { ids: JSON.stringify(accountIds) },
  );
  return new Map(jsonRows<{ id: string; last: string }>(answer).map(({ id, last }) => [id, JSON.parse(last) as AccountFact]));
}

export async function hasActionNoted(transport: RowTransport, alertId: string, note: string): Promise<boolean> {
  const answer = await transport.read(
    'SELECT 1 AS found FROM alert_actions WHERE alert_id = {alertId:String} AND note = {note:String} LIMIT 1 FORMAT JSONEachRow',
    { alertId, note },
  );
  return jsonRows(answer).length > 0;
}
