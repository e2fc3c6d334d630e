import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TouchWriter } from '@touchstone/codec';
import { RECORD_BYTES_MAX } from '@touchstone/event-log';
import { openStore, StoreError, type DeadLetter, type Store } from '@touchstone/store';
import { afterEach, beforeEach, describe, expect, it, test } from 'vitest';
import type { DeadLetterStore } from './replay-dead-letters.ts';
import { NOW, openTestIngest, type TestIngest } from './test-ingest.ts';

const BEFORE = new Date(NOW).toISOString();

let directory = '';
let store: Store;
let ingest: TestIngest;
/** Calls of the store that fail from now on. */
let failing: ReadonlySet<string> = new Set();

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'touchstone-ingest-'));
  store = await openStore({ kind: 'chdb', directory });
  await store.migrate();
  failing = new Set();
  const check = (name: string): void => {
    if (failing.has(name)) throw new StoreError('unavailable', 'as the test wants');
  };
  const deadLetters: DeadLetterStore = {
    deadLetters: async (query) => (check('deadLetters'), store.deadLetters(query)),
    deadLettersAt: async (places) => (check('deadLettersAt'), store.deadLettersAt(places)),
    saveReplays: async (places, at) => (check('saveReplays'), store.saveReplays(places, at)),
  };
  ingest = await openTestIngest({}, { deadLetters });
});
afterEach(async () => {
  await ingest.close();
  await store.close();
  rmSync(directory, { recursive: true });
});

const writer = new TouchWriter();
function letter(partition: number, offset: number, changes: Partial<DeadLetter> = {}): DeadLetter {
  const absent = { contactId: null, channel: null, campaignId: null, creativeId: null, url: null, source: null };
  writer.write({ id: `t-${partition}-${offset}`, accountId: 'acme', kind: 'call', occurredAt: NOW, minutes: 0, properties: {}, ...absent });
  const key = Buffer.from('acme');
  return {
    partition,
    offset,
    appendedAt: NOW - 1000 + offset,
    reason: 'in_the_future',
    detail: '',
    key,
    value: writer.value(),
    ...changes,
  };
}

async function setAside(...letters: readonly DeadLetter[]): Promise<void> {
  for (const [partition, deadLetters] of Map.groupBy(letters, (one) => one.partition)) {
    await store.checkpoint([
      { partition, offset: 0, generation: 'g', touches: store.touchRows(partition), facts: [], deadLetters, transitions: [] },
    ]);
  }
}

async function replay(body: unknown, key = 'sk_all'): Promise<{ status: number; json: Record<string, unknown> }> {
  const headers = { authorization: `Bearer ${key}` };
  const answer = await ingest.app.inject({ method: 'POST', url: '/v1/dead-letters/replay', payload: body as object, headers });
  return { status: answer.statusCode, json: answer.json() };
}

const at = (partition: number, offset: number) => ({ partition, offset });
/** Partition and touch id of what is on the log. */
async function onLog(): Promise<string[]> {
  return (await ingest.read()).map(
    ({ partition, record }) => `${partition} ${'touch' in record ? record.touch.id : Object.keys(record)[0]}`,
  );
}
const openPlaces = async (): Promise<unknown[]> =>
  (await store.deadLetters({ limit: 2000, replayed: false })).map(({ partition, offset }) => at(partition, offset));

