import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { KEY } from '../support/start-server.ts';
import type { AccountAnswer, ListedAnswer, Page } from './account-answer.ts';
import { openStream, type OpenStream, type StreamEvent } from './open-stream.ts';
import { expectProblem } from './problem.ts';
import { eventually, openTemporaryServer, type TemporaryServer } from './temporary-server.ts';

const MODEL = {
  version: 'with-rules',
  rules: [
    { id: 'meeting', kind: 'meeting', points: 60 },
    { id: 'visit', kind: 'web_visit', points: 5 },
  ],
  thresholds: [{ id: 'hot', metric: 'points', enter: 100, exit: 50 }],
  qualification: {
    atLeast: 2,
    of: [
      { id: 'met', metric: 'kind.meeting.30d', atLeast: 1 },
      { id: 'visited', metric: 'kind.web_visit.30d', atLeast: 1 },
    ],
    minContacts: 2,
  },
  stages: [
    { id: 'aware', engaged: true },
    { id: 'sales', qualified: true },
  ],
};

interface Alert {
  readonly id: string;
  readonly type: string;
  readonly accountId: string;
  readonly state: string;
  readonly [field: string]: unknown;
}

let running: TemporaryServer;
beforeAll(async () => {
  running = await openTemporaryServer();
  await touch('before', 'ann', 'meeting');
  const answer = await send('POST', '/v1/models', MODEL);
  expect(answer.status).toBe(202);
  await eventually(
    () => running.server.get<{ version: string }>('/v1/models/current'),
    ({ version }) => version === MODEL.version,
  );
});
afterAll(() => running.close());

