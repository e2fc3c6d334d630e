import type { OpportunityFact } from '@touchstone/engine';
import { stageFlow } from '@touchstone/kpis';
import type { GeneratedEntry } from '@touchstone/testkit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ClickHouseStore } from '../click-house-store.ts';
import type { RowTransport } from '../row-transport.ts';
import { checkpointOf } from '../test-records.ts';

const DAY_MS = 86_400_000;
/** Leap day: 2028-02-29. */
const AT = Date.UTC(2028, 1, 29);

interface Version {
  readonly day: number;
  readonly stage: string;
  readonly created?: number;
  readonly closed?: number;
  readonly outcome?: 'won' | 'lost';
}

/** Versions of an opportunity by the day of their `updatedAt`, in the order they come. */
function versionsOf(id: string, versions: readonly Version[], source = 'web'): OpportunityFact[] {
  return versions.map(({ closed, created = 0, day, outcome = null, stage }) => ({
    type: 'opportunity',
    id,
    accountId: `account of ${id}`,
    updatedAt: AT + day * DAY_MS,
    name: null,
    stage,
    amount: null,
    currency: null,
    source,
    owner: null,
    createdAt: AT + created * DAY_MS,
    closedAt: closed === undefined ? null : AT + closed * DAY_MS,
    outcome,
  }));
}

