import { fc, test } from '@fast-check/vitest';
import { creativesOf, EntryRun, historyArbitrary, type CreativeReference, type GeneratedEntry, type History } from '@touchstone/testkit';
import { describe, expect, it } from 'vitest';
import { defaultModel } from '../default-model.ts';
import { LedgerSet } from '../ledger-set.ts';
import { DEDUPE_HORIZON_MS, OUTCOME, PartitionLedgers } from '../ledgers.ts';
import type { ScoringModel } from '../model.ts';
import { RescoredSums } from '../rescored-sums.ts';
import { dayOf } from '../time-slots.ts';
import {
  compareCreativesInTurns,
  creativeDaysKept,
  creativeFigures,
  creativeFiguresInTurns,
  isCreativeKnown,
  type ComparedCreative,
  type CreativeFigures,
  type CreativeQuery,
} from './creative-figures.ts';

const PARTITIONS = 2;
const partitionOf = (key: string): number => key.length % PARTITIONS;
const hostile = historyArbitrary({ datedAhead: true, partitions: { count: PARTITIONS, of: partitionOf } });

function modelOf(entries: readonly GeneratedEntry[]): ScoringModel {
  let model = defaultModel;
  for (const { record } of entries) if ('type' in record && record.type === 'model') ({ model } = record);
  return model;
}

function emptySet(model: ScoringModel, creativeDays = 90): LedgerSet {
  const set = new LedgerSet();
  set.replace(
    Array.from({ length: PARTITIONS }, (_, partition) => new PartitionLedgers(partition, model, DEDUPE_HORIZON_MS, creativeDays)),
  );
  return set;
}

/** @returns what counted: it is in the store */
function apply(set: LedgerSet, entries: readonly GeneratedEntry[], isStored = false): GeneratedEntry[] {
  const kept: GeneratedEntry[] = [];
  for (const ledgers of set.partitions) {
    const own = entries.filter(({ partition }) => partition === ledgers.partition);
    const run = new EntryRun(ledgers.partition, own);
    for (let i = 0; run.next(); i++) {
      const outcome = ledgers.take(run, isStored);
      if (outcome !== OUTCOME.duplicate && outcome !== OUTCOME.setAside) kept.push(own[i]!);
    }
    ledgers.settle();
  }
  return kept;
}

function setOf(entries: readonly GeneratedEntry[], creativeDays = 90): LedgerSet {
  const set = emptySet(modelOf(entries), creativeDays);
  apply(set, entries);
  return set;
}

const textOf = ({ campaignId, creativeId }: { campaignId: string | null; creativeId: string | null }): string =>
  JSON.stringify([campaignId, creativeId]);

/** Counts exactly; minutes and points, which are added up in another order, to some digits. */
function expectEqual(found: readonly CreativeFigures[], expected: readonly CreativeReference[]): void {
  const byKey = new Map(expected.map((one) => [textOf(one), one]));
  expect(found.map(textOf).sort()).toEqual([...byKey.keys()].sort());
  for (const { clicksByAccount, minutes, points, ...counts } of found) {
    const { byAccount, minutes: minutesExpected, points: pointsExpected, ...expectedCounts } = byKey.get(textOf(counts))!;
    expect(counts).toEqual(expectedCounts);
    expectClose(minutes, minutesExpected);
    expectClose(points, pointsExpected);
    const sum = (of: (one: { impressions: number; clicks: number }) => number): number => byAccount.reduce((all, one) => all + of(one), 0);
    expect(clicksByAccount).toEqual({
      accounts: byAccount.length,
      impressionsSquared: sum(({ impressions }) => impressions ** 2),
      clicksSquared: sum(({ clicks }) => clicks ** 2),
      impressionsByClicks: sum(({ clicks, impressions }) => clicks * impressions),
    });
  }
}

function expectClose(found: number, expected: number): void {
  expect(Math.abs(found - expected)).toBeLessThanOrEqual(1e-9 * Math.max(Math.abs(expected), 1e-6));
}

const range = fc.record({ back: fc.integer({ min: 0, max: 89 }), length: fc.integer({ min: 1, max: 91 }) });

function daysOf(asOf: number, { back, length }: { back: number; length: number }): { from: number; to: number } {
  const from = dayOf(asOf) - back;
  return { from, to: Math.min(from + length - 1, dayOf(asOf) + 1) };
}

