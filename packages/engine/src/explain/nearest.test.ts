import { fc, test } from '@fast-check/vitest';
import type { GeneratedEntry } from '@touchstone/testkit';
import { describe, expect, it } from 'vitest';
import type { Fact } from '../fact.ts';
import { scoringModelSchema, type ScoringModel } from '../model.ts';
import { AccountPast, replayAccount } from './account-past.ts';
import { nearestOf } from './nearest.ts';
import { recordsOf } from './test-history.ts';

const DAY_MS = 86_400_000;
/** At a whole number of half-lives, so that weights are round. */
const T = 14 * 1472 * DAY_MS;

const nothing = { channel: null, campaignId: null, creativeId: null, url: null, source: null, properties: {} };
const unsaid = { name: null, domains: [], industry: null, employees: null, targetList: null, owner: null, parentId: null, attributes: {} };

function entriesOf(records: readonly object[]): GeneratedEntry[] {
  return records.map((record, offset) => ({
    partition: 0,
    offset,
    appendedAt: T,
    record: ('type' in record ? record : { id: `t${offset}`, accountId: 'acme', ...nothing, ...record }) as GeneratedEntry['record'],
  }));
}
const touch = (contactId: string | null, kind: string, occurredAt = T, minutes = 0) => ({ contactId, kind, occurredAt, minutes });
const account = (tier: string): Fact => ({ type: 'account', id: 'acme', updatedAt: T, tier, ...unsaid });

async function pastOf(records: readonly object[], model: ScoringModel, asOf = T): Promise<AccountPast> {
  const past = new AccountPast({ partition: 0, accountId: 'acme', model, asOf });
  await replayAccount(recordsOf('acme', entriesOf(records)), [past]);
  return past;
}

const rules = [
  { id: 'meetings', kind: 'meeting', points: 30, pointsPerMinute: 0.5, maxMinutes: 60 },
  { id: 'visits', kind: 'web_visit', points: 1, dailyCap: 5 },
  { id: 'minutes', kind: 'chat', pointsPerMinute: 2, maxMinutes: 10 },
  { id: 'bounces', kind: 'bounce', points: -3 },
];

describe('what is missing to a threshold', () => {
  const model = scoringModelSchema.parse({
    version: 'm',
    rules,
    thresholds: [
      { id: 'hot', metric: 'points', enter: 100, exit: 80, byTier: { A: { enter: 70 } } },
      { id: 'half', metric: 'score', enter: 50 },
      { id: 'all', metric: 'score', enter: 100 },
      { id: 'people', metric: 'contacts.30d', enter: 3 },
      { id: 'warm', metric: 'points', enter: 10 },
      { id: 'only-b', metric: 'points', enter: 1, filter: { tier: 'B' } },
    ],
  });

  it('is told in the metric, in points, and in touches that would do; the nearest first, those for others left out', async () => {
    const { thresholds } = nearestOf(await pastOf([touch('ada', 'meeting')], model));
    expect(thresholds.map(({ id, missing, pointsMissing }) => [id, missing, pointsMissing])).toEqual([
      ['half', expect.closeTo(50 - 100 * (1 - 2 ** -0.3), 9), expect.closeTo(70, 9)],
      ['people', 2, null],
      ['hot', 70, 70],
      ['all', expect.closeTo(100 * 2 ** -0.3, 9), null],
      ['warm', 0, 0],
    ]);
    expect(thresholds[2]!.wouldDo).toEqual([
      { ruleId: 'meetings', kind: 'meeting', touches: 3, lasting: { minutes: 60, touches: 2 }, dailyCap: null },
      { ruleId: 'minutes', kind: 'chat', touches: null, lasting: { minutes: 10, touches: 4 }, dailyCap: null },
      { ruleId: 'visits', kind: 'web_visit', touches: 70, lasting: null, dailyCap: 5 },
    ]);
  });

  it('is that of the tier of the account', async () => {
    const { thresholds } = nearestOf(await pastOf([touch('ada', 'meeting'), account('A')], model));
    expect(thresholds.find(({ id }) => id === 'hot')).toMatchObject({ enter: 70, exit: 70, missing: 40, pointsMissing: 40 });
  });

  test.prop([fc.array(fc.nat(30), { maxLength: 20 }), fc.double({ min: 0.001, max: 99, noNaN: true })], { numRuns: 50 })(
    'is enough: so many touches reach it, and one less does not',
    async (days, enter) => {
      const asked = scoringModelSchema.parse({ version: 'm', rules, thresholds: [{ id: 's', metric: 'score', enter }] });
      const records = [touch('bo', 'bounce'), ...days.map((day) => touch('ada', 'meeting', T - day * DAY_MS, day))];
      const [standing] = nearestOf(await pastOf(records, asked)).thresholds;
      for (const { kind, lasting, touches } of standing!.wouldDo.filter(({ dailyCap }) => dailyCap === null)) {
        for (const [count, minutes] of [[touches, 0] as const, [lasting?.touches ?? null, lasting?.minutes ?? 0] as const]) {
          if (count === null) continue;
          const more = (times: number) => Array.from({ length: times }, () => touch(null, kind, T, minutes));
          const scoreWith = async (times: number) => (await pastOf([...records, ...more(times)], asked)).view!.score;
          expect(await scoreWith(count)).toBeGreaterThan(enter * (1 - 1e-12));
          expect(await scoreWith(count - 1)).toBeLessThan(enter * (1 + 1e-12));
        }
      }
    },
  );
});

