import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { fc, test } from '@fast-check/vitest';
import { EntryRun, historyArbitrary, type GeneratedEntry, type History } from '@touchstone/testkit';
import { describe, expect, it } from 'vitest';
import { viewOf as wordsOf } from './columns/hash.ts';
import { defaultModel } from './default-model.ts';
import { OUTCOME, PartitionLedgers } from './ledgers.ts';
import { scoringModelSchema, type ScoringModel } from './model.ts';
import { RescoredSums } from './rescored-sums.ts';
import { dayOf } from './time-slots.ts';
import { viewOf } from './view.ts';

const CREATIVE_DAYS = 90;

/** Of which a history has some, each of its own kind, and the default one. */
function modelsOf(entries: readonly GeneratedEntry[]): ScoringModel[] {
  return [defaultModel, ...entries.flatMap(({ record }) => ('type' in record && record.type === 'model' ? [record.model] : []))];
}

/** @returns what was kept: it is in the store */
function applyLive(ledgers: PartitionLedgers, entries: readonly GeneratedEntry[]): GeneratedEntry[] {
  const run = new EntryRun(0, entries);
  const kept: GeneratedEntry[] = [];
  for (let i = 0; run.next(); i++) {
    const outcome = ledgers.apply(run, false);
    if (outcome !== OUTCOME.duplicate && outcome !== OUTCOME.setAside) kept.push(entries[i]!);
  }
  return kept;
}

function applyStored(target: PartitionLedgers | RescoredSums, entries: readonly GeneratedEntry[], position: number): void {
  const run = new EntryRun(0, entries, { sharesPlaces: target instanceof RescoredSums });
  for (;;) {
    if (target instanceof RescoredSums && target.takeTouches(run) > 0) continue;
    if (!run.next()) break;
    target.take(run, true);
  }
  target.settle();
  target.position = position;
}

const viewsOf = (ledgers: PartitionLedgers, asOf: number) =>
  Array.from({ length: ledgers.accounts.size }, (_, account) => viewOf(ledgers, account, asOf));

/** What the cells of creatives add up to, by day. */
function creativeSumsOf({ creatives }: PartitionLedgers, entries: readonly GeneratedEntry[]): Map<number, number[]> {
  const days = entries.flatMap(({ record }) => ('type' in record ? [] : [dayOf(record.occurredAt)]));
  return new Map(days.map((day) => [day, [...(creatives!.dayOf(day)?.sum.slice(0, creatives!.dayOf(day)!.size) ?? [])]]));
}

