import { decodeAccountScore, isPoison, type AccountScore } from '@touchstone/codec';
import { EVENTS_TOPIC, SCORES_TOPIC } from '@touchstone/event-log';
import { differences, referenceOf, type LogEntry, type Reference } from '@touchstone/testkit';
import { pathOf, type ListedAccount } from '../../support/served-accounts.ts';
import { KEY } from '../../support/start-server.ts';
import type { Message } from './kafka-client.ts';
import { logEntries } from './log-entries.ts';
import { recoveriesMs } from './recoveries.ts';
import type { Stage } from './stage.ts';

const LINES_SHOWN = 12;
const PAGE = 500;
/** Answers about one account that are compared whole; the list compares all accounts in fewer figures. */
const DETAILS_MAX = 600;
const SERVED_WITHIN_MS = 60_000;
const AHEAD_MAX_MS = 3_600_000;

export interface ExactOptions {
  /** Ids that were confirmed to their sender. */
  readonly acked: Iterable<string>;
  /** Address of a query process; null leaves out what it serves. */
  readonly queryUrl: string | null;
  /** When something went wrong, epoch ms. */
  readonly faults?: readonly number[];
}

export interface Found {
  readonly wrong: readonly string[];
  readonly records: number;
  readonly accounts: number;
  /** Records that repeat an id of their partition. */
  readonly repeated: number;
  /** Scores that came on the topic after one of a higher version: readers have to pass over them. */
  readonly olderScores: number;
  /** For each fault how long a touch that came right after it waited for its score, at most. */
  readonly recoveriesMs: readonly number[];
}

/** Holds all that the system says against a recomputation from the log: nothing must be going on any more. */
export async function checkExact(stage: Stage, { acked, faults = [], queryUrl }: ExactOptions): Promise<Found> {
  const messages = await stage.kafka.read(EVENTS_TOPIC);
  const log = logEntries(messages);
  const reference = referenceOf(log);
  const counted = countedOffsets(log);
  const published = await stage.kafka.read(SCORES_TOPIC);
  const scores = latestScores(published);
  const wrong = [
    ...atMost(missing(log, acked)),
    ...atMost(wrongScores(scores.latest, reference)),
    ...atMost(await wrongStored(stage, counted.byPartition)),
    ...(queryUrl === null ? [] : atMost(await wrongServed(queryUrl, reference))),
  ];
  const { repeated } = counted;
  return {
    wrong,
    records: messages.length,
    accounts: reference.accountIds.length,
    repeated,
    olderScores: scores.older,
    recoveriesMs: recoveriesMs(faults, messages, published),
  };
}

function atMost(lines: readonly string[]): string[] {
  return lines.length <= LINES_SHOWN ? [...lines] : [...lines.slice(0, LINES_SHOWN), `and ${lines.length - LINES_SHOWN} more like these`];
}

function missing(log: readonly LogEntry[], acked: Iterable<string>): string[] {
  const onLog = new Set(log.flatMap(({ record }) => ('type' in record ? [] : [record.id])));
  return [...acked].filter((id) => !onLog.has(id)).map((id) => `touch ${id} was confirmed, but is not on the log`);
}

/** Of the touches with one id the first counts; runs are shorter than any horizon after which it would count again. */
function countedOffsets(log: readonly LogEntry[]): { byPartition: Map<number, number[]>; repeated: number } {
  const seen = new Set<string>();
  const byPartition = new Map<number, number[]>();
  let repeated = 0;
  for (const { partition = 0, offset, appendedAt, record } of log) {
    if ('type' in record || record.occurredAt - appendedAt > AHEAD_MAX_MS) continue;
    const key = `${partition} ${record.id}`;
    if (seen.has(key)) {
      repeated++;
      continue;
    }
    seen.add(key);
    const offsets = byPartition.get(partition);
    if (offsets === undefined) byPartition.set(partition, [offset]);
    else offsets.push(offset);
  }
  return { byPartition, repeated };
}

function latestScores(messages: readonly Message[]): { latest: Map<string, AccountScore>; older: number } {
  const latest = new Map<string, AccountScore>();
  let older = 0;
  for (const { value } of messages) {
    if (value === null) continue;
    const score = decodeAccountScore(value, 0, value.length);
    if (isPoison(score)) throw new Error(`a score on ${SCORES_TOPIC} can not be read: ${score.detail}`);
    const known = latest.get(score.accountId);
    if (known !== undefined && score.version < known.version) older++;
    if (known === undefined || score.version > known.version || (score.version === known.version && score.asOf >= known.asOf)) {
      latest.set(score.accountId, score);
    }
  }
  return { latest, older };
}