/** The part of the store's contract about stays of opportunities in stages. */
export function describeOpportunityStays(name: string, open: () => Promise<RowTransport>): void {
  describe(`stays of opportunities on ${name}`, () => {
    let store: ClickHouseStore;

    beforeEach(async () => {
      store = new ClickHouseStore(await open());
      await store.migrate();
    });

    afterEach(() => store.close());

    async function save(facts: readonly OpportunityFact[]): Promise<void> {
      const entries = facts.map((record, offset): GeneratedEntry => ({
        partition: 0,
        offset,
        appendedAt: AT + 500 * DAY_MS + offset,
        record,
      }));
      for (let time = 0; time < 2; time++) await store.checkpoint([checkpointOf(store, entries)]);
    }

    const ofDays = (from: number, to: number, stalledDays = 30) => ({
      journey: 'opportunities' as const,
      since: AT + from * DAY_MS,
      until: AT + to * DAY_MS,
      stalledSince: AT + (to - stalledDays) * DAY_MS,
    });

    it('begin with the first version of a stage and end with the next stage or the close', async () => {
      await save([
        // Made on day 0, first told of on day 2; the version of day 5 comes before that of day 3, and the amount of day 6 changes no stage.
        ...versionsOf('one', [
          { day: 2, stage: 'prospect' },
          { day: 5, stage: 'proposal' },
          { day: 3, stage: 'demo' },
          { day: 6, stage: 'proposal' },
          { day: 12, stage: 'won', outcome: 'won', closed: 10 },
        ]),
        // Lost, then the date of it is corrected.
        ...versionsOf('two', [
          { day: 0, stage: 'prospect' },
          { day: 4, stage: 'lost', outcome: 'lost', closed: 9 },
          { day: 5, stage: 'lost', outcome: 'lost', closed: 4 },
        ]),
        // Goes back, and goes on.
        ...versionsOf(
          'three',
          [
            { day: 1, stage: 'prospect' },
            { day: 2, stage: 'demo' },
            { day: 8, stage: 'prospect' },
          ],
          'event',
        ),
      ]);
      const figures = await store.stageFigures(ofDays(0, 20, 10));
      const flows = new Map(figures.map((one) => [one.stage, { ...stageFlow({ ...one, balanceAtEnd: one.balance }), stays: one.stays }]));
      // Stays: one 0-3, two 0-4, three 0-2 and 8-. Demo: one 3-5, three 2-8. Proposal: one 5-10.
      expect(flows.get('prospect')).toEqual({
        balanceAtStart: 0,
        entered: 4,
        left: 3,
        balance: 1,
        conversion: 0.5,
        meanDays: 3,
        medianDays: 3,
        stalled: 1,
        stays: [
          { hours: 48, ended: 1, open: 0 },
          { hours: 72, ended: 1, open: 0 },
          { hours: 96, ended: 1, open: 0 },
          { hours: 288, ended: 0, open: 1 },
        ],
      });
      expect(flows.get('demo')).toMatchObject({ entered: 2, left: 2, balance: 0, conversion: 0.5, meanDays: 4, medianDays: 2 });
      expect(flows.get('proposal')).toMatchObject({ entered: 1, left: 1, balance: 0, conversion: 1, meanDays: 5 });
      expect(figures.toSorted((a, b) => a.place - b.place).map(({ stage }) => stage)).toEqual(['prospect', 'demo', 'proposal']);
    });

    it('balance in any period, and by source', async () => {
      let seed = 5;
      const next = (below: number): number => (seed = (seed * 48_271) % 2_147_483_647) % below;
      const stages = ['prospect', 'demo', 'proposal'];
      const facts = Array.from({ length: 60 }, (_, index) => {
        let day = next(50);
        const created = day;
        const versions = Array.from({ length: 1 + next(5) }, (): Version => {
          const one = { day, created, stage: stages[next(3)]! };
          day += next(20);
          return one;
        });
        if (next(2) === 0)
          versions.push({ day, created, stage: 'closed', closed: day - next(30), outcome: (['won', 'lost'] as const)[next(2)]! });
        return versionsOf(`o${index}`, versions, ['web', 'event', ''][next(3)]);
      }).flat();
      await save(facts);
      for (const [from, to] of [
        [0, 300],
        // Some are not made yet.
        [0, 10],
        [20, 50],
        [50, 51],
        [100, 120],
      ] as const) {
        const whole = await store.stageFigures(ofDays(from, to));
        const before = await store.stageFigures(ofDays(from - 20, from));
        const wereIn = (stage: string): number => before.find((one) => one.stage === stage)?.balance ?? 0;
        expect(whole.map(({ balanceAtStart }) => balanceAtStart)).toEqual(whole.map(({ stage }) => wereIn(stage)));
        for (const one of whole) stageFlow({ ...one, balanceAtEnd: one.balance });
        const bySource = await store.stageFigures({ ...ofDays(from, to), by: 'source' });
        for (const { balance, entered, left, stage } of whole) {
          const parts = bySource.filter((one) => one.stage === stage);
          const sum = (of: (one: (typeof parts)[number]) => number): number => parts.reduce((all, one) => all + of(one), 0);
          expect([sum((one) => one.balance), sum((one) => one.entered), sum((one) => one.left)]).toEqual([balance, entered, left]);
        }
        const event = await store.stageFigures({ ...ofDays(from, to), filters: { source: ['event'] } });
        const figuresOf = ({ advanced, balance, entered, left, stage, stays }: (typeof event)[number]) => ({
          advanced,
          balance,
          entered,
          left,
          stage,
          stays,
        });
        const inGroup = bySource.filter(({ group }) => group === 'event');
        expect(event.map((one) => ({ ...figuresOf(one), advanced: 0 }))).toEqual(
          inGroup.map((one) => ({ ...figuresOf(one), advanced: 0 })),
        );
      }
    });

    it('end with a close that is told late, and come to the same whenever they are asked', async () => {
      await save(
        versionsOf('backdated', [
          { day: 1, stage: 'prospect' },
          { day: 30, stage: 'demo' },
          { day: 32, stage: 'won', outcome: 'won', closed: 20 },
        ]),
      );
      const earlier = await store.stageFigures(ofDays(0, 25));
      // What was in its stage after the close was in it for no time.
      expect(earlier.map(({ balance, entered, left, leftMs, stage }) => [stage, balance, entered, left, leftMs / DAY_MS])).toEqual([
        ['demo', 0, 1, 1, 0],
        ['prospect', 0, 1, 1, 20],
      ]);
      const later = await store.stageFigures(ofDays(25, 60));
      expect(later.map(({ balanceAtStart, entered, left }) => [balanceAtStart, entered, left])).toEqual([
        [0, 0, 0],
        [0, 0, 0],
      ]);
    });

    it('that are long come a page at a time', async () => {
      await save(['b', 'a', 'c'].flatMap((id, index) => versionsOf(id, [{ day: 0, created: index === 2 ? -3 : 0, stage: 'demo' }])));
      const query = { ...ofDays(0, 60), limit: 2 };
      const page = await store.stalledStays(query);
      expect(page.map(({ accountId, id, stage }) => [id, accountId, stage])).toEqual([
        ['c', 'account of c', 'demo'],
        ['a', 'account of a', 'demo'],
      ]);
      expect((await store.stalledStays({ ...query, after: page[1]! })).map(({ id }) => id)).toEqual(['b']);
      expect(await store.stalledStays({ ...query, stage: 'other' })).toEqual([]);
    });
  });
}
