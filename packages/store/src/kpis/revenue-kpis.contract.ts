import type { Alert } from '@touchstone/engine';
import type { GeneratedEntry } from '@touchstone/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RowTransport } from '../row-transport.ts';
import { checkpointOf, PLAIN_TOUCH } from '../test-records.ts';
import { accountFact, dealFact, leadFact } from './test-facts.ts';
import { KpiWorld, type Question } from './test-kpi-world.ts';

const at = (text: string): number => Date.parse(text);
const near = (value: number): unknown => expect.closeTo(value, 9);

const TOUCHES = [
  ['a1', '2027-11-01T00:00:00Z', 'web_visit'],
  ['a1', '2028-01-31T00:00:00Z', 'ad_click'],
  ['a2', '2028-02-20T00:00:00Z', 'meeting'],
  // More than 90 days before, and after.
  ['a3', '2027-01-01T00:00:00Z', 'web_visit'],
  ['a3', '2028-02-29T12:00:00Z', 'web_visit'],
  ['a4', '2020-01-15T00:00:00Z', 'web_visit'],
] as const;

const LOST_IN_2020 = { closedAt: '2020-06-01T00:00:00Z', outcome: 'lost' } as const;

const FACTS = [
  accountFact('a1', { targetList: true }),
  accountFact('a2'),
  accountFact('a3'),
  dealFact('o1', 'a1', '2028-02-01T00:00:00Z', { closedAt: '2028-02-29T00:00:00Z', outcome: 'won', amount: 1000 }),
  dealFact('o2', 'a2', '2028-02-21T00:00:00Z', { closedAt: '2028-02-29T23:59:59.999Z', outcome: 'lost', amount: 400 }),
  dealFact('o3', 'a3', '2028-02-29T12:00:00Z', { amount: 600 }),
  dealFact('o4', 'a2', '2028-01-01T00:00:00Z', { closedAt: '2028-02-10T00:00:00Z', outcome: 'won' }),
  // In the next month by UTC, and still in February by New York.
  dealFact('o5', 'a2', '2028-01-01T00:00:00Z', { closedAt: '2028-03-01T04:00:00Z', outcome: 'lost' }),
  // One touch before several opportunities of an account, two of them made at one instant; 90 days after it, and a millisecond more.
  dealFact('o6', 'a4', '2020-02-01T00:00:00Z', { ...LOST_IN_2020, amount: 100 }),
  dealFact('o7', 'a4', '2020-03-01T00:00:00Z', { ...LOST_IN_2020, amount: 200 }),
  dealFact('o8', 'a4', '2020-03-01T00:00:00Z', { ...LOST_IN_2020, amount: 300 }),
  dealFact('o9', 'a4', '2020-04-14T00:00:00Z', { ...LOST_IN_2020, amount: 400 }),
  dealFact('o10', 'a4', '2020-04-14T00:00:00.001Z', { ...LOST_IN_2020, amount: 600 }),
  // A version that comes late is older.
  dealFact('o1', 'a1', '2028-02-01T00:00:00Z', { updatedAt: '2026-04-01T00:00:00Z', amount: 5 }),
  leadFact('l1', '2028-01-01T00:00:00Z', { qualifiedAt: '2028-02-29T00:00:00Z', accountId: 'a1' }),
  leadFact('l2', '2028-01-01T00:00:00Z', { qualifiedAt: '2028-01-31T00:00:00Z' }),
  leadFact('l3', '2028-01-01T00:00:00Z', { qualifiedAt: '2028-01-30T00:00:00Z' }),
  leadFact('l4', '2029-01-01T00:00:00Z', { qualifiedAt: '2029-03-10T00:00:00Z', accountId: 'a4' }),
  leadFact('l5', '2029-01-01T00:00:00Z', { status: 'MQL', accountId: 'a5', updatedAt: '2029-06-10T00:00:00Z' }),
  leadFact('l5', '2029-01-01T00:00:00Z', { status: 'MQL', accountId: 'a5', updatedAt: '2029-07-10T00:00:00Z' }),
];

/** Steps under `qualification`: account, when, by which model. */
const QUALIFIED = [
  ['a1', 1, '2028-01-10T00:00:00Z', 'up'],
  ['a1', 2, '2028-02-01T00:00:00Z', 'down'],
  ['a1', 3, '2028-02-02T00:00:00Z', 'up'],
  ['a1', 4, '2028-02-03T00:00:00Z', 'down'],
  ['a1', 5, '2028-02-04T00:00:00Z', 'up'],
  ['a2', 1, '2028-02-05T00:00:00Z', 'up'],
  ['a3', 1, '2028-02-06T00:00:00Z', 'up'],
  ['a4', 1, '2029-05-10T00:00:00Z', 'up'],
] as const;

const FEBRUARY = { from: '2028-02-01T00:00:00Z', to: '2028-03-01T00:00:00Z' };
const NEW_YORK = { from: '2028-02-01T05:00:00Z', to: '2028-03-01T05:00:00Z', timeZone: 'America/New_York' };
const MARCH_2020 = { from: '2020-03-01T00:00:00Z', to: '2020-04-01T00:00:00Z' };
const APRIL_2020 = { from: '2020-04-01T00:00:00Z', to: '2020-05-01T00:00:00Z' };
const LONG_AGO = { from: '1999-03-01T00:00:00Z', to: '1999-04-01T00:00:00Z' };

function monthOf2029(month: number, qualifiedBy: string): Question {
  return { from: `2029-0${month}-01T00:00:00Z`, to: `2029-0${month + 1}-01T00:00:00Z`, parameters: { qualifiedBy } };
}

