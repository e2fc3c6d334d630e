import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encodeAccountScore, encodeAlert, type AccountScore } from '@touchstone/codec';
import { defaultModel, LedgerSet, PartitionLedgers, type Alert } from '@touchstone/engine';
import { ALERTS_TOPIC, EVENTS_TOPIC, openEmbeddedLog, SCORES_TOPIC, type EmbeddedLog, type SubscribeOptions } from '@touchstone/event-log';
import { createMetrics, systemScheduler, type Metrics } from '@touchstone/runtime';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LiveFeed, type LiveFeedOptions } from './live-feed.ts';
import { EVENT_NAMES, type EventName, type StreamEvent } from './stream-event.ts';
import { alertOf } from './test-alerts.ts';

const PARTITIONS = 2;
/** Beyond every version of these tests: as if the ledgers were always ahead. */
const FAR = 1e9;

let directory: string;
let log: EmbeddedLog;
let metrics: Metrics;
const feeds: LiveFeed[] = [];
beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'touchstone-feed-'));
  log = await openEmbeddedLog({
    directory,
    topics: { [SCORES_TOPIC]: { partitions: PARTITIONS }, [ALERTS_TOPIC]: { partitions: PARTITIONS } },
    sweepIntervalMs: 0,
  });
  metrics = createMetrics({ ofProcess: false });
});
afterEach(async () => {
  for (const feed of feeds.splice(0)) await feed.stop();
  await log.close();
  rmSync(directory, { recursive: true });
});

/** Ledgers that have applied everything below this in each partition. */
function appliedUpTo(position: number): LedgerSet {
  const ledgers = new LedgerSet();
  ledgers.replace(Array.from({ length: PARTITIONS }, (_, partition) => new PartitionLedgers(partition, defaultModel)));
  for (const one of ledgers.partitions) one.position = position;
  return ledgers;
}

/** The events go up to `end`; nothing else of them matters here. */
async function startFeed(ledgers = appliedUpTo(FAR), end = FAR, onAlert?: LiveFeedOptions['onAlert']): Promise<LiveFeed> {
  const feed = new LiveFeed({ ledgers, metrics, scheduler: systemScheduler, ...(onAlert && { onAlert }) });
  feeds.push(feed);
  const events = Array.from({ length: PARTITIONS }, (_, partition) => ({ partition, start: 0, end, generation: 'g' }));
  const both = {
    extents: (topic: string) => (topic === EVENTS_TOPIC ? Promise.resolve(events) : log.extents(topic)),
    subscribe: (options: SubscribeOptions) => log.subscribe(options),
  };
  await feed.start(both, (cause) => {
    throw cause;
  });
  return feed;
}

/** Appends scores of accounts named by partition and offset, so many to each partition, the first of each at `from`. */
async function publish(partition: number, from: number, count: number): Promise<void> {
  const records = Array.from({ length: count }, (_, i) => {
    const score = { version: from + i, modelVersion: 'm', asOf: 1, points: 1, score: 1, engaged: true, contacts: 1, lastTouchAt: 1 };
    return { key: null, value: encodeAccountScore({ accountId: `${partition}-${from + i}`, ...score }), partition };
  });
  await log.append(SCORES_TOPIC, records);
}

/** Appends one score to a partition. */
async function tell(partition: number, score: Pick<AccountScore, 'accountId' | 'version'> & Partial<AccountScore>): Promise<void> {
  const rest = { modelVersion: 'm', asOf: 1, points: 1, score: 1, engaged: true, contacts: 1, lastTouchAt: 1 };
  await log.append(SCORES_TOPIC, [{ key: null, value: encodeAccountScore({ ...rest, ...score }), partition }]);
}

const idsOf = (events: readonly StreamEvent[]): readonly string[] => events.map(({ published }) => published.accountId);
/** An id is of scores and of alerts: the generation of the topic and positions in it. */
const SCORES = 1;
const ALERTS = 3;
function positionsOf(id: string, part = SCORES): readonly number[] {
  const parts = id.split(':');
  return parts[part]!.split('.').map((offset) => Number.parseInt(offset, 36));
}
const withPositions = (id: string, positions: readonly number[], part = SCORES): string =>
  id
    .split(':')
    .with(part, positions.map((offset) => offset.toString(36)).join('.'))
    .join(':');