describe('ledgers that another model took over', () => {
  const hostile = historyArbitrary({ datedAhead: true, steps: { min: 0, max: 150 } });
  const share = fc.double({ min: 0, max: 1, noNaN: true });

  test.prop([hostile, fc.nat(), fc.nat(), share, share, fc.boolean()], { numRuns: 300 })(
    'equal ledgers replayed under it, and stay equal, to the last bit',
    ({ asOf, entries }: History, formerAt, modelAt, roundAt, takeoverAt, isAhead) => {
      const models = modelsOf(entries);
      const former = models[formerAt % models.length]!;
      const model = models[modelAt % models.length]!;
      const takeover = Math.floor(entries.length * takeoverAt);
      const round = Math.floor(takeover * roundAt);

      // Live, with a round of the replay before it goes on or after that, and the rest at the takeover.
      const live = new PartitionLedgers(0, former, undefined, CREATIVE_DAYS);
      const sums = new RescoredSums(live, model);
      const first = applyLive(live, entries.slice(0, round));
      const firstPosition = live.position;
      if (!isAhead) applyStored(sums, first, firstPosition);
      const second = applyLive(live, entries.slice(round, takeover));
      if (isAhead) applyStored(sums, first, firstPosition);
      applyStored(sums, second, live.position);
      expect(live.canShare(model)).toBe(true);
      live.accounts.takeChanged();
      sums.takeOver();

      const whole = new PartitionLedgers(0, model, undefined, CREATIVE_DAYS);
      applyStored(whole, [...first, ...second], live.position);
      // As a takeover leaves it: records that are not stored have moved the clock, and their ids are not remembered again.
      whole.now = live.now;
      expect(viewsOf(live, live.now)).toEqual(viewsOf(whole, live.now));
      expect(viewsOf(live, asOf)).toEqual(viewsOf(whole, asOf));
      expect(creativeSumsOf(live, entries)).toEqual(creativeSumsOf(whole, entries));
      expect(live.model).toBe(model);
      expect(live.accounts.takeRestated(Infinity)).toHaveLength(live.accounts.size);

      const rest = entries.slice(takeover);
      const kept = applyLive(live, rest);
      applyStored(whole, kept, live.position);
      expect(viewsOf(live, asOf)).toEqual(viewsOf(whole, asOf));
      expect(creativeSumsOf(live, entries)).toEqual(creativeSumsOf(whole, entries));
    },
  );

  it('go on with the caps that were used up, and with touches whose time has not come', () => {
    const former = scoringModelSchema.parse({ version: 'former', rules: [{ id: 'any', kind: 'chat', points: 1 }] });
    const model = scoringModelSchema.parse({ version: 'capped', rules: [{ id: 'three', kind: 'chat', points: 5, dailyCap: 3 }] });
    const entries = Array.from({ length: 5 }, (_, offset) => touchOfKind(offset, 'chat', 30 * 60_000));
    const live = new PartitionLedgers(0, former);
    const sums = new RescoredSums(live, model);
    applyStored(sums, applyLive(live, entries.slice(0, 2)), 2);
    sums.takeOver();
    applyLive(live, entries.slice(2));
    const whole = new PartitionLedgers(0, model);
    applyLive(whole, entries);
    expect(viewOf(live, 0, live.now).points).toBe(15);
    expect(viewsOf(live, live.now)).toEqual(viewsOf(whole, live.now));
  });

  it('are not shared where more kinds came than are told apart, since which ones are depends on the model', () => {
    const model = scoringModelSchema.parse({ version: 'one-kind', rules: [{ id: 'late', kind: 'kind_late', points: 1 }] });
    const ledgers = new PartitionLedgers(0, defaultModel);
    applyLive(
      ledgers,
      Array.from({ length: 480 }, (_, offset) => touchOfKind(offset, `kind_${offset}`)),
    );
    expect(ledgers.canShare(model)).toBe(true);
    applyLive(
      ledgers,
      Array.from({ length: 20 }, (_, i) => touchOfKind(480 + i, `kind_${480 + i}`)),
    );
    expect(ledgers.canShare(model)).toBe(false);
  });

  it('add to the right creative though another page has another one in its place', () => {
    // On the second day `mild` comes again while the cell of `hero` is expected; `hero` stood in the same place of a page before.
    const creatives = ['hero', 'mild', 'mild', 'hero'];
    const entries = creatives.map((creativeId, offset) =>
      touchOfKind(offset, 'meeting', offset === 0 ? -86_400_000 : 0, { campaignId: 'spring', creativeId }),
    );
    const ledgersOf = (): PartitionLedgers => new PartitionLedgers(0, defaultModel, undefined, 30);
    const model = scoringModelSchema.parse({ version: 'next', rules: [{ id: 'any', kind: 'meeting', points: 7 }] });
    const [live, whole] = [ledgersOf(), ledgersOf()];
    for (const ledgers of [live, whole]) applyLive(ledgers, entries);
    const sums = new RescoredSums(live, model);
    const again = new RescoredSums(whole, model);
    for (const entry of entries) applyStored(sums, [entry], entry.offset + 1);
    // Its places are known of no page.
    for (const entry of entries) {
      applyStored(again, [entry], entry.offset + 1);
      again.letGo();
    }
    for (const one of [sums, again]) one.takeOver();
    const sumsOf = ({ creatives }: PartitionLedgers): unknown =>
      entries.map(({ appendedAt }) => [...creatives!.dayOf(dayOf(appendedAt))!.sum]);
    const [mild, hero] = live.creatives!.dayOf(dayOf(entries[1]!.appendedAt))!.sum.slice(0, 2);
    expect(mild).toBeCloseTo(2 * hero!, 3);
    expect(sumsOf(live)).toEqual(sumsOf(whole));
  });

  it('find the creative of a day on which others had none when it was first asked for', () => {
    const entries = [touchOfKind(0, 'meeting'), touchOfKind(1, 'meeting', 0, { campaignId: 'spring', creativeId: 'hero' })];
    const live = new PartitionLedgers(0, defaultModel, undefined, CREATIVE_DAYS);
    const sums = new RescoredSums(live, defaultModel);
    for (const entry of entries) {
      applyLive(live, [entry]);
      applyStored(sums, [entry], live.position);
    }
    const before = creativeSumsOf(live, entries);
    sums.takeOver();
    expect(creativeSumsOf(live, entries)).toEqual(before);
  });

  it('keep no page in memory whose records are added up', async () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const named = { campaignId: 'spring', creativeId: 'hero' };
    const entries = [touchOfKind(0, 'meeting'), touchOfKind(1, 'ad_click', 0, named)];
    const live = new PartitionLedgers(0, defaultModel, undefined, 30);
    applyLive(live, entries);
    const sums = new RescoredSums(live, defaultModel);
    const pageOf = (): WeakRef<Uint8Array> => {
      const run = new EntryRun(0, entries, { sharesPlaces: true });
      while (run.next()) sums.take(run);
      sums.settle();
      sums.letGo();
      return new WeakRef(run.touch.bytes);
    };
    const page = pageOf();
    // The last bytes that were looked at are held once for all.
    wordsOf(new Uint8Array(4));
    await new Promise(setImmediate);
    collect();
    expect(page.deref()).toBeUndefined();
  });

  it('are taken over at their own position alone', () => {
    const live = new PartitionLedgers(0, defaultModel);
    const sums = new RescoredSums(live, defaultModel);
    applyLive(live, [touchOfKind(0, 'meeting')]);
    expect(() => sums.takeOver()).toThrow(RangeError);
  });
});

function touchOfKind(offset: number, kind: string, aheadMs = 0, named: { campaignId?: string; creativeId?: string } = {}): GeneratedEntry {
  const at = Date.UTC(2026, 0, 1) + offset;
  const nothing = { channel: null, campaignId: null, creativeId: null, url: null, source: null, minutes: 0, properties: {} };
  return {
    partition: 0,
    offset,
    appendedAt: at,
    record: { id: `touch-${offset}`, accountId: 'acme', contactId: 'ada', kind, occurredAt: at + aheadMs, ...nothing, ...named },
  };
}
