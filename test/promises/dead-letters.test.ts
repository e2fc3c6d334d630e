import { join } from 'node:path';
import {
  decodeDeadLetter,
  encodeAccountScore,
  encodeModelPublished,
  isPoison,
  TouchWriter,
  type DeadLetterRecord,
} from '@touchstone/codec';
import { DEAD_LETTER_REASONS, defaultModel } from '@touchstone/engine';
import { DEAD_LETTERS_TOPIC, EVENTS_TOPIC, openEmbeddedLog, RecordReader, type EmbeddedLog } from '@touchstone/event-log';
import { expect, test } from 'vitest';
import { NEWER_TOUCH_HEADER } from '../support/newer-touch-schema.ts';
import { TEST_PARTITIONS } from '../support/partitions.ts';
import { runCli } from '../support/run-cli.ts';
import { pathOf, type ServedAccount } from '../support/served-accounts.ts';
import { metricOf } from '../support/server-metrics.ts';
import { settle, until } from '../support/settle.ts';
import type { Server } from '../support/start-server.ts';
import { testServers } from '../support/test-servers.ts';

const HOUR_MS = 3_600_000;
const PARTITION = 1;
const ACCOUNT = 'acme';
/** A server whose schemas/ has one file more. */
const UPGRADED = { NODE_OPTIONS: `--import=${new URL('../support/know-newer-touch.ts', import.meta.url).href}` };

interface Letter {
  readonly partition: number;
  readonly offset: number;
  readonly reason: string;
  readonly key: string | null;
  readonly replayedAt: string | null;
  readonly record: { readonly id?: string } | null;
}

const writer = new TouchWriter();
function touch(id: string, changes: Partial<Parameters<TouchWriter['write']>[0]> = {}): Uint8Array {
  const absent = { contactId: null, channel: null, campaignId: null, creativeId: null, url: null, source: null };
  const now = Date.now();
  writer.write({ id, accountId: ACCOUNT, kind: 'call', occurredAt: now - 3 * HOUR_MS, minutes: 0, properties: {}, ...absent, ...changes });
  return writer.value();
}

/** As a producer writes it that knows the field `mood`, which comes last: branch 1, then the text. */
function newerTouch(id: string): Uint8Array {
  return Buffer.concat([NEWER_TOUCH_HEADER, touch(id).subarray(NEWER_TOUCH_HEADER.length), Buffer.from([2, 4 * 2]), Buffer.from('glad')]);
}

const score = {
  accountId: 'a',
  version: 0,
  modelVersion: 'm',
  asOf: 0,
  points: 0,
  score: 0,
  engaged: false,
  contacts: 0,
  lastTouchAt: null,
};

/** One of each kind at least. The log takes them two hours ago. */
const POISON: readonly (readonly [reason: string, value: Uint8Array | null])[] = [
  ['not_single_object', Buffer.from('{"id":"as JSON","accountId":"acme","kind":"call"}')],
  ['not_single_object', null],
  ['unknown_schema', newerTouch('newer')],
  ['malformed', touch('cut off').subarray(0, -2)],
  ['over_limit', touch('long'.repeat(200))],
  ['invalid_value', touch('kind', { kind: 'No kind' })],
  ['invalid_value', encodeAccountScore(score)],
  // Half an hour ago by now, and an hour and a half ahead then.
  ['in_the_future', touch('ahead', { occurredAt: Date.now() - HOUR_MS / 2 })],
  ['invalid_model', encodeModelPublished({ ...defaultModel, version: '' }, Date.now())],
];
const MENDED_BY_TIME = 'in_the_future';
const unmended = POISON.filter(([reason]) => reason !== MENDED_BY_TIME);
const MENDED_BY_UPGRADE = 'unknown_schema';

function openLog(data: string, clock: () => number): Promise<EmbeddedLog> {
  const topics = { [EVENTS_TOPIC]: { partitions: TEST_PARTITIONS }, [DEAD_LETTERS_TOPIC]: { partitions: TEST_PARTITIONS } };
  return openEmbeddedLog({ directory: join(data, 'log'), topics, sweepIntervalMs: 0, clock });
}

/** What is on the dead-letter topic, by key: a checkpoint that was repeated puts the same there again. */
async function readTopic(data: string): Promise<Map<string, DeadLetterRecord>> {
  const log = await openLog(data, Date.now);
  const letters = new Map<string, DeadLetterRecord>();
  const unread = new Set((await log.extents(DEAD_LETTERS_TOPIC)).filter(({ end }) => end > 0).map(({ partition }) => partition));
  const ends = new Map((await log.extents(DEAD_LETTERS_TOPIC)).map(({ partition, end }) => [partition, end]));
  const done = Promise.withResolvers<void>();
  const subscription = await log.subscribe({
    topic: DEAD_LETTERS_TOPIC,
    group: null,
    onAssigned: () => 0,
    onBlock(block) {
      const reader = new RecordReader().open(block);
      while (reader.next()) {
        const letter = decodeDeadLetter(block.bytes, reader.valueStart, reader.valueEnd);
        if (isPoison(letter)) throw new Error(letter.detail);
        letters.set(Buffer.from(block.bytes.subarray(reader.keyStart, reader.keyEnd)).toString(), letter);
      }
      if (block.nextOffset === ends.get(block.partition)) unread.delete(block.partition);
      if (unread.size === 0) done.resolve();
    },
    onFailed: done.reject,
  });
  await done.promise;
  await subscription.stop();
  await log.close();
  return letters;
}

const servers = testServers();
const start = (data: string, env: Readonly<Record<string, string>> = {}): Promise<Server> =>
  servers.start({ data, env: { CHECKPOINT_INTERVAL_MS: '50', ...env } });

