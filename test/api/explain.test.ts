import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import type { AccountAnswer } from './account-answer.ts';
import { expectProblem } from './problem.ts';
import { eventually, openTemporaryServer, type TemporaryServer } from './temporary-server.ts';

const DAY_MS = 86_400_000;
const NOW = Date.now();

interface Part {
  readonly [field: string]: unknown;
  readonly touches: number;
  readonly points: number;
}
interface Explanation {
  readonly accountId: string;
  readonly asOf: string;
  readonly version: number;
  readonly modelVersion: string;
  readonly points: number;
  readonly parts: readonly Part[];
  readonly rest: (Part & { readonly parts: number }) | null;
  readonly rounding: readonly number[];
  readonly nearest: {
    readonly thresholds: readonly { readonly id: string; readonly missing: number; readonly wouldDo: readonly unknown[] }[];
    readonly qualification: { readonly near: boolean; readonly contactsMissing: number } | null;
  };
}
interface Change {
  readonly from: { readonly points: number; readonly version: number | null };
  readonly to: { readonly points: number };
  readonly change: number;
  readonly parts: Readonly<Record<string, number>>;
  readonly rounding: readonly number[];
  readonly newTouches: number;
  readonly lateTouches: number;
}

let running: TemporaryServer;
const account = (query = '', id = 'acme'): Promise<AccountAnswer> => running.server.get<AccountAnswer>(`/v1/accounts/${id}${query}`);
const explained = (query = '', id = 'acme'): Promise<Explanation> => running.server.get<Explanation>(`/v1/accounts/${id}/explain${query}`);
const added = (numbers: readonly number[]): number => numbers.reduce((sum, one) => sum + one, 0);
const addedUp = ({ parts, rest, rounding }: Explanation): number =>
  added([...parts.map(({ points }) => points), ...(rest === null ? [] : [rest.points]), ...rounding]);

/** Answers as they were served, one after each change. */
const served: AccountAnswer[] = [];

async function change(path: string, items: readonly unknown[]): Promise<void> {
  const before = served.at(-1)?.version ?? -1;
  await running.server.post(path, items);
  served.push(
    await eventually(
      async () => {
        const response = await running.server.fetch('/v1/accounts/acme');
        return response.status === 200 ? ((await response.json()) as AccountAnswer) : null!;
      },
      (seen) => seen !== null && seen.version > before,
    ),
  );
  // The next change is appended in another millisecond.
  await new Promise((resolve) => setTimeout(resolve, 5));
}

beforeAll(async () => {
  running = await openTemporaryServer();
  const touch = (id: string, fields: object) => ({ id, accountId: 'acme', contactId: 'ada', ...fields });
  await change('/v1/touches', [
    touch('a', { kind: 'meeting', occurredAt: NOW - 3 * DAY_MS, minutes: 17, campaignId: 'spring', channel: 'events' }),
  ]);
  await change(
    '/v1/touches',
    Array.from({ length: 9 }, (_, i) => touch(`c${i}`, { kind: 'ad_click', occurredAt: NOW, channel: 'paid' })),
  );
  await change('/v1/touches', [touch('late', { kind: 'call', occurredAt: NOW - 40 * DAY_MS, minutes: 7, contactId: null })]);
  await change('/v1/contacts', [{ id: 'ada', accountId: 'acme', role: 'champion', updatedAt: NOW }]);
  await change('/v1/touches', [touch('a', { kind: 'meeting' }), touch('d', { kind: 'podcast' })]);
  const model = {
    version: 'with-thresholds',
    rules: [
      { id: 'meeting', kind: 'meeting', points: 10 },
      { id: 'click', kind: 'ad_click', points: 3 },
    ],
    roles: { champion: 2 },
    thresholds: [
      { id: 'hot', metric: 'points', enter: 100 },
      { id: 'warm', metric: 'score', enter: 20 },
    ],
    qualification: { atLeast: 1, of: [{ metric: 'points', atLeast: 10 }], minContacts: 2 },
  };
  const headers = { 'content-type': 'application/json' };
  const response = await running.server.fetch('/v1/models', { method: 'POST', headers, body: JSON.stringify(model) });
  expect(response.status).toBe(202);
  served.push(
    await eventually(
      () => account(),
      ({ modelVersion }) => modelVersion === model.version,
    ),
  );
  // Kept as history, so that it can be told since when the model is in force.
  await eventually(
    () => running.server.get<{ data: { modelVersion: string }[] }>('/v1/accounts/acme/history'),
    ({ data }) => data.at(-1)?.modelVersion === model.version,
  );
});
afterAll(() => running.close());

/** The model of then is known when there is a score of another hour between; here all happens within one. */
const ofOneModel = (): AccountAnswer[] => served.slice(0, -1);
const figuresOf = ({ qualified: _q, stage: _s, ...answer }: AccountAnswer) => answer;

describe('an account at an instant in the past', () => {
  it('is as it was served then, with every change since left out', async () => {
    for (const answer of served) expect(figuresOf(await account(`?at=${answer.asOf}`))).toEqual(figuresOf(answer));
  });

  it('is the same after a restart', async () => {
    await running.restart();
    for (const answer of served) expect(figuresOf(await account(`?at=${answer.asOf}`))).toEqual(figuresOf(answer));
  });

  it('knows who is qualified under the model of then', async () => {
    const at = Date.parse(served.at(-1)!.asOf);
    expect((await explained(`?at=${at}`)).nearest.qualification).toMatchObject({ near: true, contactsMissing: 1 });
  });
});

