import { fc, test } from '@fast-check/vitest';
import { EntryRun, historyArbitrary, type GeneratedEntry, type History } from '@touchstone/testkit';
import { describe, expect, it } from 'vitest';
import { defaultModel } from './default-model.ts';
import { OUTCOME, PartitionLedgers } from './ledgers.ts';
import { scoringModelSchema, type ScoringModel } from './model.ts';
import { RescoredSums } from './rescored-sums.ts';
import { viewOf } from './view.ts';

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
  const run = new EntryRun(0, entries);
  while (run.next()) target.take(run, true);
  target.settle();
  target.position = position;
}

const viewsOf = (ledgers: PartitionLedgers, asOf: number) =>
  Array.from({ length: ledgers.accounts.size }, (_, account) => viewOf(ledgers, account, asOf));

describe('ledgers that another model took over', () => {
  const hostile = historyArbitrary({ datedAhead: true, steps: { min: 0, max: 150 } });
  const share = fc.double({ min: 0, max: 1, noNaN: true });

  test.prop([hostile, fc.nat(), fc.nat(), share, share], { numRuns: 300 })(
    'equal ledgers replayed under it, and stay equal, to the last bit',
    ({ asOf, entries }: History, formerAt, modelAt, roundAt, takeoverAt) => {
      const models = modelsOf(entries);
      const former = models[formerAt % models.length]!;
      const model = models[modelAt % models.length]!;
      const takeover = Math.floor(entries.length * takeoverAt);
      const round = Math.floor(takeover * roundAt);

      // Live, with a round of the replay while it goes on, and the rest at the takeover.
      const live = new PartitionLedgers(0, former);
      const sums = new RescoredSums(live, model);
      const first = applyLive(live, entries.slice(0, round));
      const firstPosition = live.position;
      const second = applyLive(live, entries.slice(round, takeover));
      applyStored(sums, first, firstPosition);
      applyStored(sums, second, live.position);
      expect(live.canShare(model)).toBe(true);
      live.accounts.takeChanged();
      sums.takeOver();

      const whole = new PartitionLedgers(0, model);
      applyStored(whole, [...first, ...second], live.position);
      // As a takeover leaves it: records that are not stored have moved the clock, and their ids are not remembered again.
      whole.now = live.now;
      expect(viewsOf(live, live.now)).toEqual(viewsOf(whole, live.now));
      expect(viewsOf(live, asOf)).toEqual(viewsOf(whole, asOf));
      expect(live.model).toBe(model);
      expect(live.accounts.changedCount).toBe(live.accounts.size);

      const rest = entries.slice(takeover);
      const kept = applyLive(live, rest);
      applyStored(whole, kept, live.position);
      expect(viewsOf(live, asOf)).toEqual(viewsOf(whole, asOf));
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

  it('are taken over at their own position alone', () => {
    const live = new PartitionLedgers(0, defaultModel);
    const sums = new RescoredSums(live, defaultModel);
    applyLive(live, [touchOfKind(0, 'meeting')]);
    expect(() => sums.takeOver()).toThrow(RangeError);
  });
});

function touchOfKind(offset: number, kind: string, aheadMs = 0): GeneratedEntry {
  const at = Date.UTC(2026, 0, 1) + offset;
  const nothing = { channel: null, campaignId: null, creativeId: null, url: null, source: null, minutes: 0, properties: {} };
  return {
    partition: 0,
    offset,
    appendedAt: at,
    record: { id: `touch-${offset}`, accountId: 'acme', contactId: 'ada', kind, occurredAt: at + aheadMs, ...nothing },
  };
}
