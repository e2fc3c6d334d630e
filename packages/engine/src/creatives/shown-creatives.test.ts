import { fc, test } from '@fast-check/vitest';
import { EntryRun, historyArbitrary, type GeneratedEntry, type History } from '@touchstone/testkit';
import { describe, expect, it } from 'vitest';
import { defaultModel } from '../default-model.ts';
import { LedgerSet } from '../ledger-set.ts';
import { DEDUPE_HORIZON_MS, PartitionLedgers } from '../ledgers.ts';
import { dayOf } from '../time-slots.ts';
import { FIELD } from '../touch.ts';
import { creativeFigures } from './creative-figures.ts';
import { mostShownInTurns, type ShownCreative, type ShownQuery } from './shown-creatives.ts';

const PARTITIONS = 2;
const hostile = historyArbitrary({ datedAhead: true, partitions: { count: PARTITIONS, of: (key) => key.length % PARTITIONS } });

function emptySet(creativeDays = 90): LedgerSet {
  const set = new LedgerSet();
  set.replace(
    Array.from({ length: PARTITIONS }, (_, partition) => new PartitionLedgers(partition, defaultModel, DEDUPE_HORIZON_MS, creativeDays)),
  );
  return set;
}

function apply(set: LedgerSet, entries: readonly GeneratedEntry[]): void {
  for (const ledgers of set.partitions) {
    const run = new EntryRun(
      ledgers.partition,
      entries.filter(({ partition }) => partition === ledgers.partition),
    );
    while (run.next()) ledgers.take(run, false);
    ledgers.settle();
  }
}

function mostShown(set: LedgerSet, query: ShownQuery, betweenTurns: () => void = () => {}): readonly ShownCreative[] {
  const turns = mostShownInTurns(set, query);
  for (;;) {
    const { done, value } = turns.next();
    if (done === true) return value;
    betweenTurns();
  }
}

/** The same from the reports of campaigns and creatives. */
function reported(set: LedgerSet, { asOf, from, runningFrom, to }: ShownQuery): ShownCreative[] {
  const lately = creativeFigures(set, { from: runningFrom, to, asOf, groupBy: 'campaign' });
  const running = new Set(lately.filter(({ impressions }) => impressions > 0).map(({ campaignId }) => campaignId));
  return creativeFigures(set, { from, to, asOf })
    .filter(({ campaignId, impressions }) => impressions > 0 && running.has(campaignId))
    .map(({ accountsReached, campaignId, clicks, clicksByAccount, creativeId, impressions }) => {
      return { campaignId, creativeId, impressions, clicks, accountsReached, clicksByAccount };
    });
}

const byKey = (shown: readonly ShownCreative[]): ShownCreative[] => shown.toSorted((one, other) => (textOf(one) < textOf(other) ? -1 : 1));
const textOf = ({ campaignId, creativeId }: ShownCreative): string => JSON.stringify([campaignId, creativeId]);
const impressionsOf = (shown: readonly ShownCreative[]): number[] =>
  shown.map(({ impressions }) => impressions).toSorted((one, other) => other - one);

const days = fc.record({ back: fc.integer({ min: 0, max: 20 }), lately: fc.integer({ min: 1, max: 5 }) });

function queryOf(asOf: number, { back, lately }: { back: number; lately: number }): ShownQuery {
  const to = dayOf(asOf);
  return { from: to - back, to, runningFrom: to - Math.min(lately, back + 1) + 1, creativesMax: 1000, asOf };
}

describe('the creatives that are shown most', () => {
  test.prop([hostile, days], { numRuns: 300 })('have the figures that reports give', ({ entries, asOf }: History, asked) => {
    const set = emptySet();
    apply(set, entries);
    const query = queryOf(asOf, asked);
    const shown = mostShown(set, query);
    expect(byKey(shown)).toEqual(byKey(reported(set, query)));
    expect(shown.map(({ impressions }) => impressions)).toEqual(impressionsOf(shown));
  });

  test.prop([hostile, fc.integer({ min: 0, max: 3 })], { numRuns: 100 })(
    'are no more than are asked for',
    ({ entries, asOf }: History, creativesMax) => {
      const set = emptySet();
      apply(set, entries);
      const query = { ...queryOf(asOf, { back: 20, lately: 5 }), creativesMax };
      expect(impressionsOf(mostShown(set, query))).toEqual(impressionsOf(reported(set, query)).slice(0, creativesMax));
    },
  );

  test.prop([hostile, fc.integer({ min: 2, max: 9 }), fc.integer({ min: 1, max: 3 })], { numRuns: 200 })(
    'are those of one instant, whatever is counted between the turns, and leave no view open',
    ({ entries, asOf }: History, tenths, cellsATurn) => {
      const set = emptySet();
      const begin = Math.floor((entries.length * tenths) / 10);
      apply(set, entries.slice(0, begin));
      const query = { ...queryOf(asOf, { back: 20, lately: 5 }), cellsATurn };
      const expected = reported(set, query);
      const rest = entries.slice(begin);
      const shown = mostShown(set, query, () => apply(set, rest.splice(0, 1)));
      expect(byKey(shown)).toEqual(byKey(expected));
      for (const { creatives } of set.partitions) {
        for (let day = query.from; day <= query.to; day++) expect(creatives!.dayOf(day)?.isViewed ?? false).toBe(false);
      }
    },
  );

  it('are one where ids that are no valid text read alike', () => {
    const set = emptySet();
    const asOf = Date.UTC(2026, 2, 1, 12);
    const touch = {
      contactId: null,
      occurredAt: asOf,
      minutes: 0,
      channel: null,
      creativeId: 'one',
      url: null,
      source: null,
      properties: {},
    };
    const entries = Array.from({ length: 40 }, (_, offset): GeneratedEntry => {
      const kind = offset % 3 === 0 ? 'ad_click' : 'ad_impression';
      const record = { ...touch, id: `t${offset}`, accountId: `a${offset % 7}`, kind, campaignId: 'spring' };
      return { partition: 0, offset, appendedAt: asOf, record };
    });
    const ledgers = set.of(0)!;
    const run = new EntryRun(0, entries);
    while (run.next()) {
      // Neither of the two is UTF-8, and both are read as U+FFFD.
      run.touch.bytes[run.touch.start[FIELD.campaignId]!] = run.offset < 30 ? 0xff : 0xfe;
      ledgers.take(run, false);
    }
    ledgers.settle();
    const query = queryOf(asOf, { back: 1, lately: 1 });
    const shown = mostShown(set, query);
    expect(shown).toMatchObject([{ campaignId: '\ufffdpring', impressions: 26, clicks: 14, accountsReached: 7 }]);
    expect(shown).toEqual(reported(set, query));
  });

  it('are none where none are kept', () => {
    expect(mostShown(emptySet(0), { from: 0, to: 1, runningFrom: 0, creativesMax: 5, asOf: 0 })).toEqual([]);
  });
});