describe('figures of creatives', () => {
  test.prop([hostile, range, fc.boolean()], { numRuns: 300 })(
    'equal a recomputation by definition, over all partitions',
    ({ entries, asOf }: History, asked, byCampaign) => {
      const days = daysOf(asOf, asked);
      const query: CreativeQuery = { ...days, asOf, groupBy: byCampaign ? 'campaign' : 'creative' };
      expectEqual(creativeFigures(setOf(entries), query), creativesOf(entries, { ...days, asOf, byCampaign }));
    },
  );

  test.prop([hostile, range], { numRuns: 100 })('leave accounts out, by account', ({ entries, asOf }: History, asked) => {
    const days = daysOf(asOf, asked);
    const isWanted = (accountId: string): boolean => accountId !== 'acme.example';
    const accountFilter = (ledgers: PartitionLedgers, account: number): boolean => isWanted(ledgers.accounts.names.text(account));
    expectEqual(
      creativeFigures(setOf(entries), { ...days, asOf, accountFilter }),
      creativesOf(entries, { ...days, asOf, accounts: isWanted }),
    );
  });

  test.prop([hostile, fc.integer({ min: 1, max: 3 })], { numRuns: 150 })(
    'are whole for the days that are kept, though older ones were dropped',
    ({ entries, asOf }: History, creativeDays) => {
      const set = setOf(entries, creativeDays);
      const days = creativeDaysKept(set, asOf)!;
      expect(days.to - days.from).toBe(creativeDays);
      expectEqual(creativeFigures(set, { ...days, asOf }), creativesOf(entries, { ...days, asOf }));
    },
  );

  test.prop([hostile, range], { numRuns: 100 })(
    'come out the same to the last bit when what counted is replayed',
    ({ entries, asOf }: History, asked) => {
      const query = { ...daysOf(asOf, asked), asOf };
      const live = emptySet(modelOf(entries));
      const replayed = emptySet(modelOf(entries));
      apply(replayed, apply(live, entries), true);
      expect(creativeFigures(replayed, query)).toEqual(creativeFigures(live, query));
    },
  );

  test.prop([hostile, range, fc.double({ min: 0, max: 1, noNaN: true }), fc.integer({ min: 1, max: 90 })], { numRuns: 150 })(
    'come out the same to the last bit when another model took over on the way',
    ({ entries, asOf }: History, asked, takeoverAt, creativeDays) => {
      const model = modelOf(entries);
      const days = daysOf(asOf, asked);
      const live = emptySet(defaultModel, creativeDays);
      const takeover = Math.floor(entries.length * takeoverAt);
      const before = apply(live, entries.slice(0, takeover));
      for (const ledgers of live.partitions) {
        const sums = new RescoredSums(ledgers, model);
        const run = new EntryRun(
          ledgers.partition,
          before.filter(({ partition }) => partition === ledgers.partition),
          { sharesPlaces: true },
        );
        while (run.next()) sums.take(run);
        sums.settle();
        sums.position = ledgers.position;
        sums.takeOver();
      }
      const whole = emptySet(model, creativeDays);
      apply(whole, before, true);
      apply(whole, apply(live, entries.slice(takeover)), true);
      const from = Math.max(days.from, creativeDaysKept(live, asOf)!.from);
      expect(creativeFigures(live, { ...days, from, asOf })).toEqual(creativeFigures(whole, { ...days, from, asOf }));
    },
  );

  test.prop([hostile, range], { numRuns: 150 })(
    'of creatives that are compared are those of each, with the accounts that saw both',
    ({ entries, asOf }: History, asked) => {
      const days = daysOf(asOf, asked);
      const set = setOf(entries);
      const ids = ['blue', 'green', 'never seen'];
      const compared = wholeOf(compareCreativesInTurns(set, 'spring', ids, { ...days, asOf }));
      const listed = creativeFigures(set, { ...days, asOf, campaignId: 'spring' });
      for (const [place, { figures, withFirst }] of compared.entries()) {
        const known = listed.find(({ creativeId }) => creativeId === ids[place]);
        if (known === undefined) expect(figures).toMatchObject({ creativeId: ids[place], touches: 0, accountsReached: 0 });
        else expect(figures).toEqual(known);
        expect(withFirst).toEqual(productsOf(entries, { ...days, asOf }, ids[place]!, 'blue'));
      }
    },
  );

  test.prop([hostile, fc.integer({ min: 2, max: 9 }), fc.integer({ min: 1, max: 3 })], { numRuns: 200 })(
    'are all of one instant, whatever is counted between the turns of an answer',
    ({ entries, asOf }: History, tenths, cellsATurn) => {
      const query = { from: dayOf(asOf) - 89, to: dayOf(asOf) + 1, asOf, cellsATurn };
      const begin = Math.floor((entries.length * tenths) / 10);
      const set = emptySet(modelOf(entries));
      apply(set, entries.slice(0, begin));
      const ids = ['blue', 'green'];
      // Roles are those of when an answer is made.
      const rest = entries.slice(begin).filter(({ record }) => !('type' in record) || record.type !== 'contact');
      const expected = [creativeFigures(set, query), wholeOf(compareCreativesInTurns(set, 'spring', ids, query))];
      const [list, comparison] = [creativeFiguresInTurns(set, query), compareCreativesInTurns(set, 'spring', ids, query)];
      const figures: CreativeFigures[] = [];
      let compared: readonly ComparedCreative[] | null = null;
      const goOn = (): boolean => {
        const one = list.next();
        if (one.done !== true && one.value !== null) figures.push(one.value);
        const other = compared === null ? comparison.next() : null;
        if (other?.done === true) compared = other.value;
        return one.done === true && compared !== null;
      };
      let isOver = goOn();
      for (const entry of rest) {
        apply(set, [entry]);
        // Other readers chain what has come.
        creativeFigures(set, query);
        isOver ||= goOn();
      }
      while (!isOver) isOver = goOn();
      expect([figures, compared]).toEqual(expected);
      expect([...set.partitions].every(({ creatives }) => daysIn(query).every((day) => creatives!.dayOf(day)?.isViewed !== true))).toBe(
        true,
      );
    },
  );
});

