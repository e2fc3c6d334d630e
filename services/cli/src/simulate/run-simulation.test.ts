import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createApiClient } from '../api-client.ts';
import { startRecordingServer, TEST_KEY, type RecordingServer } from '../testing/recording-server.ts';
import { makeWorld } from './make-world.ts';
import { createRandom } from './random.ts';
import { runSimulation } from './run-simulation.ts';
import { createTraffic } from './traffic.ts';

describe('a world', () => {
  it('is the same for the same seed, and another for another', () => {
    expect(makeWorld(createRandom('demo'), 30)).toEqual(makeWorld(createRandom('demo'), 30));
    expect(makeWorld(createRandom('demo'), 30)).not.toEqual(makeWorld(createRandom('demo2'), 30));
  });

  it('has companies of their own at domains that belong to nobody, each with a committee', () => {
    const { companies } = makeWorld(createRandom('demo'), 2000);
    expect(new Set(companies.map(({ id }) => id)).size).toBe(2000);
    for (const { id, people } of companies) {
      expect(id).toMatch(/^[a-z]+\.example$/);
      expect(new Set(people.map(({ role }) => role)).size).toBeGreaterThanOrEqual(3);
      for (const person of people) expect(person.id).toMatch(new RegExp(`^[a-z.]+@${id}$`));
    }
  });
});

describe('traffic', () => {
  const touches = (run: string) => {
    const traffic = createTraffic({ random: createRandom('demo'), world: makeWorld(createRandom('demo'), 50), run, heatMs: 60_000 });
    return { touches: Array.from({ length: 3000 }, (_, at) => traffic.next(at * 50)), news: traffic.takeNews() };
  };

  it('is the same for the same seed but for its ids', () => {
    const withoutId = (run: string) => touches(run).touches.map(({ id: _, ...rest }) => rest);
    expect(withoutId('a')).toEqual(withoutId('b'));
    expect(new Set([...touches('a').touches, ...touches('b').touches].map(({ id }) => id)).size).toBe(6000);
  });

  it('lets a few accounts heat up, and tells it', () => {
    const { touches: all, news } = touches('a');
    const deep = Map.groupBy(
      all.filter(({ kind }) => kind === 'content_view' || kind === 'meeting'),
      ({ accountId }) => accountId,
    );
    expect(deep.size).toBeGreaterThan(1);
    expect(deep.size).toBeLessThan(25);
    expect(news.length).toBeGreaterThan(4);
  });
});

describe('a simulation', () => {
  let server: RecordingServer;
  beforeEach(async () => {
    server = await startRecordingServer({ answers: { 'GET /v1/accounts': { status: 200, body: { data: [] } } } });
  });
  afterEach(() => server.close());

  it('sends the facts, a history in order, and live touches, and counts them', async () => {
    const told: string[] = [];
    const now = Date.UTC(2026, 0, 31);
    const figures = await runSimulation({
      client: createApiClient({ url: server.url, key: TEST_KEY }),
      seed: 'demo',
      accounts: 20,
      rate: 400,
      seconds: 0.5,
      backfillDays: 30,
      run: 'r',
      clock: () => now,
      signal: new AbortController().signal,
      view: { tell: (line) => told.push(line), news: () => undefined, update: () => undefined, end: () => undefined },
    });
    const facts = server.items.filter(({ updatedAt }) => updatedAt === now);
    const touches = server.items.filter(({ kind }) => kind !== undefined);
    const history = touches.slice(0, 20 * 30 * 3).map(({ occurredAt }) => occurredAt as number);
    expect(facts.length).toBeGreaterThanOrEqual(20 * 4);
    expect(history).toEqual(history.toSorted((a, b) => a - b));
    expect([history[0], history.at(-1)! <= now]).toEqual([now - 30 * 86_400_000, true]);
    expect(touches).toHaveLength(20 * 30 * 3 + 200);
    expect(figures).toMatchObject({ sent: touches.length, accepted: touches.length, rejected: 0 });
    expect(server.byId.size).toBe(server.items.length);
    expect(told.join('\n')).toMatch(/20 companies with \d+ people, seed demo/);
  });
});