function send(method: string, path: string, body: object): Promise<Response> {
  return running.server.fetch(path, { method, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
}
const touch = (accountId: string, contactId: string, kind: string): Promise<unknown> =>
  running.server.post('/v1/touches', [{ accountId, contactId, kind }]);
const open = (query = '', lastEventId?: string): Promise<OpenStream> =>
  openStream(`${running.server.url}/v1/stream${query}`, {
    authorization: `Bearer ${KEY}`,
    ...(lastEventId !== undefined && { 'last-event-id': lastEventId }),
  });
const listed = (query: string, count: number): Promise<readonly Alert[]> =>
  eventually(
    async () => (await running.server.get<Page<Alert>>(`/v1/alerts?${query}`)).data,
    (alerts) => alerts.length >= count,
  );
const told = ({ data, event }: StreamEvent): unknown[] => [event, data['type'], data['currentStage'] ?? data['direction']];

describe('an account that becomes news', () => {
  it('is told in the stream, each step once, and stands in answers where the last step left it', async () => {
    const stream = await open('?events=alert,stage&accountId=acme');
    expect((await stream.next()).event).toBe('hello');
    await touch('acme', 'ann', 'meeting');
    const [aware] = await stream.take(1);
    expect(told(aware!)).toEqual(['stage', 'account.stage.changed', 'aware']);
    await touch('acme', 'bob', 'web_visit');
    const others = await stream.take(2);
    expect(others.map(told)).toEqual([
      ['alert', 'account.mqa.entered', 'up'],
      ['stage', 'account.stage.changed', 'sales'],
    ]);
    const account = await running.server.get<AccountAnswer>('/v1/accounts/acme');
    expect([account.stage, account.qualified]).toEqual(['sales', true]);
    await touch('acme', 'bob', 'meeting');
    const [hot] = await stream.take(1);
    stream.close();
    expect(told(hot!)).toEqual(['alert', 'account.threshold.crossed', 'up']);
    expect(hot!.data).toMatchObject({
      ruleId: 'hot',
      cause: 'touch',
      threshold: 100,
      touch: { kind: 'meeting', contactId: 'bob', ruleIds: ['meeting'] },
    });
    expect(hot!.data['currentValue']).toBeCloseTo(125, 1);

    // The same, from the store, and from any event on.
    const stored = await listed('accountId=acme', 4);
    // Two of them happened in one instant: in the list these are by id.
    expect(stored.map(({ id }) => id).toSorted()).toEqual([hot!, ...others, aware!].map(({ data }) => String(data['id'])).toSorted());
    expect([stored[0]!.id, stored[3]!.id]).toEqual([hot!.data['id'], aware!.data['id']]);
    const { acked, snoozedUntil, state, useful, ...alert } = stored[0]!;
    expect([alert, state, acked, snoozedUntil, useful]).toEqual([hot!.data, 'open', null, null, null]);
    const resumed = await open('?events=alert,stage&accountId=acme', aware!.id!);
    await resumed.next();
    expect((await resumed.take(3)).map(({ data }) => data)).toEqual([...others, hot!].map(({ data }) => data));
    resumed.close();
  });

  it('is told also what another model makes of it', async () => {
    const [alert] = await listed('accountId=before&cause=model', 1);
    expect(alert).toMatchObject({ type: 'account.stage.changed', currentStage: 'aware', modelVersion: MODEL.version });
  });

  it('comes back after a crash where it was, and nothing is told twice', async () => {
    const stream = await open('?events=alert,stage');
    const { id } = await stream.next();
    await touch('crash', 'ann', 'meeting');
    const [aware] = await stream.take(1);
    stream.close();
    await running.restart();
    const account = await running.server.get<AccountAnswer>('/v1/accounts/acme');
    expect([account.stage, account.qualified]).toEqual(['sales', true]);
    const resumed = await open('?events=alert,stage', id!);
    await resumed.next();
    await touch('crash', 'bob', 'web_visit');
    const events = await resumed.take(3);
    resumed.close();
    expect(events[0]!.data).toEqual(aware!.data);
    expect(events.slice(1).map(told)).toEqual([
      ['alert', 'account.mqa.entered', 'up'],
      ['stage', 'account.stage.changed', 'sales'],
    ]);
    const ids = (await listed('', 7)).map((one) => one.id);
    expect(new Set(ids).size).toBe(ids.length);
  });
});

describe('lists', () => {
  const accounts = async (query: string): Promise<readonly ListedAnswer[]> =>
    (await running.server.get<Page<ListedAnswer>>(`/v1/accounts?sort=accountId&${query}`)).data;
  const ids = async (query: string): Promise<unknown[]> => (await accounts(query)).map(({ accountId }) => accountId);

  it('are of accounts in a stage, qualified, or near it with what is missing', async () => {
    await touch('idle', 'zoe', 'email_open');
    await eventually(
      () => ids('stage='),
      (found) => found.includes('idle'),
    );
    expect(await ids('stage=sales')).toEqual(['acme', 'crash']);
    expect(await ids('stage=aware')).toEqual(['before']);
    expect(await ids('stage=')).toEqual(['idle']);
    expect(await ids('qualified=true')).toEqual(['acme', 'crash']);
    expect(await ids('qualified=false')).toEqual(['before', 'idle']);
    expect(await ids('near=true')).toEqual([]);
    await touch('before', 'bob', 'meeting');
    await eventually(
      () => ids('near=true'),
      (found) => found.length > 0,
    );
    const [near] = await accounts('near=true');
    expect(near).toMatchObject({
      accountId: 'before',
      stage: 'aware',
      qualified: false,
      met: ['met'],
      missing: ['visited'],
      lacksContacts: false,
    });
  });

  it('refuse what is no such filter', async () => {
    for (const query of ['qualified=maybe', 'near=false', 'stages=sales']) {
      await expectProblem(await running.server.fetch(`/v1/accounts?${query}`), 400, 'invalid_request');
    }
  });

  it('are of stages, with their figures', async () => {
    const { data } = await eventually(
      () => running.server.get<{ data: Record<string, unknown>[] }>('/v1/stages'),
      (stages) => stages.data[1]!['entered'] === 2,
    );
    expect(data.map(({ balance, conversion, entered, left, stage }) => [stage, balance, entered, left, conversion])).toEqual([
      ['aware', 1, 3, 2, 2 / 3],
      ['sales', 2, 2, 0, 0],
    ]);
  });
});

describe('the stages of an account', () => {
  it('are told as known then, beside those under the model of now', async () => {
    type Change = Record<'from' | 'to' | 'cause' | 'modelVersion', string | null>;
    interface Answer {
      readonly modelVersion: string;
      readonly asKnownThen: readonly Change[];
      readonly underModelOfNow: readonly Change[];
    }
    const path = '/v1/accounts/before/stages';
    const stages = await running.server.get<Answer>(path);
    const first = { from: null, to: 'aware', modelVersion: MODEL.version };
    // It was touched before the model was published.
    expect(stages.asKnownThen[0]).toMatchObject({ ...first, cause: 'model' });
    expect(stages.underModelOfNow[0]).toMatchObject({ ...first, cause: 'touch' });
    expect(stages.modelVersion).toBe(MODEL.version);
    const answer = await running.server.fetch(path, { headers: { accept: 'text/csv' } });
    const lines = (await answer.text()).trimEnd().split('\n');
    expect(lines[0]).toBe('list,at,from,to,cause,late,modelVersion');
    expect(lines.slice(1).map((line) => line.split(',')[0])).toEqual([
      ...stages.asKnownThen.map(() => 'asKnownThen'),
      ...stages.underModelOfNow.map(() => 'underModelOfNow'),
    ]);
    await expectProblem(await running.server.fetch('/v1/accounts/nobody/stages'), 404, 'not_found');
  });
});

describe('what people do', () => {
  it('counts in the precision of the rule', async () => {
    const [hot] = await listed('ruleId=hot', 1);
    const answer = await send('POST', `/v1/alerts/${hot!.id}/ack`, { by: 'eve' });
    expect([answer.status, ((await answer.json()) as Alert).state]).toEqual([200, 'acked']);
    await send('POST', `/v1/alerts/${hot!.id}/useful`, { by: 'eve' });
    const { data } = await running.server.get<{ data: Record<string, unknown>[] }>('/v1/alert-rules');
    expect(data.map(({ kind, precision, ruleId }) => [ruleId, kind, precision])).toEqual([
      ['hot', 'threshold', 1],
      ['qualification', 'qualification', null],
      ['stages', 'stages', null],
    ]);
    expect(data[0]).toMatchObject({ told: expect.any(Number) as number, acked: 1, useful: 1, notUseful: 0, rule: { enter: 100 } });
    expect((await listed('state=acked', 1)).map(({ id }) => id)).toEqual([hot!.id]);
  });
});

describe('rules that are not published', () => {
  it('are tried on the accounts as they are', async () => {
    const model = {
      ...MODEL,
      version: 'next',
      thresholds: [{ id: 'hot', metric: 'points', enter: 55 }],
      stages: [{ id: 'sales', qualified: true }],
    };
    const answer = await send('POST', '/v1/alert-rules/test', model);
    expect(answer.status).toBe(200);
    const trial = (await answer.json()) as { accounts: number; modelVersion: string; data: Record<string, unknown>[] };
    expect([trial.accounts, trial.modelVersion]).toEqual([4, MODEL.version]);
    const rows = trial.data.map(({ accountsIn, enter, examples, kind, leave, ruleId, stage }) => ({
      ruleId,
      kind,
      stage,
      accountsIn,
      enter,
      leave,
      examples: (examples as string[]).toSorted(),
    }));
    expect(rows).toEqual([
      { ruleId: 'hot', kind: 'threshold', stage: null, accountsIn: 3, enter: 1, leave: 0, examples: ['acme', 'before', 'crash'] },
      { ruleId: 'qualification', kind: 'qualification', stage: null, accountsIn: 2, enter: 0, leave: 0, examples: ['acme', 'crash'] },
      { ruleId: 'stages', kind: 'stages', stage: 'sales', accountsIn: 2, enter: 0, leave: 0, examples: ['acme', 'crash'] },
    ]);
    expect((await running.server.get<{ version: string }>('/v1/models/current')).version).toBe(MODEL.version);
  });

  it('are told to be wrong as they would be when published', async () => {
    for (const path of ['/v1/models', '/v1/alert-rules/test']) {
      const wrong = {
        ...MODEL,
        version: 'wrong',
        thresholds: [
          { id: 'hot', metric: 'luck', enter: 5 },
          { id: 'up', metric: 'score', enter: 1, exit: 2 },
        ],
      };
      const answer = await send('POST', path, wrong);
      const { errors } = (await answer.clone().json()) as { errors: { pointer: string }[] };
      await expectProblem(answer, 400, 'invalid_request');
      expect(errors.map(({ pointer }) => pointer)).toContain('#/thresholds/0/metric');
    }
    const twice = { ...MODEL, version: 'wrong', stages: [{ id: 'a' }, { id: 'a' }] };
    const { errors } = (await (await send('POST', '/v1/models', twice)).json()) as { errors: { pointer: string; detail: string }[] };
    expect(errors).toEqual([
      expect.objectContaining({ pointer: '#/stages/1/id', detail: expect.stringContaining('used twice') as string }),
    ]);
  });
});

// Other tests count the accounts that they know of.
it('changes of stage are in order, also those that it goes through within one instant', async () => {
  const accounts = Array.from({ length: 8 }, (_, nth) => `at once ${nth}`);
  await running.server.post(
    '/v1/touches',
    accounts.flatMap((accountId) => [
      { accountId, contactId: 'ann', kind: 'meeting' },
      { accountId, contactId: 'bob', kind: 'web_visit' },
    ]),
  );
  type Change = Record<'from' | 'to', string | null>;
  const changesOf = async (accountId: string): Promise<readonly Change[]> => {
    const path = `/v1/accounts/${encodeURIComponent(accountId)}/stages`;
    const { asKnownThen } = await running.server.get<{ asKnownThen: readonly Change[] }>(path);
    return asKnownThen.map(({ from, to }) => ({ from, to }));
  };
  const changes = await Promise.all(
    accounts.map((accountId) =>
      eventually(
        () => changesOf(accountId),
        ({ length }) => length >= 2,
      ),
    ),
  );
  const inOrder = [
    { from: null, to: 'aware' },
    { from: 'aware', to: 'sales' },
  ];
  expect(changes).toEqual(accounts.map(() => inOrder));
});

it('the link of an alert explains the very value that crossed, though more came within its millisecond', async () => {
  await running.server.post(
    '/v1/touches',
    Array.from({ length: 4 }, () => ({ accountId: 'linked', contactId: 'ann', kind: 'meeting' })),
  );
  const [hot] = await listed('accountId=linked&ruleId=hot', 1);
  const { explain } = hot!['links'] as { explain: string };
  const { points, version } = await running.server.get<{ points: number; version: number }>(explain);
  expect([points, version]).toEqual([hot!['currentValue'], hot!['version']]);
});