function daysIn({ from, to }: { readonly from: number; readonly to: number }): number[] {
  return Array.from({ length: to - from + 1 }, (_, at) => from + at);
}

function wholeOf<Answer>(turns: Generator<null, Answer>): Answer {
  for (;;) {
    const { done, value } = turns.next();
    if (done === true) return value;
  }
}

/** Account by account: what two creatives of spring have in common. */
function productsOf(
  entries: readonly GeneratedEntry[],
  days: { readonly from: number; readonly to: number; readonly asOf: number },
  creativeId: string,
  against: string,
): ComparedCreative['withFirst'] {
  const products = { clicksByClicks: 0, clicksByImpressions: 0, impressionsByClicks: 0, impressionsByImpressions: 0, accountsOfBoth: 0 };
  const ids = new Set(entries.flatMap(({ record }) => ('kind' in record && record.accountId != null ? [record.accountId] : [])));
  for (const accountId of ids) {
    const own = creativesOf(entries, { ...days, accounts: (id) => id === accountId });
    const [one, other] = [creativeId, against].map((id) => own.find((of) => of.campaignId === 'spring' && of.creativeId === id));
    if (one === undefined || other === undefined) continue;
    products.accountsOfBoth++;
    products.clicksByClicks += one.clicks * other.clicks;
    products.clicksByImpressions += one.clicks * other.impressions;
    products.impressionsByClicks += one.impressions * other.clicks;
    products.impressionsByImpressions += one.impressions * other.impressions;
  }
  return products;
}

describe('creatives', () => {
  it('are known for as long as the ledgers live, and others are not', () => {
    const touch = { accountId: 'acme', contactId: null, channel: null, url: null, source: null, minutes: 0, properties: {} };
    const at = Date.UTC(2026, 0, 1);
    const entries = [
      {
        partition: 0,
        offset: 0,
        appendedAt: at,
        record: { ...touch, id: 'a', kind: 'ad_click', occurredAt: at, campaignId: 'spring', creativeId: 'blue' },
      },
      {
        partition: 0,
        offset: 1,
        appendedAt: at,
        record: { ...touch, id: 'b', kind: 'ad_click', occurredAt: at, campaignId: null, creativeId: 'red' },
      },
    ];
    const set = setOf(entries);
    expect(isCreativeKnown(set, { campaignId: 'spring' })).toBe(true);
    expect(isCreativeKnown(set, { campaignId: 'spring', creativeId: 'blue' })).toBe(true);
    expect(isCreativeKnown(set, { creativeId: 'red' })).toBe(true);
    expect(isCreativeKnown(set, { campaignId: 'spring', creativeId: 'red' })).toBe(false);
    expect(isCreativeKnown(set, { campaignId: 'autumn' })).toBe(false);
  });

  it('keep their points where the landmark of a short decay moves', () => {
    const model = { ...defaultModel, version: 'hourly', decay: { kind: 'exponential' as const, halfLifeDays: 1 / 24 } };
    const at = Date.UTC(2026, 0, 1);
    const touch = { accountId: 'acme', contactId: 'ada', channel: null, url: null, source: null, minutes: 0, properties: {} };
    const meeting = { ...touch, kind: 'meeting', campaignId: 'spring', creativeId: 'blue' };
    // 450 half-lives later: sums are divided between the two.
    const times = [at, at + 450 * 3_600_000];
    const entries = times.map((time, offset) => ({
      partition: 0,
      offset,
      appendedAt: time,
      record: { ...meeting, id: `touch-${offset}`, occurredAt: time },
    }));
    const set = emptySet(model);
    apply(set, entries);
    const asOf = times[1]! + 3_600_000;
    const [one] = creativeFigures(set, { from: dayOf(at), to: dayOf(asOf), asOf });
    expect(one).toMatchObject({ touches: 2, points: 15 });
    // What the first one is worth by now is far below the last digit; on its own it shows.
    const [alone] = creativeFigures(set, { from: dayOf(at), to: dayOf(at), asOf });
    expect(alone!.points / (30 * 2 ** -451)).toBeCloseTo(1, 9);
  });

  it('are not kept unless somebody asks for it', () => {
    const set = emptySet(defaultModel, 0);
    expect(creativeDaysKept(set, Date.UTC(2026, 0, 1))).toBeNull();
    expect(creativeFigures(set, { from: 0, to: 1, asOf: 0 })).toEqual([]);
  });
});