it('a level that sums miss by their last digit is reached, as it is for alerts', async () => {
  const model = scoringModelSchema.parse({
    version: 'm',
    rules: [
      { id: 'most', kind: 'meeting', points: 0.7 },
      { id: 'rest', kind: 'web_visit', points: 0.1 },
    ],
    thresholds: [{ id: 'hot', metric: 'points', enter: 0.8 }],
    qualification: { atLeast: 1, of: [{ metric: 'points', atLeast: 0.8 }], minContacts: 1 },
  });
  const past = await pastOf([touch('ada', 'meeting'), touch('ada', 'web_visit')], model);
  expect(past.points).toBeLessThan(0.8);
  const { qualification, thresholds } = nearestOf(past);
  expect(thresholds).toMatchObject([{ isReached: true, missing: 0, pointsMissing: 0, wouldDo: [] }]);
  expect(qualification).toMatchObject({ isQualified: true, criteria: [{ isMet: true }] });
});

describe('qualification and stage', () => {
  const model = scoringModelSchema.parse({
    version: 'm',
    rules,
    qualification: {
      exclude: { tier: 'excluded' },
      atLeast: 2,
      of: [
        { metric: 'points', atLeast: 50, byTier: { A: 30 } },
        { id: 'met', metric: 'kind.meeting.30d', atLeast: 1 },
        { metric: 'minutes.7d', atLeast: 1000 },
      ],
      minContacts: 2,
      actNow: [{ kind: 'form_fill', where: { url: '*demo*' } }],
      actNowDays: 3,
    },
    stages: [
      { id: 'aware', engaged: true },
      { id: 'mqa', qualified: true },
      { id: 'sale', opportunity: 'open', metrics: [{ metric: 'reach', atLeast: 1 }] },
      { id: 'customer', opportunity: 'won' },
    ],
  });
  const demo = (occurredAt: number) => ({ ...touch('ada', 'form_fill', occurredAt), url: '/demo/1' });
  const opportunity = (id: string, updatedAt: number, outcome: 'won' | 'lost' | null): Fact => ({
    type: 'opportunity',
    id,
    accountId: 'acme',
    updatedAt,
    outcome,
    name: null,
    stage: null,
    amount: null,
    currency: null,
    source: null,
    owner: null,
    createdAt: null,
    closedAt: null,
  });
  const lone = { isQualified: false, isNear: true, isActNow: false, isCandidate: true, criteriaMissing: 0, contactsMissing: 1 };
  const rows: [what: string, records: object[], expected: object, stage: string | null][] = [
    ['nobody engaged', [touch('ada', 'email_open')], { isQualified: false, isNear: false, criteriaMissing: 2, contactsMissing: 2 }, null],
    ['one contact alone', [touch('ada', 'meeting', T, 60)], lone, 'aware'],
    ['two contacts', [touch('ada', 'meeting', T, 60), touch('bo', 'web_visit')], { isQualified: true, isNear: false }, 'mqa'],
    [
      'one criterion missing',
      [touch('ada', 'meeting'), touch('bo', 'web_visit')],
      { isQualified: false, isNear: true, criteriaMissing: 1, contactsMissing: 0 },
      'aware',
    ],
    ['a lower level for the tier', [touch('ada', 'meeting'), touch('bo', 'web_visit'), account('A')], { isQualified: true }, 'mqa'],
    [
      'an excluded account',
      [touch('ada', 'meeting', T, 60), touch('bo', 'web_visit'), account('excluded')],
      { isQualified: false, isCandidate: false, isNear: false },
      'aware',
    ],
    ['a touch to act on now', [demo(T - 2 * DAY_MS)], { isQualified: true, isActNow: true }, 'mqa'],
    ['one that is too long ago', [demo(T - 3 * DAY_MS)], { isQualified: false, isActNow: false }, 'aware'],
    ['one dated a little ahead, as its points do', [demo(T + 1000)], { isQualified: true, isActNow: true }, 'mqa'],
    ['an opportunity', [touch('ada', 'call'), opportunity('o1', T, null)], { isQualified: false }, 'sale'],
    [
      'one that was won',
      [touch('ada', 'call'), opportunity('o1', T, null), opportunity('o1', T, 'won')],
      { isQualified: false },
      'customer',
    ],
    ['an older word that came later', [opportunity('o1', T, 'lost'), opportunity('o1', T - 1, 'won')], { isQualified: false }, null],
  ];
  it.each(rows)('of %s', async (_what, records, expected, stage) => {
    const { standing } = await pastOf(records, model);
    expect(standing.qualification).toMatchObject(expected);
    expect(standing.stage).toBe(stage);
  });

  it('names each criterion with its value and level', async () => {
    const { qualification } = nearestOf(await pastOf([touch('ada', 'meeting'), account('A')], model));
    expect(qualification!.criteria).toEqual([
      { id: 'points', metric: 'points', value: 30, atLeast: 30, isMet: true },
      { id: 'met', metric: 'kind.meeting.30d', value: 1, atLeast: 1, isMet: true },
      { id: 'minutes.7d', metric: 'minutes.7d', value: 0, atLeast: 1000, isMet: false },
    ]);
  });
});