const ALL: ReadonlySet<EventName> = new Set(EVENT_NAMES);

describe('the feed of scores', () => {
  it('has read all that was published before it says that it has started', async () => {
    for (let block = 0; block < 20; block++) await publish(block % PARTITIONS, Math.floor(block / PARTITIONS) * 100, 100);
    const feed = await startFeed();
    expect(positionsOf(feed.currentId)).toEqual([1000, 1000]);
  });

  it('gives each missed score once, with an id to go on from, whatever the order in which it has read the partitions', async () => {
    await publish(0, 0, 30);
    await publish(1, 0, 30);
    const feed = await startFeed();
    const start = withPositions(feed.currentId, [20, 5]);
    const { missed, isComplete } = feed.resume(start, ALL)!;
    expect(isComplete).toBe(true);
    expect(missed).toHaveLength(35);
    for (const [index, { id }] of missed.entries()) {
      expect(idsOf(feed.resume(id, ALL)!.missed).toSorted()).toEqual(idsOf(missed.slice(index + 1)).toSorted());
    }
    expect(missed.at(-1)!.id).toBe(feed.currentId);
  });

  it('hands over what comes, each with the id after it', async () => {
    const feed = await startFeed();
    const seen: StreamEvent[] = [];
    const unfollow = feed.follow((event) => seen.push(event));
    await publish(1, 0, 3);
    await publish(0, 0, 1);
    await expect.poll(() => seen.length).toBe(4);
    expect(idsOf(seen)).toEqual(['1-0', '1-1', '1-2', '0-0']);
    expect(seen.map(({ id }) => positionsOf(id))).toEqual([
      [0, 1],
      [0, 2],
      [0, 3],
      [1, 3],
    ]);
    unfollow();
    await publish(0, 1, 1);
    await expect.poll(() => positionsOf(feed.currentId)).toEqual([2, 3]);
    expect(seen).toHaveLength(4);
  });

  it('keeps the latest twenty thousand, and says when some that were missed are gone', async () => {
    const feed = await startFeed();
    const { currentId } = feed;
    await publish(0, 0, 10);
    for (let from = 0; from < 20_000; from += 5000) await publish(1, from, 5000);
    await expect.poll(() => positionsOf(feed.currentId)).toEqual([10, 20_000]);
    const fromTheStart = feed.resume(currentId, ALL)!;
    expect(fromTheStart.isComplete).toBe(false);
    expect(fromTheStart.missed).toHaveLength(20_000);
    expect(feed.resume(withPositions(currentId, [9, 0]), ALL)!.isComplete).toBe(false);
    expect(feed.resume(withPositions(currentId, [10, 0]), ALL)!.isComplete).toBe(true);
  });

  it('begins so much before the end when it starts, shared by the partitions', async () => {
    for (let from = 0; from < 15_000; from += 5000) await publish(0, from, 5000);
    await publish(1, 0, 10);
    const feed = await startFeed();
    expect(feed.resume(withPositions(feed.currentId, [4999, 0]), ALL)!.isComplete).toBe(false);
    const { missed, isComplete } = feed.resume(withPositions(feed.currentId, [5000, 0]), ALL)!;
    expect(isComplete).toBe(true);
    expect(missed).toHaveLength(10_010);
  });

  it('waits a little for what a reader has seen already, as one that another process told it', async () => {
    const feed = await startFeed();
    const ahead = withPositions(feed.currentId, [0, 2]);
    const reached = feed.reaches(ahead, ALL);
    await publish(1, 0, 5);
    await reached;
    expect(idsOf(feed.resume(ahead, ALL)!.missed)).toEqual(['1-2', '1-3', '1-4']);
    const never = withPositions(feed.currentId, [1, 5]);
    await feed.reaches(never, ALL);
    expect(feed.resume(never, ALL)).toBeNull();
    await feed.reaches('no id', ALL);
  });

  const strange: readonly (readonly [string, (id: string) => string])[] = [
    ['nothing', () => ''],
    ['no id', () => 'abc'],
    ['another topic', (id) => `x${id}`],
    ['fewer partitions', (id) => id.slice(0, id.lastIndexOf('.'))],
    ['more partitions', (id) => `${id}.0`],
    ['more partitions of scores', (id) => withPositions(id, [0, 0, 0])],
    ['scores alone, as before there were alerts', (id) => id.split(':').slice(0, 2).join(':')],
    ['alerts alone', (id) => id.split(':').slice(2).join(':')],
    ['what is still to come', (id) => withPositions(id, [0, 1])],
    ['alerts that are still to come', (id) => withPositions(id, [0, 1], ALERTS)],
    ['numbers beyond all offsets', (id) => id.replace(/\w+$/, 'zzzzzzzzzzz')],
    ['negative numbers', (id) => id.replace(/\w+$/, '-1')],
    ['capitals', (id) => id.replace(/\w+$/, 'A')],
  ];
  it.each(strange)('knows no place for %s', async (_case, idOf) => {
    const feed = await startFeed();
    expect(feed.resume(feed.currentId, ALL)).toEqual({ missed: [], isComplete: true });
    expect(feed.resume(idOf(feed.currentId), ALL)).toBeNull();
  });
});