/** In the order of the log. */
async function lettersOf(server: Server, state: 'open' | 'all'): Promise<readonly Letter[]> {
  const { data } = await server.get<{ data: Letter[] }>(`/v1/dead-letters?state=${state}&limit=200`);
  return data.toSorted((one, other) => one.offset - other.offset);
}

/** The letters once there are so many: they are stored a moment after they were met. */
async function someLetters(server: Server, state: 'open' | 'all', count: number): Promise<readonly Letter[]> {
  await until(Date.now() + 20_000, `${count} dead letters are stored`, async () => (await lettersOf(server, state)).length >= count);
  return lettersOf(server, state);
}

async function touchesOf(server: Server): Promise<number> {
  await settle(server);
  return (await server.get<ServedAccount>(pathOf(ACCOUNT))).windows['90d']!.touches;
}

const summed = (letters: readonly Letter[]): unknown[] => letters.map(({ partition, offset, reason }) => [partition, offset, reason]);

test(
  'what can not be applied is set aside, each once, and counts once when it is replayed after its cause is mended',
  { timeout: 120_000 },
  async () => {
    expect(new Set(POISON.map(([reason]) => reason))).toEqual(new Set(Object.keys(DEAD_LETTER_REASONS)));
    const data = servers.directory();
    const log = await openLog(data, () => Date.now() - 2 * HOUR_MS);
    const key = Buffer.from(ACCOUNT);
    // A good one before and after each.
    await log.append(EVENTS_TOPIC, [{ key, partition: PARTITION, value: touch('good') }]);
    for (const [index, [, value]] of POISON.entries()) {
      await log.append(EVENTS_TOPIC, [
        { key: value === null ? null : key, partition: PARTITION, value },
        { key, partition: PARTITION, value: touch(`good ${index}`) },
      ]);
    }
    await log.close();
    const good = POISON.length + 1;
    const expected = POISON.map(([reason], index) => [PARTITION, 1 + 2 * index, reason]);

    // Each is one dead letter, and the partition goes on behind it.
    let server = await start(data);
    expect(await touchesOf(server)).toBe(good);
    expect(summed(await someLetters(server, 'all', POISON.length))).toEqual(expected);
    for (const [reason, same] of Map.groupBy(POISON, ([one]) => one)) {
      expect(await metricOf(server, `touchstone_dead_letters_total{reason="${reason}"}`)).toBe(same.length);
    }

    // Replayed in the same life, all of them: what time has mended counts, the others are set aside again at their new places.
    const response = await server.fetch('/v1/dead-letters/replay', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"open":{}}',
    });
    expect([response.status, ((await response.json()) as { replayed: unknown[] }).replayed]).toEqual([
      202,
      expected.map(([partition, offset]) => ({ partition, offset })),
    ]);
    expect(await touchesOf(server)).toBe(good + 1);
    const again = await someLetters(server, 'open', POISON.length - 1);
    expect(again.map(({ reason }) => reason)).toEqual(unmended.map(([reason]) => reason));
    expect(again.every(({ offset, partition }) => partition === PARTITION && offset > expected.length * 2)).toBe(true);
    await server.kill();
    server = await start(data);
    expect(await touchesOf(server)).toBe(good + 1);
    expect(summed(await lettersOf(server, 'open'))).toEqual(summed(again));
    const all = await lettersOf(server, 'all');
    expect(summed(all)).toEqual([...expected, ...summed(again)]);
    expect(all.filter(({ replayedAt }) => replayedAt !== null).map(({ offset }) => offset)).toEqual(expected.map(([, offset]) => offset));
    expect(all.map((letter) => letter.key)).toEqual([...POISON, ...unmended].map(([, value]) => (value === null ? null : ACCOUNT)));
    expect(await server.stop()).toBe(0);

    // The topic has the same.
    const topic = await readTopic(data);
    expect([...topic.keys()].toSorted()).toEqual(all.map(({ partition, offset }) => `${EVENTS_TOPIC}/${partition}/${offset}`).toSorted());
    for (const [index, [reason, value]] of POISON.entries()) {
      const letter = topic.get(`${EVENTS_TOPIC}/${PARTITION}/${1 + 2 * index}`)!;
      expect(letter).toMatchObject({ topic: EVENTS_TOPIC, partition: PARTITION, reason });
      expect(Buffer.from(letter.value).equals(value ?? new Uint8Array(0))).toBe(true);
    }

    // A later version knows the schema: replayed it counts, once.
    server = await start(data, UPGRADED);
    expect(await runCli(server, 'dead-letters', 'replay', '--reason', MENDED_BY_UPGRADE)).toBe('1 dead letter is on the log again.\n');
    expect(await touchesOf(server)).toBe(good + 2);
    const first = expected.find(([, , reason]) => reason === MENDED_BY_UPGRADE)!;
    const place = `${first[0]}/${first[1]}`;
    expect(await runCli(server, 'dead-letters', 'show', place)).toMatch(/state +replayed at [^]*"id": "newer"/);
    await expect(runCli(server, 'dead-letters', 'replay', place)).rejects.toThrow('was replayed before');
    await runCli(server, 'dead-letters', 'replay', place, '--force');
    expect(await touchesOf(server)).toBe(good + 2);
    expect(await metricOf(server, 'touchstone_touches_duplicate_total')).toBe(1);
    expect(await runCli(server, 'dead-letters', 'list', '--reason', MENDED_BY_UPGRADE)).toBe('No dead letters are open.\n');
    await server.kill();
    server = await start(data, UPGRADED);
    expect(await touchesOf(server)).toBe(good + 2);
    expect(await lettersOf(server, 'open')).toHaveLength(POISON.length - 2);
  },
);
