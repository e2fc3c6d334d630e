import type { Alert } from '@touchstone/engine';
import { byHundreds } from './by-hundreds.ts';
import { jsonRows } from './json-rows.ts';
import type { Params, RowTransport } from './row-transport.ts';
import { FAMILY } from './rule-family.ts';
import type { AlertCounts, AlertQuery, StoredAlert } from './store.ts';

interface AlertRow {
  readonly id: string;
  readonly offset: number | string;
  readonly body: string;
}

interface DoneRow {
  readonly id: string;
  readonly ackedAt: number | string;
  readonly ackedBy: string;
  readonly ackNote: string;
  readonly snoozedUntil: number | string;
  readonly said: string;
}

/** What was done about each alert. The first ack and the latest of the others stand. */
const DONE = `SELECT alert_id AS id,
    toUnixTimestamp64Milli(minIf(at, action = 'ack')) AS ackedAt,
    argMinIf(by, at, action = 'ack') AS ackedBy,
    argMinIf(note, at, action = 'ack') AS ackNote,
    toUnixTimestamp64Milli(argMaxIf(until, at, action = 'snooze')) AS snoozedUntil,
    argMaxIf(toString(action), at, action IN ('useful', 'not_useful')) AS said
  FROM alert_actions`;

const IS_ACKED = `(SELECT alert_id FROM alert_actions WHERE action = 'ack')`;
const IS_SNOOZED = `(SELECT alert_id FROM alert_actions WHERE action = 'snooze' GROUP BY alert_id
  HAVING argMax(until, at) > fromUnixTimestamp64Milli({now:Int64}, 'UTC'))`;

/** The condition of each field of a query that takes its value as it is. */
const CONDITIONS = {
  id: 'alert_id = {id:String}',
  accountId: 'account_id = {accountId:String}',
  type: 'type = {type:String}',
  ruleId: 'rule_id = {ruleId:String}',
  direction: 'direction = {direction:String}',
  cause: `JSONExtractString(body, 'cause') = {cause:String}`,
  owner: 'owner = {owner:String}',
  since: `at >= fromUnixTimestamp64Milli({since:Int64}, 'UTC')`,
  until: `at < fromUnixTimestamp64Milli({until:Int64}, 'UTC')`,
} as const satisfies Partial<Record<keyof AlertQuery, string>>;

/**
 * A page of alerts, with what was done about each. Which they are is found in the narrow columns first: bodies are read of just those.
 */
export async function findAlerts(transport: RowTransport, query: AlertQuery): Promise<StoredAlert[]> {
  const { acked, before, limit, now, snoozed } = query;
  const conditions = ['NOT is_held'];
  const params: Record<string, Params[string]> = { rows: limit };
  for (const [field, condition] of Object.entries(CONDITIONS) as [keyof typeof CONDITIONS, string][]) {
    const value = query[field];
    if (value === undefined) continue;
    conditions.push(condition);
    params[field] = value;
  }
  if (acked !== undefined) conditions.push(`alert_id ${acked ? 'IN' : 'NOT IN'} ${IS_ACKED}`);
  if (snoozed !== undefined) {
    conditions.push(`alert_id ${snoozed ? 'IN' : 'NOT IN'} ${IS_SNOOZED}`);
    params['now'] = now;
  }
  if (before !== undefined) {
    conditions.push(`(at, alert_id) < (fromUnixTimestamp64Milli({beforeTime:Int64}, 'UTC'), {beforeId:String})`);
    Object.assign(params, { beforeTime: before.at, beforeId: before.id });
  }
  const answer = await transport.read(
    `SELECT alert_id AS id, offset, body FROM alert_transitions
     WHERE NOT is_held AND (partition, account_id, rule_id, step) IN
       (SELECT partition, account_id, rule_id, step FROM alert_transitions WHERE ${conditions.join(' AND ')}
        ORDER BY at DESC, alert_id DESC LIMIT 1 BY alert_id LIMIT {rows:UInt32})
     ORDER BY at DESC, alert_id DESC LIMIT 1 BY alert_id LIMIT {rows:UInt32} FORMAT JSONEachRow`,
    params,
  );
  const rows = jsonRows<AlertRow>(answer);
  const done = await readDone(
    transport,
    rows.map(({ id }) => id),
  );
  return rows.map(({ body, id, offset }) => {
    return { alert: JSON.parse(body) as Alert, offset: Number(offset), ...(done.get(id) ?? NOTHING_DONE) };
  });
}

type Done = Omit<StoredAlert, 'alert' | 'offset'>;

const NOTHING_DONE: Done = { acked: null, snoozedUntil: null, useful: null };

/** What was done about these alerts, by id; those of which nothing is known are left out. */
async function readDone(transport: RowTransport, ids: readonly string[]): Promise<ReadonlyMap<string, Done>> {
  return new Map(await byHundreds(ids, (some) => readDoneOf(transport, some)));
}

async function readDoneOf(transport: RowTransport, ids: readonly string[]): Promise<ReadonlyMap<string, Done>> {
  const asked = `SELECT arrayJoin(JSONExtract({ids:String}, 'Array(String)'))`;
  const answer = await transport.read(`${DONE} WHERE alert_id IN (${asked}) GROUP BY alert_id FORMAT JSONEachRow`, {
    ids: JSON.stringify(ids),
  });
  return new Map(
    jsonRows<DoneRow>(answer).map(({ ackNote, ackedAt, ackedBy, id, said, snoozedUntil }) => {
      const at = Number(ackedAt);
      const acked = at === 0 ? null : { by: ackedBy, at, note: ackNote };
      return [id, { acked, snoozedUntil: Number(snoozedUntil) || null, useful: said === '' ? null : said === 'useful' }];
    }),
  );
}

/** By rule. A step that is there twice counts once; an entry held back has the id of the alert that would have told it, so that is left out. */
export async function countAlerts(transport: RowTransport, since: number, until: number): Promise<AlertCounts[]> {
  const answer = await transport.read(
    `SELECT rule_id AS ruleId, family, countIf(NOT is_held) AS told, countIf(is_held AND direction = 'up') AS heldBack,
       countIf(NOT is_held AND ackedAt > 0) AS acked, countIf(NOT is_held AND said = 'useful') AS useful,
       countIf(NOT is_held AND said = 'not_useful') AS notUseful
     FROM
       (SELECT rule_id, ${FAMILY} AS family, alert_id, is_held, direction FROM alert_transitions
        WHERE ${CONDITIONS.since} AND ${CONDITIONS.until} LIMIT 1 BY partition, account_id, rule_id, step) AS steps
     LEFT JOIN (${DONE} GROUP BY alert_id) AS done ON steps.alert_id = done.id
     GROUP BY rule_id, family ORDER BY rule_id, family SETTINGS join_use_nulls = 0 FORMAT JSONEachRow`,
    { since, until },
    { mayLag: true },
  );
  const rows =
    jsonRows<{ readonly [Field in keyof AlertCounts]: Field extends 'ruleId' | 'family' ? AlertCounts[Field] : number | string }>(answer);
  return rows.map(({ ruleId, family, told, heldBack, acked, useful, notUseful }) => ({
    ruleId,
    family,
    told: Number(told),
    heldBack: Number(heldBack),
    acked: Number(acked),
    useful: Number(useful),
    notUseful: Number(notUseful),
  }));
}
