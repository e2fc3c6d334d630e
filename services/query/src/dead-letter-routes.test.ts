import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encodeFact, encodeModelPublished, TouchWriter } from '@touchstone/codec';
import { defaultModel } from '@touchstone/engine';
import { createHttpApp, createLogger, createMetrics, type Caller, type HttpApp } from '@touchstone/runtime';
import { openStore, type DeadLetter, type Store } from '@touchstone/store';
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import { registerDeadLetterRoutes } from './dead-letter-routes.ts';

const NOW = Date.UTC(2026, 2, 1, 12);
const TIME = '2026-03-01T12:00:00.000Z';
const CALLERS: ReadonlyMap<string, Caller> = new Map([
  ['sk_admin', { keyId: 'a', kind: 'secret', scopes: new Set(['admin']) }],
  ['sk_read', { keyId: 'r', kind: 'secret', scopes: new Set(['read']) }],
]);

const touch = {
  id: 't-1',
  accountId: 'acme',
  contactId: null,
  kind: 'call',
  occurredAt: NOW,
  minutes: 2.5,
  channel: null,
  campaignId: null,
  creativeId: null,
  url: null,
  source: null,
  properties: { page: 'price' },
};
const fact = { type: 'subscription' as const, id: 's', updatedAt: NOW, accountId: 'acme', mrr: 10, currency: null, from: NOW, to: null };

const writer = new TouchWriter();
writer.write(touch);
const touchValue = writer.value();
writer.write({ ...touch, properties: Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`key ${i}`, 'x'.repeat(100)])) });
const longTouchValue = writer.value();

const LETTERS: readonly Partial<DeadLetter>[] = [
  { reason: 'in_the_future', value: touchValue },
  { value: Buffer.from('{"id": "\u00fc"}\n') },
  { key: null, value: new Uint8Array(0), reason: 'not_single_object' },
  { value: encodeFact(fact) },
  { value: encodeModelPublished(defaultModel, NOW), reason: 'invalid_model' },
  { reason: 'in_the_future', value: longTouchValue },
  { key: Uint8Array.of(0xff), value: Uint8Array.from({ length: 300 }, (_, byte) => byte & 255) },
];

interface Letter {
  readonly partition: number;
  readonly offset: number;
  readonly replayedAt: string | null;
  readonly record: Record<string, unknown> | null;
  readonly preview: string;
  readonly valueBytes: number;
}

let directory = '';
let store: Store;
let app: HttpApp;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'touchstone-query-'));
  store = await openStore({ kind: 'chdb', directory });
  await store.migrate();
  const deadLetters = LETTERS.map((changes, offset) => {
    const key = Buffer.from('acme');
    return {
      partition: 1,
      offset,
      appendedAt: NOW + offset,
      reason: 'malformed',
      detail: 'why',
      key,
      value: new Uint8Array(0),
      ...changes,
    };
  });
  await store.checkpoint([
    { partition: 1, offset: 9, generation: 'g', touches: store.touchRows(1), facts: [], deadLetters, transitions: [] },
  ]);
  await store.saveReplays([deadLetters[3]!], NOW);
  app = await createHttpApp({
    logger: createLogger({ service: 'test', level: 'silent' }),
    metrics: createMetrics({ ofProcess: false }),
    keys: { verify: (token) => CALLERS.get(token) ?? null },
    checkAnswers: true,
  });
  registerDeadLetterRoutes(app, { store });
  await app.ready();
});
afterAll(async () => {
  await app.close();
  await store.close();
  rmSync(directory, { recursive: true });
});

async function get(path: string, key = 'sk_admin'): Promise<{ status: number; json: unknown }> {
  const answer = await app.inject({ url: `/v1/dead-letters${path}`, headers: { authorization: `Bearer ${key}` } });
  return { status: answer.statusCode, json: answer.json() };
}
const list = async (query: string): Promise<readonly Letter[]> => ((await get(query)).json as { data: readonly Letter[] }).data;
const offsets = async (query: string): Promise<number[]> => (await list(query)).map(({ offset }) => offset);

