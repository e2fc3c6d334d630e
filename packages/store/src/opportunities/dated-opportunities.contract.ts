import type { OpportunityFact } from '@touchstone/engine';
import type { GeneratedEntry } from '@touchstone/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ClickHouseStore } from '../click-house-store.ts';
import type { RowTransport } from '../row-transport.ts';
import { checkpointOf } from '../test-records.ts';

const DAY_MS = 86_400_000;
/** Leap day: 2028-02-29. */
const AT = Date.UTC(2028, 1, 29);

interface Version {
  readonly day: number;
  readonly made?: number;
  readonly outcome?: 'won' | 'lost';
  readonly closed?: number;
}

interface Case {
  readonly says: string;
  /** By the day of their `updatedAt`, and what they tell of creation and close. Stage `demo` while it is open. */
  readonly versions: readonly Version[];
  /** When it was made and closed, and the days it was in stages. */
  readonly made: number;
  readonly closed: number;
  readonly inStages: number;
}

/** Worked by hand. */
const CASES: readonly Case[] = [
  {
    says: 'untold: the first version, and the first closed one',
    versions: [{ day: 10 }, { day: 20, outcome: 'won' }, { day: 30, outcome: 'won' }],
    made: 10,
    closed: 20,
    inStages: 10,
  },
  {
    says: 'a creation that is told once',
    versions: [{ day: 10, made: 2 }, { day: 12 }, { day: 20, outcome: 'won' }],
    made: 2,
    closed: 20,
    inStages: 18,
  },
  {
    says: 'of told ones the newest, of creation and close',
    versions: [
      { day: 10, made: 2 },
      { day: 11, made: 5 },
      { day: 20, outcome: 'won', closed: 18 },
      { day: 21, outcome: 'won', closed: 15 },
      { day: 30, outcome: 'won' },
    ],
    made: 5,
    closed: 15,
    inStages: 10,
  },
  {
    says: 'lost, and then won',
    versions: [{ day: 0 }, { day: 10, outcome: 'lost' }, { day: 15, outcome: 'won' }],
    made: 0,
    closed: 10,
    inStages: 10,
  },
  {
    says: 'won, lost, and won',
    versions: [{ day: 0 }, { day: 10, outcome: 'won' }, { day: 12, outcome: 'lost' }, { day: 15, outcome: 'won' }],
    made: 0,
    closed: 10,
    inStages: 10,
  },
  {
    says: 'lost by a told day, and then won',
    versions: [{ day: 0 }, { day: 10, outcome: 'lost', closed: 8 }, { day: 15, outcome: 'won' }],
    made: 0,
    closed: 8,
    inStages: 8,
  },
  {
    says: 'opened again: a close that was told before is another',
    versions: [{ day: 0 }, { day: 10, outcome: 'won', closed: 9 }, { day: 12 }, { day: 20, outcome: 'lost' }],
    made: 0,
    closed: 20,
    inStages: 9 + 8,
  },
  {
    says: 'closed when it was told of first',
    versions: [
      { day: 10, outcome: 'won' },
      { day: 14, outcome: 'won' },
    ],
    made: 10,
    closed: 10,
    inStages: 0,
  },
];

/** The part of the store's contract about when opportunities were made and closed: whoever asks is told the same. */
export function describeDatedOpportunities(name: string, open: () => Promise<RowTransport>): void {
  describe(`when opportunities were made and closed on ${name}`, () => {
    let store: ClickHouseStore;

    beforeAll(async () => {
      store = new ClickHouseStore(await open());
      await store.migrate();
      const facts = CASES.flatMap(({ says, versions }) => versionsOf(says, versions));
      // The newest come first, as they may.
      const entries = facts
        .toReversed()
        .map((record, offset): GeneratedEntry => ({ partition: 0, offset, appendedAt: AT + 500 * DAY_MS + offset, record }));
      for (let time = 0; time < 2; time++) await store.checkpoint([checkpointOf(store, entries)]);
    });

    afterAll(() => store.close());

    it.each(CASES)('is for lists, win rates and journeys the same: $says', async ({ closed, inStages, made, says, versions }) => {
      const path = await store.opportunityTouches({
        id: says,
        cut: 'closed',
        lookbackMs: DAY_MS,
        kinds: { but: [] },
        now: AT + 400 * DAY_MS,
      });
      expect([(path!.opportunity.createdAt - AT) / DAY_MS, (path!.opportunity.closedAt! - AT) / DAY_MS]).toEqual([made, closed]);
      const filters = { source: [says] };
      const onDay = { from: AT + closed * DAY_MS, to: AT + (closed + 1) * DAY_MS, filters, by: null };
      const wins = versions.at(-1)!.outcome === 'won' ? 1 : 0;
      expect(await store.outcomes(onDay)).toMatchObject([{ won: wins, lost: 1 - wins }]);
      const figures = await store.stageFigures({
        journey: 'opportunities',
        since: AT,
        until: AT + 300 * DAY_MS,
        stalledSince: AT,
        filters,
      });
      expect(figures.reduce((sum, { leftMs }) => sum + leftMs, 0) / DAY_MS).toBe(inStages);
    });
  });
}

function versionsOf(id: string, versions: readonly Version[]): OpportunityFact[] {
  return versions.map(({ closed, day, made, outcome = null }) => ({
    type: 'opportunity',
    id,
    accountId: `account of ${id}`,
    updatedAt: AT + day * DAY_MS,
    name: null,
    stage: outcome ?? 'demo',
    amount: null,
    currency: null,
    source: id,
    owner: null,
    createdAt: made === undefined ? null : AT + made * DAY_MS,
    closedAt: closed === undefined ? null : AT + closed * DAY_MS,
    outcome,
  }));
}
