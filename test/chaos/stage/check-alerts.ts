import { decodeAlert, isPoison } from '@touchstone/codec';
import type { Alert } from '@touchstone/engine';
import { ALERTS_TOPIC, EVENTS_TOPIC } from '@touchstone/event-log';
import { alertsOf, type AlertModelDocument, type LogEntry } from '@touchstone/testkit';
import { KEY } from '../../support/start-server.ts';
import { logEntries } from './log-entries.ts';
import type { Stage } from './stage.ts';
import type { WebhookReceiver } from './webhook-receiver.ts';

const LINES_SHOWN = 12;
const PAGE = 500;

/** What of an alert is compared everywhere: the rest is compared where the engine is. */
export type Expected = Pick<Alert, 'accountId' | 'at' | 'cause' | 'direction' | 'id' | 'ruleId' | 'type'>;

/** When an alert came out first, epoch ms. */
export interface Told {
  readonly alert: Expected;
  readonly publishedAt: number;
}

export interface AlertsFound {
  readonly wrong: readonly string[];
  /** By id. */
  readonly told: ReadonlyMap<string, Told>;
  readonly records: number;
  readonly ticks: number;
  /** Alerts on the topic that stand there more than once. */
  readonly repeated: number;
}

/** The alerts of the log by definition, told ones only, by id. All partitions are under the model from their first record on. */
function expectedAlerts(log: readonly LogEntry[], model: AlertModelDocument): Map<string, Expected> {
  const expected = new Map<string, Expected>();
  const byPartition = Map.groupBy(log, ({ partition = 0 }) => partition);
  for (const entries of byPartition.values()) {
    for (const { alert, isHeld } of alertsOf(entries, [{ from: 0, model }])) if (!isHeld) expected.set(alert.id, alert);
  }
  return expected;
}

/** Holds the alerts on the topic, in the API's list and at the receivers against a recomputation from the log. Nothing must be due any more. */
export async function checkAlerts(
  stage: Stage,
  model: AlertModelDocument,
  queryUrl: string,
  receivers: readonly WebhookReceiver[],
): Promise<AlertsFound> {
  const log = logEntries(await stage.kafka.read(EVENTS_TOPIC));
  const expected = expectedAlerts(log, model);
  const { repeated, told, wrong } = await toldAlerts(stage, expected);
  const listed = new Map((await readAlerts(queryUrl)).map((alert) => [alert.id, { ...alert, at: Date.parse(alert.at) }]));
  wrong.push(...atMost(differences('listed', expected, listed, ['at', 'cause', 'direction', 'ruleId', 'type', 'accountId'])));
  for (const { name, received, wrong: seen } of receivers) {
    wrong.push(...atMost(seen), ...atMost(differences(`received by ${name}`, expected, received, ['at', 'type', 'accountId'])));
  }
  return { wrong, told, records: log.length, ticks: log.filter(isTick).length, repeated };
}

const isTick = ({ record }: LogEntry): boolean => 'type' in record && record.type === 'tick';

async function toldAlerts(
  stage: Stage,
  expected: ReadonlyMap<string, Expected>,
): Promise<Pick<AlertsFound, 'repeated' | 'told'> & { wrong: string[] }> {
  const told = new Map<string, Told>();
  let repeated = 0;
  for (const { appendedAt, value } of await stage.kafka.read(ALERTS_TOPIC)) {
    const alert = decodeAlert(value!, 0, value!.length);
    if (isPoison(alert)) throw new Error(`an alert on ${ALERTS_TOPIC} can not be read: ${alert.detail}`);
    const before = told.get(alert.id);
    if (before !== undefined) repeated++;
    told.set(alert.id, { alert, publishedAt: Math.min(before?.publishedAt ?? Infinity, appendedAt) });
  }
  const alerts = new Map([...told].map(([id, { alert }]) => [id, alert]));
  const wrong = atMost(differences('told', expected, alerts, ['at', 'cause', 'direction', 'ruleId', 'type', 'accountId']));
  return { repeated, told, wrong };
}

/** Those of another id, and those of one id that say something else. */
function differences<Field extends keyof Expected>(
  how: string,
  expected: ReadonlyMap<string, Expected>,
  found: ReadonlyMap<string, Pick<Expected, Field>>,
  fields: readonly Field[],
): string[] {
  const wrong: string[] = [];
  for (const [id, alert] of expected) {
    const other = found.get(id);
    if (other === undefined) wrong.push(`never ${how}: ${JSON.stringify(shown(alert))}`);
    else if (fields.some((field) => alert[field] !== other[field]))
      wrong.push(
        `${how} is ${JSON.stringify(Object.fromEntries(fields.map((field) => [field, other[field]])))}, not ${JSON.stringify(shown(alert))}`,
      );
  }
  for (const [id, other] of found)
    if (!expected.has(id)) wrong.push(`${how}, though the log does not give it: ${id} ${JSON.stringify(other)}`);
  return wrong;
}

function shown({ accountId, at, cause, direction, id, ruleId, type }: Expected): Expected {
  return { accountId, at, cause, direction, id, ruleId, type };
}

function atMost(lines: readonly string[]): string[] {
  return lines.length <= LINES_SHOWN ? [...lines] : [...lines.slice(0, LINES_SHOWN), `and ${lines.length - LINES_SHOWN} more like these`];
}

type ListedAlert = Omit<Expected, 'at'> & { readonly at: string };

async function readAlerts(url: string): Promise<ListedAlert[]> {
  const alerts: ListedAlert[] = [];
  let cursor: string | null = null;
  do {
    const place: string = cursor === null ? '' : `&cursor=${encodeURIComponent(cursor)}`;
    const response = await fetch(`${url}/v1/alerts?limit=${PAGE}${place}`, { headers: { authorization: `Bearer ${KEY}` } });
    if (response.status !== 200) throw new Error(`GET /v1/alerts: ${response.status} ${await response.text()}`);
    const page = (await response.json()) as { data: ListedAlert[]; nextCursor: string | null };
    alerts.push(...page.data);
    cursor = page.nextCursor;
  } while (cursor !== null);
  return alerts;
}