function wrongScores(latest: ReadonlyMap<string, AccountScore>, reference: Reference): string[] {
  const wrong: string[] = [];
  for (const accountId of reference.accountIds) {
    const published = latest.get(accountId);
    if (published === undefined) {
      wrong.push(`${accountId} was never published`);
      continue;
    }
    const { asOf, contacts, lastTouchAt, ...told } = published;
    const view = reference.view(accountId, asOf)!;
    const said = { ...told, lastTouchAt: lastTouchAt === null ? null : new Date(lastTouchAt).toISOString() };
    const { windows, reach } = view;
    const found = differences(view, { ...said, windows, reach });
    if (contacts !== reach.contacts) found.push(`${accountId}: contacts: expected ${reach.contacts}, published ${contacts}`);
    wrong.push(...found.map((line) => `on ${SCORES_TOPIC}, ${line}`));
  }
  for (const accountId of latest.keys()) {
    if (reference.view(accountId, Date.now()) === null) wrong.push(`${accountId} was published, but the log does not name it`);
  }
  return wrong;
}

async function wrongStored(stage: Stage, counted: ReadonlyMap<number, readonly number[]>): Promise<string[]> {
  const wrong: string[] = [];
  for (let partition = 0; partition < stage.partitions; partition++) {
    const expected = counted.get(partition) ?? [];
    const stored = await stage.stored.touchOffsets(partition);
    if (stored.length === expected.length && stored.every((offset, at) => offset === expected[at])) continue;
    const [should, does] = [new Set(expected), new Set(stored)];
    const [absent, extra] = [should.difference(does), does.difference(should)];
    wrong.push(
      `partition ${partition}: ${expected.length} touches count, ${stored.length} are stored; ` +
        `not stored: ${[...absent].slice(0, 5).join(', ')} (${absent.size}); stored and not counted: ${[...extra].slice(0, 5).join(', ')} (${extra.size})`,
    );
  }
  return wrong;
}

async function wrongServed(url: string, reference: Reference): Promise<string[]> {
  // A copy that follows the log may be a moment behind.
  const deadline = Date.now() + SERVED_WITHIN_MS;
  let list = await readList(url);
  const versions = new Map(reference.accountIds.map((accountId) => [accountId, reference.view(accountId, 0)!.version]));
  const isBehind = (): boolean =>
    list.length < versions.size || list.some(({ accountId, version }) => version < (versions.get(accountId) ?? 0));
  while (isBehind() && Date.now() < deadline) list = await readList(url);

  const listed = new Set(list.map(({ accountId }) => accountId));
  const wrong = reference.accountIds.filter((accountId) => !listed.has(accountId)).map((accountId) => `${accountId} is not listed`);
  for (const row of list) {
    const view = reference.view(row.accountId, Date.parse(row.asOf));
    if (view === null) {
      wrong.push(`${row.accountId} is listed, but the log does not name it`);
      continue;
    }
    const { windows, reach } = view;
    wrong.push(...differences(view, { ...row, windows, reach }).map((line) => `in the list, ${line}`));
  }
  const step = Math.max(1, Math.ceil(list.length / DETAILS_MAX));
  const at = Date.now() + 1000;
  for (const { accountId } of list.filter((_, index) => index % step === 0)) {
    const served = await ask(`${url}${pathOf(accountId)}?at=${at}`);
    wrong.push(...differences(reference.view(accountId, at), served).map((line) => `served, ${line}`));
  }
  return wrong;
}

async function readList(url: string): Promise<ListedAccount[]> {
  const list: ListedAccount[] = [];
  let cursor: string | null = null;
  do {
    const place: string = cursor === null ? '' : `&cursor=${encodeURIComponent(cursor)}`;
    const page = (await ask(`${url}/v1/accounts?limit=${PAGE}${place}`)) as { data: ListedAccount[]; nextCursor: string | null };
    list.push(...page.data);
    cursor = page.nextCursor;
  } while (cursor !== null);
  return list;
}

async function ask(address: string): Promise<unknown> {
  const response = await fetch(address, { headers: { authorization: `Bearer ${KEY}` } });
  if (response.status !== 200) throw new Error(`GET ${address}: ${response.status} ${await response.text()}`);
  return response.json();
}
