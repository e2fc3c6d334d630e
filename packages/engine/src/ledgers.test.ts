import { fc, test } from '@fast-check/vitest';
import { differences, EntryRun, historyArbitrary, referenceOf, type GeneratedEntry, type History } from '@touchstone/testkit';
import { describe, expect } from 'vitest';
import { defaultModel } from './default-model.ts';
import { AHEAD_MAX_MS, OUTCOME, PartitionLedgers } from './ledgers.ts';
import type { ScoringModel } from './model.ts';
import { viewOf, type AccountView } from './view.ts';

/** The model that the last control record brought into force. */
function modelOf(entries: readonly GeneratedEntry[]): ScoringModel {
  let model = defaultModel;
  for (const { record } of entries) if ('type' in record && record.type === 'model') ({ model } = record);
  return model;
}

/** Applies entries as the live log would, many touches at a time, and says which of them counted. */
function applyLive(entries: readonly GeneratedEntry[], model: ScoringModel, isSettled = (): boolean => false) {
  const ledgers = new PartitionLedgers(0, model);
  const run = new EntryRun(0, entries);
  const kept: GeneratedEntry[] = [];
  for (let i = 0; run.next(); i++) {
    const outcome = ledgers.take(run, false);
    if (isSettled()) ledgers.settle();
    if (outcome !== OUTCOME.duplicate && outcome !== OUTCOME.setAside) kept.push(entries[i]!);
  }
  ledgers.settle();
  return { ledgers, kept };
}

function viewsOf(ledgers: PartitionLedgers, asOf: number): AccountView[] {
  return Array.from({ length: ledgers.accounts.size }, (_, account) => viewOf(ledgers, account, asOf));
}

const served = (view: AccountView) => ({
  ...view,
  lastTouchAt: view.lastTouchAt === null ? null : new Date(view.lastTouchAt).toISOString(),
});

const hostile = historyArbitrary({ datedAhead: true });

describe('ledgers', () => {
  test.prop([hostile], { numRuns: 300 })('equal a recomputation by definition', ({ entries, asOf }: History) => {
    const { ledgers } = applyLive(entries, modelOf(entries));
    const reference = referenceOf(entries);
    const views = viewsOf(ledgers, asOf);
    expect(views.map(({ accountId }) => accountId).sort()).toEqual([...reference.accountIds].sort());
    expect(views.flatMap((view) => differences(reference.view(view.accountId, asOf), served(view)))).toEqual([]);
  });

  test.prop([hostile, fc.infiniteStream(fc.boolean())], { numRuns: 100 })(
    'come out the same to the last bit one touch at a time and however many at a time',
    ({ entries, asOf }: History, settles) => {
      const model = modelOf(entries);
      const oneByOne = viewsOf(applyLive(entries, model, () => true).ledgers, asOf);
      expect(viewsOf(applyLive(entries, model).ledgers, asOf)).toEqual(oneByOne);
      expect(viewsOf(applyLive(entries, model, () => settles.next().value).ledgers, asOf)).toEqual(oneByOne);
    },
  );

  test.prop([hostile], { numRuns: 100 })(
    'come out the same to the last bit when what counted is replayed',
    ({ entries, asOf }: History) => {
      const model = modelOf(entries);
      const { ledgers, kept } = applyLive(entries, model);
      const replayed = new PartitionLedgers(0, model);
      const run = new EntryRun(0, kept);
      while (run.next()) replayed.apply(run, true);
      expect(viewsOf(replayed, asOf)).toEqual(viewsOf(ledgers, asOf));
    },
  );

  test.prop([hostile, fc.infiniteStream(fc.nat(3))], { numRuns: 100 })(
    'do not change when touches are delivered again at once',
    ({ entries, asOf }: History, repeats) => {
      const model = modelOf(entries);
      const repeated = entries.flatMap((entry) => ('type' in entry.record ? [entry] : [entry, ...Array(repeats.next().value).fill(entry)]));
      const renumbered = repeated.map((entry, offset) => ({ ...entry, offset }));
      const withoutVersion = (views: AccountView[]) => views.map(({ version: _, ...rest }) => rest);
      const once = viewsOf(applyLive(entries, model).ledgers, asOf);
      expect(withoutVersion(viewsOf(applyLive(renumbered, model).ledgers, asOf))).toEqual(withoutVersion(once));
    },
  );

  test.prop([hostile, fc.infiniteStream(fc.nat())], { numRuns: 100 })(
    'do not depend on the order in which touches arrive, where no cap and no repeated id make it matter',
    ({ entries, asOf }: History, keys) => {
      const model = { ...modelOf(entries), rules: modelOf(entries).rules.map(({ dailyCap: _, ...rule }) => rule) };
      const now = Math.max(...entries.map(({ appendedAt }) => appendedAt));
      const touches = entries
        .filter(({ record }) => !('type' in record))
        .map((entry, offset) => ({
          ...entry,
          offset,
          appendedAt: now,
          record: { ...entry.record, id: `touch-${offset}`, campaignId: null },
        }));
      const shuffled = touches
        .map((entry) => ({ entry, key: keys.next().value }))
        .sort((a, b) => a.key - b.key)
        .map(({ entry }, offset) => ({ ...entry, offset }));
      const first = viewsOf(applyLive(touches, model).ledgers, Math.max(asOf, now));
      const second = new Map(viewsOf(applyLive(shuffled, model).ledgers, Math.max(asOf, now)).map((view) => [view.accountId, view]));
      expect(second.size).toBe(first.length);
      for (const { version: _, ...view } of first) {
        expect(differences(served({ ...view, version: second.get(view.accountId)!.version }), served(second.get(view.accountId)!))).toEqual(
          [],
        );
      }
    },
  );

  test("take what is stored though the log's clock fell after a record that is not stored", () => {
    const T = Date.UTC(2026, 5, 1);
    const none = { channel: null, campaignId: null, creativeId: null, url: null, source: null, minutes: 0, properties: {} };
    const touch = (id: string, occurredAt: number) => ({ id, accountId: 'acme', contactId: 'ada', kind: 'meeting', occurredAt, ...none });
    const entries = [
      { partition: 0, offset: 0, appendedAt: T, record: touch('a', T) },
      // A repeat ten seconds later moves the clock and is not stored; then a clock that stands ten seconds back takes over.
      { partition: 0, offset: 1, appendedAt: T + 10_000, record: touch('a', T) },
      { partition: 0, offset: 2, appendedAt: T, record: touch('b', T + AHEAD_MAX_MS + 5_000) },
    ];
    const { kept, ledgers } = applyLive(entries, defaultModel);
    expect(kept.map(({ offset }) => offset)).toEqual([0, 2]);
    const replayed = new PartitionLedgers(0, defaultModel);
    const run = new EntryRun(0, kept);
    while (run.next()) expect(replayed.apply(run, true)).toBe(OUTCOME.counted);
    expect(viewsOf(replayed, T + 2 * AHEAD_MAX_MS)).toEqual(viewsOf(ledgers, T + 2 * AHEAD_MAX_MS));
  });
});