const FORMER = { accountId: 'acme', version: 5, asOf: 100, modelVersion: 'm' };

describe('scores of a former owner', () => {
  it.each([
    ['an older version', { version: 4, asOf: 200 }, false],
    ['an older version under another model', { version: 4, asOf: 200, modelVersion: 'n' }, false],
    ['the same version, computed before', { asOf: 99 }, false],
    ['the same once more', {}, false],
    ['the same version, computed later', { asOf: 101 }, true],
    ['the same version under another model, computed before', { asOf: 99, modelVersion: 'n' }, true],
    ['a newer version, computed before', { version: 6, asOf: 50 }, true],
    ['an older version of another account', { accountId: 'other', version: 1 }, true],
  ])('%s', async (_description, late, isTold) => {
    const feed = await startFeed();
    const seen: StreamEvent[] = [];
    feed.follow((event) => seen.push(event));
    await tell(0, FORMER);
    await tell(0, { ...FORMER, ...late });
    await tell(0, { accountId: 'last', version: 9 });
    await expect.poll(() => positionsOf(feed.currentId)).toEqual([3, 0]);
    expect(seen).toHaveLength(isTold ? 3 : 2);
    // Who comes back is told neither, and is not held up at it.
    const { isComplete, missed } = feed.resume(withPositions(feed.currentId, [0, 0]), ALL)!;
    expect({ isComplete, missed: missed.length }).toEqual({ isComplete: true, missed: seen.length });
    expect(await metrics.text()).toContain(`touchstone_stream_scores_dropped_total ${isTold ? 0 : 1}`);
  });

  it('are known for what they are also after a restart, by what was told last before it', async () => {
    await tell(1, FORMER);
    const feed = await startFeed();
    await tell(1, { ...FORMER, version: 4 });
    await expect.poll(() => positionsOf(feed.currentId)).toEqual([0, 2]);
    expect(feed.resume(withPositions(feed.currentId, [0, 0]), ALL)!.missed).toHaveLength(1);
  });

  it('are told from news by the ledger where the account was told too long ago to be remembered', async () => {
    const ledgers = appliedUpTo(FAR);
    const { accounts } = ledgers.of(0)!;
    accounts.change(accounts.intern(Buffer.from('acme'), 0, 4), 7, 1);
    const feed = await startFeed(ledgers);
    await tell(0, { ...FORMER, version: 6 });
    await expect.poll(() => positionsOf(feed.currentId)).toEqual([1, 0]);
    // The owner may stay behind the ledgers here for as long as touches come: what it publishes next is news all the same.
    accounts.change(0, 30, 1);
    await tell(0, { ...FORMER, version: 7 });
    await tell(0, { ...FORMER, version: 9 });
    await tell(0, { ...FORMER, version: 8 });
    await expect.poll(() => positionsOf(feed.currentId)).toEqual([4, 0]);
    const { missed } = feed.resume(withPositions(feed.currentId, [0, 0]), ALL)!;
    expect(missed.map(({ published }) => (JSON.parse(published.json) as AccountScore).version)).toEqual([7, 9]);
  });
});

