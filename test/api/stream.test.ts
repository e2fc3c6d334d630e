import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import { KEY } from '../support/start-server.ts';
import type { AccountAnswer } from './account-answer.ts';
import { expectProblem } from './problem.ts';
import { openStream, type OpenStream, type StreamEvent } from './open-stream.ts';
import { eventually, openTemporaryServer, type TemporaryServer } from './temporary-server.ts';

let running: TemporaryServer;
beforeAll(async () => {
  running = await openTemporaryServer();
});
afterAll(() => running.close());

/** Of scores; test/api/alerts.test.ts is about the others. */
const open = (query = '', lastEventId?: string | null): Promise<OpenStream> =>
  openStream(`${running.server.url}/v1/stream?events=score${query}`, {
    authorization: `Bearer ${KEY}`,
    ...(typeof lastEventId === 'string' && { 'last-event-id': lastEventId }),
  });
const call = (...accountIds: readonly string[]): Promise<unknown> =>
  running.server.post(
    '/v1/touches',
    accountIds.map((accountId) => ({ accountId, kind: 'call' })),
  );
/** One after another, so that each has an event of its own. */
async function callInTurn(accountIds: readonly string[]): Promise<void> {
  for (const accountId of accountIds) {
    const published = await publishedScores();
    await call(accountId);
    await eventually(publishedScores, (now) => now > published);
  }
}
const metric = async (name: string): Promise<number> => {
  const text = await (await running.server.fetch('/metrics')).text();
  return Number(new RegExp(`^touchstone_${name} (\\d+)$`, 'm').exec(text)?.[1] ?? 0);
};
const publishedScores = (): Promise<number> => metric('scores_published_total');
const idsOf = (events: readonly StreamEvent[]): unknown[] => events.map(({ data }) => data['accountId']);