describe('the list of dead letters', () => {
  it('has the open ones, newest first, in pages', async () => {
    expect(await offsets('')).toEqual([6, 5, 4, 2, 1, 0]);
    const seen: number[] = [];
    for (let cursor: string | null = ''; cursor !== null;) {
      const more: string = cursor === '' ? '' : `&cursor=${cursor}`;
      const json = (await get(`?limit=2${more}`)).json as { data: Letter[]; nextCursor: string | null };
      seen.push(...json.data.map(({ offset }) => offset));
      cursor = json.nextCursor;
    }
    expect(seen).toEqual([6, 5, 4, 2, 1, 0]);
  });

  test.each([
    ['?reason=in_the_future', [5, 0]],
    ['?state=replayed', [3]],
    ['?state=all', [6, 5, 4, 3, 2, 1, 0]],
    ['?state=all&partition=1&reason=malformed', [6, 3, 1]],
    ['?partition=0', []],
  ])('is filtered: %s', async (query, expected) => {
    expect(await offsets(query)).toEqual(expected);
  });

  it('shows what each record says, if it can be read and is not long', async () => {
    const [bytes, long, model, said, nothing, json, short] = await list('?state=all');
    expect(short).toEqual({
      partition: 1,
      offset: 0,
      appendedAt: TIME,
      reason: 'in_the_future',
      detail: 'why',
      replayedAt: null,
      key: 'acme',
      valueBytes: touchValue.length,
      record: { ...touch, type: 'touch', occurredAt: TIME, properties: { page: 'price' } },
      preview: expect.stringContaining('t-1') as string,
    });
    expect(json).toMatchObject({ record: null, preview: '{"id": ".."}.', valueBytes: 13 });
    expect(nothing).toMatchObject({ record: null, preview: '', valueBytes: 0, key: null });
    expect(said).toMatchObject({ record: { ...fact, updatedAt: TIME, from: TIME }, replayedAt: TIME });
    expect(model!.record).toEqual({ type: 'model', model: defaultModel });
    expect(long).toMatchObject({ record: null, valueBytes: longTouchValue.length });
    expect(bytes).toMatchObject({ key: '\u{fffd}', valueBytes: 300, record: null });
    expect(bytes!.preview).toHaveLength(200);
  });

  test.each([
    ['?reason=bad', '#/reason'],
    ['?raeson=malformed', '#'],
    ['?partition=-1', '#/partition'],
    ['?partition=one', '#/partition'],
    ['?state=closed', '#/state'],
    ['?limit=201', '#/limit'],
    ['?cursor=nonsense', '#/cursor'],
  ])('is not given for %s', async (query, pointer) => {
    expect(await get(query)).toMatchObject({ status: 400, json: { code: 'invalid_request', errors: [{ pointer }] } });
  });
});

describe('one dead letter', () => {
  it('is shown whole, however long', async () => {
    const json = (await get('/1/5')).json as Letter & { valueBase64: string };
    expect(Buffer.from(json.valueBase64, 'base64').equals(longTouchValue)).toBe(true);
    expect(json.record).toMatchObject({ type: 'touch', id: 't-1' });
    expect((await get('/1/6')).json).toMatchObject({ keyBase64: '/w==' });
    expect((await get('/1/2')).json).toMatchObject({ key: null, keyBase64: null, valueBase64: '' });
  });

  test.each([
    ['/1/7', 404, 'not_found'],
    ['/2/0', 404, 'not_found'],
    ['/1/x', 400, 'invalid_request'],
    ['/65536/0', 400, 'invalid_request'],
    ['/1/999999999999999', 404, 'not_found'],
  ])('%s is none', async (path, status, code) => {
    expect(await get(path)).toMatchObject({ status, json: { code } });
  });

  it('is for admins', async () => {
    for (const path of ['', '/1/0']) expect(await get(path, 'sk_read')).toMatchObject({ status: 403, json: { code: 'forbidden' } });
  });
});