describe('a score whose version is not applied here yet', () => {
  it('waits, with its partition, and comes as soon as it is', async () => {
    const ledgers = appliedUpTo(10);
    const feed = await startFeed(ledgers);
    const seen: StreamEvent[] = [];
    feed.follow((event) => seen.push(event));
    for (const [partition, version] of [
      [0, 9],
      [0, 10],
      [0, 3],
      [1, 4],
    ] as const) {
      await tell(partition, { accountId: `${partition}-${version}`, version });
    }
    await expect.poll(() => positionsOf(feed.currentId)).toEqual([1, 1]);
    await expect.poll(() => metrics.text()).toContain('touchstone_stream_partitions_held 1');
    expect(idsOf(seen).toSorted()).toEqual(['0-9', '1-4']);
    ledgers.of(0)!.position = 11;
    await expect.poll(() => positionsOf(feed.currentId)).toEqual([3, 1]);
    expect(idsOf(seen).slice(2)).toEqual(['0-10', '0-3']);
    expect(await metrics.text()).toContain('touchstone_stream_partitions_held 0');
  });

  it('is read all the same if it was published before the start, when nobody is answered yet', async () => {
    await tell(0, { accountId: 'acme', version: 5 });
    const feed = await startFeed(new LedgerSet());
    expect(positionsOf(feed.currentId)).toEqual([1, 0]);
  });

  it('is passed over when the log has never had that version: it is of a log before this one', async () => {
    await tell(0, { accountId: 'acme', version: 1000 });
    await tell(0, { accountId: 'bolt', version: 4 });
    const ledgers = appliedUpTo(5);
    const feed = await startFeed(ledgers, 5);
    ledgers.of(0)!.position = 6;
    const seen: StreamEvent[] = [];
    feed.follow((event) => void seen.push(event));
    await tell(0, { accountId: 'acme', version: 5 });
    await expect.poll(() => idsOf(seen)).toEqual(['acme']);
    expect(seen[0]!.published.json).toContain('"version":5');
  });

  it('does not hold up the end', async () => {
    const feed = await startFeed(appliedUpTo(0));
    await tell(0, { accountId: 'acme', version: 5 });
    await expect.poll(() => metrics.text()).toContain('touchstone_stream_partitions_held 1');
    await feed.stop();
    expect(positionsOf(feed.currentId)).toEqual([0, 0]);
  });
});

/** Appends alerts, one after another, to a partition. */
async function raise(partition: number, ...alerts: readonly (Partial<Alert> & Pick<Alert, 'id'>)[]): Promise<void> {
  await log.append(
    ALERTS_TOPIC,
    alerts.map((alert) => ({ key: null, value: encodeAlert(alertOf({ accountId: `of-${alert.id}`, partition, ...alert })), partition })),
  );
}

const alertsOf = (events: readonly StreamEvent[]): readonly unknown[] =>
  events.map(({ published }) => (JSON.parse(published.json) as { id?: string }).id ?? published.accountId);