describe('a replay', () => {
  it('puts a record where it stood, with its key and bytes, and remembers that', async () => {
    await setAside(letter(3, 8), letter(3, 9, { key: null, value: Buffer.from('no touch'), reason: 'malformed' }), letter(0, 1));
    expect(await replay({ items: [at(3, 9), at(3, 8), at(3, 9)] })).toEqual({
      status: 202,
      json: { replayed: [at(3, 9), at(3, 8)], skipped: [], remaining: false, before: null },
    });
    expect(await ingest.read()).toMatchObject([
      { partition: 3, key: null, record: { poison: expect.stringContaining('the value (8 bytes)') as string } },
      { partition: 3, key: 'acme', record: { touch: { id: 't-3-8' } } },
    ]);
    expect((await store.deadLettersAt([at(3, 8)]))[0]!.replayedAt).toBe(NOW);
    expect(await openPlaces()).toEqual([at(0, 1)]);
    const metrics = await ingest.metrics.text();
    expect(metrics).toContain('touchstone_dead_letters_replayed_total{reason="in_the_future"} 1');
    expect(metrics).toContain('touchstone_dead_letters_replayed_total{reason="malformed"} 1');
  });

  it('leaves out what is not there and what was replayed before, unless forced', async () => {
    await setAside(letter(0, 1), letter(0, 2));
    await replay({ items: [at(0, 1)] });
    const items = [at(0, 1), at(0, 2), at(1, 1)];
    expect((await replay({ items })).json).toMatchObject({
      replayed: [at(0, 2)],
      skipped: [
        { ...at(0, 1), code: 'already_replayed' },
        { ...at(1, 1), code: 'not_found' },
      ],
    });
    expect((await replay({ items, force: true })).json).toMatchObject({
      replayed: [at(0, 1), at(0, 2)],
      skipped: [{ ...at(1, 1), code: 'not_found' }],
    });
    expect(await onLog()).toEqual(['0 t-0-1', '0 t-0-2', '0 t-0-1', '0 t-0-2']);
  });

  it('of all open ones goes by reason, partition and time, oldest first', async () => {
    await setAside(letter(1, 5), letter(0, 6), letter(1, 4), letter(1, 7, { reason: 'malformed' }), letter(1, 9));
    expect((await replay({ open: { before: '0001-01-01T00:00:00Z' } })).json).toMatchObject({
      replayed: [],
      before: '1970-01-01T00:00:00.000Z',
    });
    const before = new Date(NOW - 1000 + 9).toISOString();
    expect((await replay({ open: { reason: 'in_the_future', partition: 1, before } })).json).toEqual({
      replayed: [at(1, 4), at(1, 5)],
      skipped: [],
      remaining: false,
      before,
    });
    expect((await replay({ open: { reason: 'in_the_future' } })).json).toMatchObject({ replayed: [at(0, 6), at(1, 9)], before: BEFORE });
    expect((await replay({ open: { before: '9999-12-31T23:59:59-12:00' } })).json).toMatchObject({ replayed: [at(1, 7)] });
    expect((await replay({ open: {} })).json).toMatchObject({ replayed: [], remaining: false });
  });

  it('takes a bounded number a call, and says that more remain', async () => {
    await setAside(...Array.from({ length: 1003 }, (_, offset) => letter(2, offset, { appendedAt: NOW - 1 })));
    const first = await replay({ open: {} });
    expect([(first.json['replayed'] as unknown[]).length, first.json['remaining']]).toEqual([1000, true]);
    const second = await replay({ open: { before: first.json['before'] } });
    expect(second.json).toMatchObject({ replayed: [at(2, 1000), at(2, 1001), at(2, 1002)], remaining: false });
    expect(await onLog()).toEqual(Array.from({ length: 1003 }, (_, offset) => `2 t-2-${offset}`));
  });

  it('that reached the log but could not be remembered may be repeated: what it appended stays open', async () => {
    await setAside(letter(0, 1));
    failing = new Set(['saveReplays']);
    expect(await replay({ items: [at(0, 1)] })).toMatchObject({ status: 503, json: { code: 'unavailable' } });
    failing = new Set();
    expect(await openPlaces()).toEqual([at(0, 1)]);
    expect((await replay({ items: [at(0, 1)] })).json).toMatchObject({ replayed: [at(0, 1)] });
    expect(await onLog()).toEqual(['0 t-0-1', '0 t-0-1']);
  });

  it('that does not reach the log leaves them open', async () => {
    await setAside(letter(0, 1));
    ingest.failAppends('io');
    expect(await replay({ open: {} })).toMatchObject({ status: 503, json: { code: 'unavailable' } });
    expect(await openPlaces()).toEqual([at(0, 1)]);
    ingest.failAppends(null);
    for (const call of ['deadLetters', 'deadLettersAt']) {
      failing = new Set([call]);
      expect(await replay({ open: {} })).toMatchObject({ status: 503, json: { code: 'unavailable' } });
    }
    expect(await onLog()).toEqual([]);
  });

  test.each([
    ['nothing', {}, '#'],
    ['both', { items: [at(0, 1)], open: {} }, '#'],
    ['no items', { items: [] }, '#/items'],
    ['too many items', { items: Array.from({ length: 1001 }, (_, offset) => at(0, offset)) }, '#/items'],
    ['a place that is none', { items: [{ partition: -1, offset: 0 }] }, '#/items/0/partition'],
    ['an offset that is no whole number', { items: [{ partition: 0, offset: 0.5 }] }, '#/items/0/offset'],
    ['an unknown field', { open: { raeson: 'malformed' } }, '#/open'],
    ['an unknown reason', { open: { reason: 'bad' } }, '#/open/reason'],
    ['no time', { open: { before: 'yesterday' } }, '#/open/before'],
    ['force for all', { open: {}, force: true }, '#/force'],
  ])('of %s is refused', async (_, body, pointer) => {
    const { status, json } = await replay(body);
    expect([status, json['code'], (json['errors'] as { pointer: string }[])[0]!.pointer]).toEqual([400, 'invalid_request', pointer]);
  });

  it('leaves out what is larger than the log takes, and goes on with the others', async () => {
    const value = new Uint8Array(RECORD_BYTES_MAX + 1);
    await setAside(letter(0, 1, { key: null, value }), letter(0, 2));
    const { json, status } = await replay({ items: [at(0, 1), at(0, 2)] });
    expect(status).toBe(202);
    expect(json).toMatchObject({ replayed: [at(0, 2)], skipped: [{ ...at(0, 1), code: 'too_large' }] });
    expect(await onLog()).toEqual(['0 t-0-2']);
  });

  it('needs the scope admin', async () => {
    expect(await replay({ open: {} }, 'sk_ingest')).toMatchObject({ status: 403, json: { code: 'forbidden' } });
  });

  it('is not offered where dead letters are not at hand', async () => {
    const without = await openTestIngest();
    const headers = { authorization: 'Bearer sk_all' };
    const answer = await without.app.inject({ method: 'POST', url: '/v1/dead-letters/replay', payload: { open: {} }, headers });
    await without.close();
    expect([answer.statusCode, answer.json()]).toMatchObject([404, { code: 'not_found' }]);
  });
});