describe('an explanation', () => {
  it('adds up to what was served, to the last bit, then and now, in every view', async () => {
    for (const answer of served) {
      for (const query of ['', '&groupBy=contact', '&groupBy=rule', '&groupBy=campaign', '&groupBy=kind', '&groupBy=channel', '&limit=1']) {
        const explanation = await explained(`?at=${answer.asOf}${query}`);
        expect([explanation.asOf, explanation.version, explanation.modelVersion]).toEqual([
          answer.asOf,
          answer.version,
          answer.modelVersion,
        ]);
        expect(explanation.points).toBe(answer.points);
        expect(addedUp(explanation)).toBe(answer.points);
      }
    }
    const now = await explained();
    const { points } = await account(`?at=${now.asOf}`);
    expect([now.points, addedUp(now)]).toEqual([points, points]);
  });

  it('of what was posted a moment ago waits until that is stored', async () => {
    await running.server.post('/v1/touches', [{ accountId: 'fresh', kind: 'meeting' }]);
    await eventually(
      () => running.server.fetch('/v1/accounts/fresh'),
      ({ status }) => status === 200,
    );
    const explanation = await explained('', 'fresh');
    expect(explanation.parts.map(({ touches }) => touches)).toEqual([1]);
  });

  it('of an answer is found by its version too', async () => {
    const answer = ofOneModel()[2]!;
    const later = Date.parse(served.at(-1)!.asOf) + DAY_MS;
    const explanation = await explained(`?at=${later}&version=${answer.version}`);
    expect(explanation.version).toBe(answer.version);
    const [first] = served;
    await expectProblem(
      await running.server.fetch(`/v1/accounts/acme/explain?at=${first!.asOf}&version=${answer.version}`),
      400,
      'invalid_request',
    );
  });

  it('says what the cap took, and what is missing', async () => {
    const { parts } = await explained(`?at=${ofOneModel().at(-1)!.asOf}&groupBy=rule`);
    expect(parts.find(({ ruleId }) => ruleId === 'ad_click')).toMatchObject({ touches: 9, capped: { touches: 4, worth: 8 } });
    const { nearest } = await explained();
    expect(nearest.thresholds.map(({ id, missing }) => [id, missing > 0])).toEqual([
      ['hot', true],
      ['warm', false],
    ]);
    expect(nearest.thresholds[0]!.wouldDo).toHaveLength(2);
  });

  it('comes as CSV when that is asked for', async () => {
    const response = await running.server.fetch('/v1/accounts/acme/explain?groupBy=contact', { headers: { accept: 'text/csv' } });
    expect(response.headers.get('content-type')).toBe('text/csv; charset=utf-8');
    const [header, ...lines] = (await response.text()).trim().split('\n');
    expect(header).toBe('contactId,role,touches,worth,decay,multiplier,points,cappedTouches,cappedWorth,cappedPoints');
    expect(lines.map((line) => line.split(',').slice(0, 3))).toEqual([['ada', 'champion', '10']]);
  });
});

describe('the change between two instants', () => {
  const changed = (query: string): Promise<Change> => running.server.get<Change>(`/v1/accounts/acme/explain/diff?${query}`);

  it('is that of what was served, and its parts add up to it', async () => {
    const answers = served;
    for (const [i, from] of answers.entries()) {
      for (const to of answers.slice(i)) {
        const diff = await changed(`from=${from.asOf}&to=${to.asOf}`);
        expect([diff.from.points, diff.to.points]).toEqual([from.points, to.points]);
        expect(diff.change).toBe(to.points - from.points);
        const { correction, decay, identity, model, touches } = diff.parts as Record<string, number>;
        expect(added([touches!, decay!, identity!, model!, correction!, ...diff.rounding])).toBe(diff.change);
      }
    }
  });

  it('tells late touches, a role and a model apart', async () => {
    const [, clicks, late, role, , model] = served as [
      AccountAnswer,
      AccountAnswer,
      AccountAnswer,
      AccountAnswer,
      AccountAnswer,
      AccountAnswer,
    ];
    const touched = await changed(`from=${clicks.asOf}&to=${late.asOf}`);
    expect([touched.newTouches, touched.lateTouches, touched.parts['touches']! > 0]).toEqual([1, 1, true]);
    const identified = await changed(`from=${late.asOf}&to=${role.asOf}`);
    expect([identified.newTouches, identified.parts['touches'], identified.parts['identity']! > 0]).toEqual([0, 0, true]);
    const rescored = await changed(`from=${served[4]!.asOf}&to=${model.asOf}`);
    expect(rescored.parts['model']).not.toBe(0);
  });

  it('from before anything was known is from nothing, up to now', async () => {
    const diff = await changed(`from=${NOW - 100 * DAY_MS}`);
    expect([diff.from.points, diff.from.version]).toEqual([0, null]);
  });
});

const wrong: readonly (readonly [string, string])[] = [
  ['explain?at=1', 'at'],
  ['explain?at=yesterday', 'at'],
  ['explain?groupBy=part', 'groupBy'],
  ['explain?groupBy=owner', 'groupBy'],
  ['explain?limit=0', 'limit'],
  ['explain?limit=10001', 'limit'],
  ['explain?version=-1', 'version'],
  ['explain/diff', 'from'],
  ['explain/diff?from=2&to=1', 'from'],
  ['explain/diff?from=1&to=2', 'to'],
];
test.each(wrong)('%s is refused, and the parameter named', async (path, parameter) => {
  const problem = await expectProblem(await running.server.fetch(`/v1/accounts/acme/${path}`), 400, 'invalid_request');
  expect(problem.errors).toMatchObject([{ in: 'query', pointer: `#/${parameter}` }]);
});

test.each(['explain', 'explain/diff?from=1'])('%s of nobody known is not found', async (path) => {
  await expectProblem(await running.server.fetch(`/v1/accounts/nobody/${path}`), 404, 'not_found');
});