describe('alerts beside scores', () => {
  it('come under their own names, with ids that count both topics', async () => {
    const feed = await startFeed();
    const seen: StreamEvent[] = [];
    feed.follow((event) => seen.push(event));
    await publish(0, 0, 1);
    await expect.poll(() => seen.length).toBe(1);
    await raise(1, { id: 'a1' }, { id: 'a2', type: 'account.stage.changed', owner: null });
    await expect.poll(() => seen.length).toBe(3);
    await publish(1, 0, 1);
    await expect.poll(() => seen.length).toBe(4);
    expect(seen.map(({ published }) => [published.event, published.accountId, published.owner])).toEqual([
      ['score', '0-0', null],
      ['alert', 'of-a1', 'eve'],
      ['stage', 'of-a2', null],
      ['score', '1-0', null],
    ]);
    expect(seen.map(({ id }) => [positionsOf(id), positionsOf(id, ALERTS)])).toEqual([
      [
        [1, 0],
        [0, 0],
      ],
      [
        [1, 0],
        [0, 1],
      ],
      [
        [1, 0],
        [0, 2],
      ],
      [
        [1, 1],
        [0, 2],
      ],
    ]);
    expect(seen.at(-1)!.id).toBe(feed.currentId);
  });

  it('are told once, however often they stand on the topic, also when that was before the start', async () => {
    await raise(0, { id: 'a1' }, { id: 'a2' });
    const feed = await startFeed();
    const seen: StreamEvent[] = [];
    feed.follow((event) => seen.push(event));
    await raise(0, { id: 'a2' }, { id: 'a3' }, { id: 'a1' }, { id: 'a3' }, { id: 'a4' });
    await expect.poll(() => positionsOf(feed.currentId, ALERTS)).toEqual([7, 0]);
    expect(alertsOf(seen)).toEqual(['a3', 'a4']);
    expect(await metrics.text()).toContain('touchstone_stream_alerts_repeated_total 3');
    const { isComplete, missed } = feed.resume(withPositions(feed.currentId, [1, 0], ALERTS), ALL)!;
    expect([isComplete, alertsOf(missed)]).toEqual([true, ['a2', 'a3', 'a4']]);
  });

  it('are missed and resumed together with scores, from any event on, in the order in which they were told', async () => {
    const feed = await startFeed();
    const start = feed.currentId;
    const seen: StreamEvent[] = [];
    feed.follow((event) => seen.push(event));
    for (let round = 0; round < 6; round++) {
      await publish(round % 2, round, 2);
      await expect.poll(() => seen.length).toBe(round * 4 + 2);
      await raise((round >> 1) % 2, { id: `${round}x` }, { id: `${round}y`, type: 'account.stage.changed' });
      await expect.poll(() => seen.length).toBe(round * 4 + 4);
    }
    for (const [index, id] of [start, ...seen.map((event) => event.id)].entries()) {
      const { isComplete, missed } = feed.resume(id, ALL)!;
      expect(isComplete).toBe(true);
      expect(missed.map((event) => [event.id, event.published])).toEqual(seen.slice(index).map((event) => [event.id, event.published]));
    }
  });

  it('do not make a gap for who wants only the other', async () => {
    const feed = await startFeed();
    const start = feed.currentId;
    await raise(0, { id: 'a1' });
    for (let from = 0; from < 20_001; from += 6667) await publish(1, from, 6667);
    await expect.poll(() => positionsOf(feed.currentId)).toEqual([0, 20_001]);
    expect(feed.resume(start, ALL)!.isComplete).toBe(false);
    const { isComplete, missed } = feed.resume(start, new Set(['alert']))!;
    expect([isComplete, alertsOf(missed)]).toEqual([true, ['a1']]);
    // What another process has told of the other topic is nothing to wait for.
    const ahead = withPositions(feed.currentId, [5, 30_000]);
    expect(feed.resume(ahead, ALL)).toBeNull();
    expect(feed.resume(ahead, new Set(['stage']))).toEqual({ missed: [], isComplete: true });
  });

  it('wait until their version is applied here, are handed over first, and then told', async () => {
    const ledgers = appliedUpTo(5);
    const handed: string[] = [];
    const feed = await startFeed(ledgers, FAR, (partition, { id }) => handed.push(`${partition} ${id}`));
    const seen: StreamEvent[] = [];
    feed.follow((event) => {
      expect(handed.at(-1)).toContain((JSON.parse(event.published.json) as { id: string }).id);
      seen.push(event);
    });
    await raise(1, { id: 'a1', version: 4 }, { id: 'a2', version: 5 }, { id: 'a3', version: 1 });
    await expect.poll(() => metrics.text()).toContain('touchstone_stream_partitions_held 1');
    expect(handed).toEqual(['1 a1']);
    ledgers.of(1)!.position = 6;
    await expect.poll(() => handed).toEqual(['1 a1', '1 a2', '1 a3']);
    expect(alertsOf(seen)).toEqual(['a1', 'a2', 'a3']);
    expect([...feed.keptAlerts()].map(({ alert }) => alert.id)).toEqual(['a1', 'a2', 'a3']);
  });
});