describe('the stream', () => {
  it('says hello, and then each changed score as the account shows it', async () => {
    const stream = await open();
    expect(stream.response.status).toBe(200);
    expect(stream.response.headers.get('content-type')).toMatch(/^text\/event-stream/);
    expect(stream.response.headers.get('cache-control')).toMatch(/no-cache|no-store/);
    expect(await stream.next()).toEqual({ event: 'hello', id: expect.any(String), data: {} });
    await call('first');
    const { event, id, data } = await stream.next();
    stream.close();
    expect({ event, id }).toEqual({ event: 'score', id: expect.any(String) });
    expect(Object.keys(data).sort()).toEqual('accountId asOf contacts engaged lastTouchAt modelVersion points score version'.split(' '));
    const now = await running.server.get<AccountAnswer>(`/v1/accounts/first?at=${Date.parse(String(data['asOf']))}`);
    const { accountId, score, points, asOf, version, modelVersion, engaged, lastTouchAt } = now;
    expect(data).toEqual({ accountId, score, points, asOf, version, modelVersion, engaged, lastTouchAt, contacts: now.reach.contacts });
  });

  const filters: readonly (readonly [string, string, readonly string[]])[] = [
    ['one account', '&accountId=f2', ['f2']],
    ['several accounts', '&accountId=f3&accountId=f1', ['f1', 'f3']],
    ['a lowest score', '&minScore=10', ['f3']],
    ['both', '&minScore=10&accountId=f1&accountId=f3', ['f3']],
    ['the accounts of an owner', '&owner=eve', ['f2', 'f3']],
  ];
  it('can be filtered', async () => {
    const published = await publishedScores();
    const owned = ['f2', 'f3'].map((id) => ({ id, owner: 'eve' }));
    await running.server.post('/v1/accounts', [...owned, { id: 'f1', owner: 'adam' }]);
    await eventually(publishedScores, (now) => now >= published + 3);
    const streams = await Promise.all(filters.map(([, query]) => open(query)));
    for (const stream of streams) expect((await stream.next()).event).toBe('hello');
    // The one that all of them want comes last: what a filter lets through would come before it.
    await callInTurn(['f1', 'f2']);
    await running.server.post('/v1/touches', [{ accountId: 'f3', kind: 'meeting' }]);
    for (const [index, stream] of streams.entries()) {
      const [name, , expected] = filters[index]!;
      expect([name, new Set(idsOf(await stream.take(expected.length)))]).toEqual([name, new Set(expected)]);
      stream.close();
    }
  });

  it('resumes after the last event that a reader got, with nothing lost and nothing twice', async () => {
    const stream = await open();
    await stream.next();
    await call('r1');
    const { id } = await stream.next();
    stream.close();
    const others = ['r2', 'r3', 'r4', 'r2', 'r5'];
    await callInTurn(others);
    const resumed = await open('', id);
    expect(await resumed.next()).toEqual({ event: 'hello', id: null, data: {} });
    expect(idsOf(await resumed.take(others.length))).toEqual(others);
    await call('r6');
    expect(idsOf([await resumed.next()])).toEqual(['r6']);
    resumed.close();
  });

  it('resumes when nothing was missed', async () => {
    const stream = await open();
    const { id } = await stream.next();
    stream.close();
    const resumed = await open('', id);
    expect(await resumed.next()).toEqual({ event: 'hello', id, data: {} });
    await call('quiet');
    expect((await resumed.next()).event).toBe('score');
    resumed.close();
  });

  it('resumes after the server has crashed, at any event, and never shows an older version', async () => {
    const accounts = Array.from({ length: 12 }, (_, i) => `crash${i}`);
    const stream = await open();
    await stream.next();
    await callInTurn([...accounts.slice(0, 6), ...accounts.slice(0, 3)]);
    const before = await stream.take(9);
    await callInTurn(accounts.slice(6));
    stream.close();
    await running.restart();

    // From each event on, and then again from each that this gives: what remains is always what was not seen.
    const keyOf = ({ data }: StreamEvent): string => `${String(data['accountId'])} ${String(data['version'])}`;
    for (const [index, { id }] of before.entries()) {
      const missed = before.length - index - 1 + 6;
      let resumed = await open('', id);
      await resumed.next();
      const events = await resumed.take(missed);
      resumed.close();
      const seen = new Set(before.slice(0, index + 1).map(keyOf));
      for (const event of events) expect(seen).not.toContain(keyOf(event));
      expect(new Set(events.map(keyOf)).size).toBe(missed);
      const middle = Math.floor(missed / 2);
      resumed = await open('', events[middle]!.id);
      await resumed.next();
      expect((await resumed.take(missed - middle - 1)).map(keyOf).sort()).toEqual(
        events
          .slice(middle + 1)
          .map(keyOf)
          .sort(),
      );
      resumed.close();
    }
  });

  const strange: readonly (readonly [string, (current: string) => string])[] = [
    ['that was never one', () => 'abc'],
    ['of another topic', (current) => current.replace(/^[^:]*/, '00000000-0000-4000-8000-000000000000')],
    ['of events that are still to come', (current) => current.replace(/(?<=^[^:]*:)[^.:]+/, 'zzzzzz')],
    ['of more partitions', (current) => `${current}.0`],
    ['that is very long', (current) => current.repeat(100)],
  ];
  test.each(strange)('says that there is a gap after an id %s, and goes on', async (_case, idOf) => {
    const fresh = await open();
    const current = (await fresh.next()).id!;
    fresh.close();
    const stream = await open('', idOf(current));
    expect(await stream.next()).toEqual({ event: 'hello', id: current, data: {} });
    expect(await stream.next()).toEqual({ event: 'gap', id: null, data: {} });
    stream.close();
  });

  const refused: readonly (readonly [string, string, Record<string, string>, number, string])[] = [
    ['a client that wants JSON', '', { accept: 'application/json' }, 406, 'not_acceptable'],
    ['a client that wants anything else', '', { accept: '*/*, text/event-stream;q=0' }, 406, 'not_acceptable'],
    ['a score that is none', '?minScore=high', {}, 400, 'invalid_request'],
    ['an empty id', '?accountId=', {}, 400, 'invalid_request'],
    ['too many ids', `?${'accountId=a&'.repeat(101)}`, {}, 400, 'invalid_request'],
    ['an unknown event', '?events=score,news', {}, 400, 'invalid_request'],
    ['no event', '?events=', {}, 400, 'invalid_request'],
    ['an unknown parameter', '?account=a', {}, 400, 'invalid_request'],
    ['an unknown key', '', { authorization: 'Bearer sk_unknown' }, 401, 'unauthenticated'],
  ];
  test.each(refused)('refuses %s', async (_case, query, headers, status, code) => {
    await expectProblem(await running.server.fetch(`/v1/stream${query}`, { headers }), status, code);
  });

  test.each(['HEAD', 'POST', 'PUT', 'DELETE'])('takes no %s', async (method) => {
    const response = await running.server.fetch('/v1/stream', { method });
    expect(response.status).toBe(405);
    expect(response.headers.get('allow')).toBe('GET');
    if (method !== 'HEAD') await expectProblem(response, 405, 'method_not_allowed');
  });

  it('lets go of readers that leave', async () => {
    await eventually(
      () => metric('stream_clients'),
      (open) => open === 0,
    );
    const streams = await Promise.all([open(), open(), open()]);
    for (const stream of streams) await stream.next();
    expect(await metric('stream_clients')).toBe(3);
    for (const stream of streams) stream.close();
    await eventually(
      () => metric('stream_clients'),
      (open) => open === 0,
    );
  });

  it('ends when its key is revoked', async () => {
    const headers = { 'content-type': 'application/json' };
    const created = await running.server.fetch('/v1/keys', { method: 'POST', headers, body: '{"name":"reader","scopes":["read"]}' });
    const { id, key } = (await created.json()) as { id: string; key: string };
    const stream = await openStream(`${running.server.url}/v1/stream`, { authorization: `Bearer ${key}` });
    await stream.next();
    const other = await open();
    await other.next();
    await running.server.fetch(`/v1/keys/${id}`, { method: 'DELETE' });
    await expect(stream.next()).rejects.toThrow('the stream has ended');
    await call('still-there');
    expect(idsOf([await other.next()])).toEqual(['still-there']);
    other.close();
  });

  it('cuts off a reader that does not read, and no other', async () => {
    const { hostname, port } = new URL(running.server.url);
    const slow = connect({ host: hostname, port: Number(port) });
    slow.write(`GET /v1/stream HTTP/1.1\r\nHost: ${hostname}\r\nAuthorization: Bearer ${KEY}\r\n\r\n`);
    await once(slow, 'readable');
    const quick = await open('&accountId=end');
    await quick.next();
    await eventually(
      () => metric('stream_clients'),
      (clients) => clients === 2,
    );
    // First what the system's own buffers hold, which is some megabytes; then what may wait.
    const many = Array.from({ length: 10_000 }, (_, i) => ({ accountId: `slow-${i}-${'x'.repeat(100)}`, kind: 'call' }));
    for (let round = 0; round < 30 && (await metric('stream_clients')) === 2; round++) {
      const published = await publishedScores();
      await running.server.post('/v1/touches', many);
      await eventually(publishedScores, (now) => now >= published + many.length);
    }
    expect(await metric('stream_clients')).toBe(1);
    expect(running.server.output()).toContain('too slow');
    await call('end');
    expect(idsOf([await quick.next()])).toEqual(['end']);
    quick.close();

    let text = '';
    slow.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
    await once(slow, 'close');
    const lastId = [...text.matchAll(/^id: (.*)$/gm)].at(-1)![1]!;
    const resumed = await open('', lastId);
    expect((await resumed.next()).event).toBe('hello');
    expect(['gap', 'score']).toContain((await resumed.next()).event);
    resumed.close();
  });

  it('ends when the server stops, which does not wait for readers', async () => {
    const stream = await open();
    await stream.next();
    expect(await running.server.stop()).toBe(0);
    await expect(stream.next()).rejects.toThrow(/ended|terminated/);
  });
});