/** Worked by hand from the facts above. */
const CASES: readonly (readonly [says: string, kpi: string, question: Question, answer: object])[] = [
  [
    '2 of 3 closed',
    'win_rate',
    FEBRUARY,
    { value: near((2 / 3) * 100), numerator: 2, denominator: 3, figures: { targetList: 100, rest: 50 } },
  ],
  ['a month is that of the zone', 'win_rate', NEW_YORK, { value: 50, numerator: 2, denominator: 4 }],
  ['nothing closed', 'win_rate', LONG_AGO, { value: null, reason: 'no opportunity was closed in the period' }],
  [
    // In work: o1, o2, o4 closed, o3 and o5 open. Won: 28 and 40 days. First touches: a1 92 days before o1, a2 1 day before o2, a3 before o3.
    '5 x 2/3 x 1000 / 34 days',
    'sales_velocity',
    FEBRUARY,
    {
      value: near((5 * (2 / 3) * 1000) / 34),
      denominator: 34,
      figures: {
        cycleDays: 34,
        medianCycleDays: 34,
        inWork: 5,
        meanValue: 1000,
        medianFirstTouchDays: 92,
        firstTouchDays: near((92 + 1 + 424.5) / 3),
      },
    },
  ],
  ['nothing was won', 'sales_velocity', LONG_AGO, { value: null, reason: 'no opportunity was closed in the period' }],
  ['1000 of 2000', 'marketing_influence', FEBRUARY, { value: 50, numerator: 1000, denominator: 2000, figures: { revenue: 100 } }],
  ['a touch before an earlier one', 'marketing_influence', MARCH_2020, { value: 100, numerator: 500 }],
  ['90 days, and more', 'marketing_influence', APRIL_2020, { value: 40, numerator: 400, denominator: 1000 }],
  ['no pipeline', 'marketing_influence', LONG_AGO, { value: null, reason: 'no opportunity with an amount was made in the period' }],
  ['3 accounts after 1', 'lvr', { ...FEBRUARY, parameters: { qualifiedBy: 'mqa' } }, { value: 200, figures: { qualified: 3, before: 1 } }],
  [
    'up to the same point',
    'lvr',
    { from: FEBRUARY.from, to: '2028-02-05T00:00:00Z', parameters: { qualifiedBy: 'mqa' } },
    { value: null, figures: { qualified: 1, before: 0 } },
  ],
  ['1 lead after 2', 'lvr', { ...FEBRUARY, parameters: { qualifiedBy: 'crm' } }, { value: -50 }],
  ['by month of the zone', 'lvr', { ...NEW_YORK, parameters: { qualifiedBy: 'crm' } }, { value: -50 }],
  ['where both say so', 'lvr', { ...FEBRUARY, parameters: { qualifiedBy: 'both' } }, { value: null, figures: { qualified: 1, before: 0 } }],
  ['where either does', 'lvr', { ...FEBRUARY, parameters: { qualifiedBy: 'either' } }, { value: 0, figures: { qualified: 3, before: 3 } }],
  ['which is at the earlier', 'lvr', monthOf2029(3, 'either'), { figures: { qualified: 1, before: 0 } }],
  ['and not again at the later', 'lvr', monthOf2029(5, 'either'), { figures: { qualified: 0, before: 0 } }],
  ['by the first version with a status', 'lvr', monthOf2029(6, 'crm'), { figures: { qualified: 1, before: 0 } }],
  ['and by no later one', 'lvr', monthOf2029(7, 'crm'), { value: -100, figures: { qualified: 0, before: 1 } }],
];

/** The KPIs that need more than facts. */
export function describeRevenueKpis(name: string, open: () => Promise<RowTransport>): void {
  describe(`KPIs of touches and alerts on ${name}`, () => {
    let world: KpiWorld;

    beforeAll(async () => {
      world = new KpiWorld(await open());
      await world.store.migrate();
      await world.tell(FACTS);
      const touches = TOUCHES.map(([accountId, occurredAt, kind], index): GeneratedEntry => ({
        partition: 1,
        offset: index,
        appendedAt: at(occurredAt),
        record: { ...PLAIN_TOUCH, id: `t${index}`, accountId, kind, occurredAt: at(occurredAt) },
      }));
      const transitions = QUALIFIED.map(([accountId, step, when, direction]) => {
        const alert = {
          id: `${accountId} ${step}`,
          accountId,
          ruleId: 'qualification',
          type: 'account.mqa.entered',
          direction,
          at: at(when),
        };
        return { step, offset: step, isHeld: false, alert: { ...alert, modelVersion: 'm' } as unknown as Alert };
      });
      for (let time = 0; time < 2; time++) await world.store.checkpoint([checkpointOf(world.store, touches, { transitions })]);
    });

    afterAll(() => world.store.close());

    it.each(CASES)('%s: %s', async (_says, kpi, question, expected) => {
      expect(await world.ask(kpi, question)).toMatchObject(expected);
    });

    it('of segments come to the whole', async () => {
      const whole = await world.ask('lvr', { ...FEBRUARY, parameters: { qualifiedBy: 'mqa' }, segmentBy: 'targetList' });
      expect(whole.segments.reduce((sum, { figures }) => sum + (figures['qualified'] ?? 0), 0)).toBe(3);
      const influence = await world.ask('marketing_influence', { ...FEBRUARY, segmentBy: 'targetList' });
      expect(influence.segments.map(({ denominator, numerator, segment }) => [segment, numerator, denominator])).toEqual([
        ['false', 0, 1000],
        ['true', 1000, 1000],
      ]);
    });
  });
}
