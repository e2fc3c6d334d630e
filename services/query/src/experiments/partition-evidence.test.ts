import { runInNewContext } from 'node:vm';
import { setFlagsFromString } from 'node:v8';
import { defaultModel, PartitionLedgers, RescoredSums, TouchWeigher, type ScoringModel } from '@touchstone/engine';
import type { RecordBlock } from '@touchstone/event-log';
import { assign, currentExperiment, summarise, type EvidenceSummary, type ExperimentState } from '@touchstone/experiments';
import { fc, test as property } from '@fast-check/vitest';
import { expect, test, vi } from 'vitest';
import { PartitionEvidence, type Gap } from './partition-evidence.ts';
import { applyBlock, blocksOf, closeGap, experimentSince, NOW, type MadeTouch } from './test-evidence.ts';

/** Ledgers that have applied the touches below an offset, as stored ones or as they came. */
function ledgersAt(blocks: readonly RecordBlock[], position: number, model: ScoringModel = defaultModel): PartitionLedgers {
  const ledgers = new PartitionLedgers(0, model);
  for (const block of blocks.slice(0, position)) applyBlock(ledgers, block, true);
  return ledgers;
}

const anyTouch = fc.record({
  account: fc.integer({ min: 0, max: 4 }),
  kind: fc.constantFrom('ad_impression', 'ad_click', 'web_visit'),
  creativeId: fc.constantFrom('a', 'b', null),
  contactId: fc.constantFrom('c0', 'c1', null),
  minutes: fc.constantFrom(0, 3),
  lateMs: fc.constantFrom(0, 0, 500, 4000, 60_000),
});
const anyRole = fc.record({
  account: fc.integer({ min: 0, max: 4 }),
  kind: fc.constant('web_visit'),
  creativeId: fc.constant(null),
  contactId: fc.constantFrom('c0', 'c1'),
  role: fc.constantFrom('decision_maker', 'champion', 'somebody', null),
  saidSeconds: fc.integer({ min: 0, max: 40 }),
});
/** What a model published meanwhile says otherwise. */
const otherModel: ScoringModel = {
  ...defaultModel,
  version: 'other',
  rules: defaultModel.rules.map((rule) => ({ ...rule, points: rule.points + 7, where: { source: 'nobody' } })),
  roles: { decision_maker: 3, somebody: 5 },
};

/** What happens before a touch comes: a gap is asked for, what was asked for is read, wholly or in part, or other ledgers take over, some touches further. */
const anyStep = fc.oneof(
  fc.constant('nothing' as const),
  fc.constant('ask' as const),
  fc.constant('read' as const),
  fc.constant('break off' as const),
  fc.constant('publish' as const),
  fc.record({ takeOver: fc.integer({ min: 0, max: 3 }), model: fc.constantFrom(defaultModel, otherModel) }),
);

property.prop([
  fc.array(fc.tuple(fc.oneof({ weight: 4, arbitrary: anyTouch }, anyRole), anyStep), { minLength: 1, maxLength: 40 }),
  fc.nat(),
  fc.nat(),
])('evidence through gaps and other ledgers is that of one pass over the touches since the start', (entries, startNumber, knownNumber) => {
  const records: readonly MadeTouch[] = entries.map(([touch]) => touch);
  const blocks = blocksOf(records);
  const started = startNumber % blocks.length;
  const known = started + (knownNumber % (blocks.length - started));
  const experiment = experimentSince(NOW + 1000 * started, {}, defaultModel);
  const asOf = NOW + 1000 * blocks.length + 3000;

  const evidence = new PartitionEvidence(0);
  let ledgers = ledgersAt(blocks, known);
  evidence.attach(ledgers);
  evidence.keep([experiment]);
  let gap: Gap | null = null;
  while (ledgers.position < blocks.length) {
    const step = entries[ledgers.position]![1];
    if (step === 'ask') gap = evidence.gap() ?? gap;
    else if (step === 'read' && gap !== null) {
      closeGap(gap, blocks);
      gap = null;
    } else if (step === 'break off' && gap !== null) {
      closeGap(gap, blocks, gap.before - 1);
      gap = null;
    } else if (step === 'publish') {
      rescore(ledgers, ledgers.model === otherModel ? defaultModel : otherModel);
    } else if (typeof step === 'object') {
      ledgers = ledgersAt(blocks, Math.min(blocks.length, ledgers.position + step.takeOver), step.model);
      evidence.attach(ledgers);
    }
    if (ledgers.position < blocks.length) applyBlock(ledgers, blocks[ledgers.position]!, false);
  }
  for (let open = evidence.gap(); open !== null; open = evidence.gap()) closeGap(open, blocks);

  const summary = summaryOf(evidence, experiment, asOf);
  expect(summary).toEqual(onePass(blocks, started, experiment, asOf));
  expect(pointsIn(summary)).toBeCloseTo(pointsByDefinition(records, started, experiment, asOf), 9);
});

test('an account holds the creative that it was shown last', () => {
  const blocks = blocksOf([
    { account: 1, kind: 'ad_impression', creativeId: 'a' },
    { account: 1, kind: 'ad_impression', creativeId: 'b' },
  ]);
  const evidence = new PartitionEvidence(0);
  const ledgers = ledgersAt(blocks, 0);
  evidence.attach(ledgers);
  evidence.keep([experimentSince(NOW)]);
  expect(evidence.isWhole).toBe(false);
  closeGap(evidence.gap()!, blocks);
  expect(evidence.isWhole).toBe(true);
  for (const block of blocks) applyBlock(ledgers, block, false);
  expect(evidence.heldBy('hero', 'a1')).toEqual({ creativeId: 'b', exposedAt: NOW + 1000 });
});

test.each(['as they come', 'from the store'])('touches of before the start say nothing, though dated after it: %s', (way) => {
  const ahead = { kind: 'ad_impression', creativeId: 'a', lateMs: -3000 };
  const blocks = blocksOf([{ ...ahead, account: 1 }, { ...ahead, account: 2 }], [NOW - 1, NOW]); // prettier-ignore
  const evidence = new PartitionEvidence(0);
  const ledgers = ledgersAt(blocks, way === 'from the store' ? 2 : 0);
  evidence.attach(ledgers);
  evidence.keep([experimentSince(NOW)]);
  closeGap(evidence.gap()!, blocks);
  for (const block of blocks.slice(ledgers.position)) applyBlock(ledgers, block, false);
  expect([evidence.heldBy('hero', 'a1'), evidence.heldBy('hero', 'a2')?.creativeId]).toEqual([null, 'a']);
});

test('with more touches waiting than may, what is being read begins again and all are counted', () => {
  const touches = Array.from({ length: 12 }, (_, account) => ({ account, kind: 'ad_impression', creativeId: 'a' }));
  const blocks = blocksOf(touches);
  const evidence = new PartitionEvidence(0, 5);
  const ledgers = ledgersAt(blocks, 2);
  evidence.attach(ledgers);
  evidence.keep([experimentSince(NOW)]);
  const first = evidence.gap()!;
  for (const block of blocks.slice(2)) applyBlock(ledgers, block, false);
  closeGap(first, blocks);
  expect(evidence.isWhole).toBe(false);
  closeGap(evidence.gap()!, blocks);
  expect(evidence.evidenceOf('hero')!.rows.size).toBe(12);
});

test('what waits for a hundred experiments is kept once', () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const heapBytes = (): number => {
    collect();
    return process.memoryUsage().heapUsed;
  };
  const count = 2000;
  const blocks = blocksOf(Array.from({ length: count }, () => ({ account: 1, kind: 'web_visit', creativeId: null })));
  const evidence = new PartitionEvidence(0);
  const ledgers = ledgersAt(blocks, 0);
  evidence.attach(ledgers);
  evidence.keep(Array.from({ length: 100 }, (_, n) => experimentSince(NOW, { id: `hero-${n}` }, defaultModel)));
  const gap = evidence.gap()!;
  const before = heapBytes();
  for (const block of blocks) applyBlock(ledgers, block, false);
  const bytesATouch = (heapBytes() - before) / count;
  expect(bytesATouch).toBeLessThan(1500);
  gap.close();
  expect(evidence.isWhole).toBe(true);
});

test.each([
  ['breaks off', 100],
  ['is outrun by touches', 2],
])('what accounts were shown is known on while a read %s, and the next goes on', (_, waitingMax) => {
  const blocks = blocksOf([1, 2, 3, 4, 5, 6, 7, 8].map((account) => ({ account, kind: 'ad_impression', creativeId: 'a' })));
  const evidence = new PartitionEvidence(0, waitingMax);
  evidence.attach(ledgersAt(blocks, 2));
  evidence.keep([experimentSince(NOW)]);
  closeGap(evidence.gap()!, blocks);
  const known = (): number[] => [1, 2, 3, 4, 5, 6, 7, 8].filter((account) => evidence.heldBy('hero', `a${account}`) !== null);
  expect(known()).toEqual([1, 2]);
  // Others take over, further on.
  const ledgers = ledgersAt(blocks, 4);
  evidence.attach(ledgers);
  const first = evidence.gap()!;
  for (const block of blocks.slice(4, 7)) applyBlock(ledgers, block, false);
  closeGap(first, blocks, 1);
  expect(evidence.isWhole).toBe(false);
  const second = evidence.gap()!;
  expect(known()).toEqual(expect.arrayContaining([1, 2]));
  closeGap(second, blocks, 1);
  const third = evidence.gap()!;
  expect(known()).toEqual(expect.arrayContaining([1, 2]));
  closeGap(third, blocks);
  expect([evidence.isWhole, known()]).toEqual([true, [1, 2, 3, 4, 5, 6, 7]]);
  applyBlock(ledgers, blocks[7]!, false);
  expect(known()).toHaveLength(8);
});

test('touches that wait are weighed by the model of each experiment, from its start on, and of its thresholds', () => {
  const blocks = blocksOf([
    { account: 1, kind: 'ad_impression', creativeId: 'a' },
    { account: 1, kind: 'web_visit', creativeId: null },
    { account: 2, kind: 'ad_impression', creativeId: 'a' },
    { account: 1, kind: 'web_visit', creativeId: null },
  ]);
  const other = { ...defaultModel, rules: defaultModel.rules.map((rule) => ({ ...rule, points: rule.points + 7 })) };
  const evidence = new PartitionEvidence(0);
  const ledgers = ledgersAt(blocks, 0);
  evidence.attach(ledgers);
  const given: [string, number, ScoringModel | null][] = [
    ['of-now', NOW, null],
    ['other', NOW, other],
    ['later', NOW + 2000, other],
  ];
  evidence.keep(given.map(([id, since, model]) => experimentSince(since, { id }, model)));
  const gap = evidence.gap()!;
  for (const block of blocks) applyBlock(ledgers, block, false);
  closeGap(gap, blocks);
  const pointsOf = (id: string): [number, number][] => {
    const { points, rows } = evidence.evidenceOf(id)!;
    return [...rows].map(([account, row]) => [Number(account.slice(1)), points[row]!]);
  };
  expect(pointsOf('of-now')).toEqual([[1, 2], [2, 0]]); // prettier-ignore
  expect(pointsOf('other')).toEqual([[1, 16], [2, 0]]); // prettier-ignore
  expect(pointsOf('later')).toEqual([[2, 0]]);
});

test.each([
  ['as they come', 'winter', 0],
  ['as they come', 'spring', 2],
  ['from the store', 'winter', 0],
  ['from the store', 'spring', 2],
])('touches are weighed once for all experiments of one model, and not for those of other campaigns: %s, %s', (way, campaignId, times) => {
  const blocks = blocksOf([
    { account: 1, kind: 'ad_impression', creativeId: 'a' },
    { account: 2, kind: 'web_visit', creativeId: null },
    { account: 1, kind: 'web_visit', creativeId: null },
  ]);
  const evidence = new PartitionEvidence(0);
  const ledgers = ledgersAt(blocks, way === 'from the store' ? blocks.length : 0);
  evidence.attach(ledgers);
  evidence.keep(['one', 'two', 'three'].map((id) => experimentSince(NOW, { id, campaignId }, defaultModel)));
  const weighs = vi.spyOn(TouchWeigher.prototype, 'worth');
  closeGap(evidence.gap()!, blocks);
  for (const block of blocks.slice(ledgers.position)) applyBlock(ledgers, block, false);
  expect(weighs).toHaveBeenCalledTimes(times);
  weighs.mockRestore();
  expect(evidence.evidenceOf('three')!.points[0]).toBe(times === 0 ? 0 : 1);
});

test('what an account does while its exposure is still being read counts', () => {
  const blocks = blocksOf([
    { account: 1, kind: 'ad_impression', creativeId: 'a' },
    { account: 1, kind: 'web_visit', creativeId: null },
  ]);
  const evidence = new PartitionEvidence(0);
  const ledgers = ledgersAt(blocks, 1);
  evidence.attach(ledgers);
  evidence.keep([experimentSince(NOW)]);
  const gap = evidence.gap()!;
  applyBlock(ledgers, blocks[1]!, false);
  closeGap(gap, blocks);
  expect(evidence.evidenceOf('hero')!.points[0]).toBe(1);
});

test('of a threshold is none until its crossings are read, and of what runs no more none is kept', () => {
  const evidence = new PartitionEvidence(0);
  evidence.attach(ledgersAt([], 0));
  evidence.keep([experimentSince(NOW, { metric: 'reachedThreshold', threshold: 'hot' })]);
  closeGap(evidence.gap()!, []);
  expect([evidence.isWhole, evidence.evidenceOf('hero')]).toEqual([true, null]);
  evidence.owed()!.paid();
  expect(evidence.evidenceOf('hero')).not.toBeNull();
  expect(evidence.owed()).toBeNull();
  evidence.keep([]);
  expect(evidence.evidenceOf('hero')).toBeNull();
});

test('ledgers that others have taken over from tell nothing any more', () => {
  const blocks = blocksOf([{ account: 1, kind: 'ad_impression', creativeId: 'a' }]);
  const evidence = new PartitionEvidence(0);
  const [former, ledgers] = [ledgersAt(blocks, 0), ledgersAt(blocks, 0)];
  evidence.attach(former);
  evidence.keep([experimentSince(NOW)]);
  closeGap(evidence.gap()!, blocks);
  evidence.attach(ledgers);
  for (const one of [former, ledgers]) applyBlock(one, blocks[0]!, false);
  expect(evidence.evidenceOf('hero')!.impressions[0]).toBe(1);
});

/** Another model comes into force in living ledgers. */
function rescore(ledgers: PartitionLedgers, model: ScoringModel): void {
  const sums = new RescoredSums(ledgers, model);
  sums.position = ledgers.position;
  sums.takeOver();
}

function pointsIn({ eras }: EvidenceSummary): number {
  // Of two arms an account weighs 2.
  return eras.flatMap(({ arms }) => arms).reduce((sum, { moments }) => sum + moments.pointsGained.wy, 0) / 2;
}

/** Account by account, of those that count: what its touches in the window were worth by the rules at the start and the roles of then. */
function pointsByDefinition(records: readonly MadeTouch[], started: number, experiment: ExperimentState, asOf: number): number {
  const at = (offset: number): number => NOW + 1000 * offset;
  const occurred = (offset: number): number => at(offset) - (records[offset]!.lateMs ?? 0);
  const isShown = ({ creativeId, kind, role }: MadeTouch): boolean => role === undefined && creativeId !== null && kind !== 'web_visit';
  let points = 0;
  for (const account of new Set(records.map((record) => record.account))) {
    const own = [...records.keys()].filter((offset) => offset >= started && records[offset]!.account === account);
    const first = own.find((offset) => isShown(records[offset]!) && occurred(offset) >= at(started));
    if (first === undefined || at(first) + 5000 > asOf) continue;
    const settled = own.filter((offset) => offset >= first && at(offset) < at(first) + 5000);
    const seen = settled.filter((offset) => isShown(records[offset]!) && occurred(offset) >= at(started));
    const creatives = new Set(seen.map((offset) => records[offset]!.creativeId));
    if (creatives.size > 1 || assign(currentExperiment(experiment), `a${account}`).creativeId !== records[first]!.creativeId) continue;
    for (const offset of settled) {
      const { contactId, creativeId, kind, minutes = 0, role } = records[offset]!;
      const isClick = kind === 'ad_click' && creativeId !== null;
      const isImpression = kind === 'ad_impression' && creativeId !== null;
      if (role !== undefined || isImpression || occurred(offset) > occurred(first) + 5000) continue;
      if (occurred(offset) < (isClick ? at(started) : occurred(first))) continue;
      const worth = { ad_click: 2, web_visit: 1 + minutes, ad_impression: 0.1 }[kind] ?? 0;
      points += worth * multiplierBefore(records, offset, account, contactId ?? null);
    }
  }
  return points;
}

function multiplierBefore(records: readonly MadeTouch[], offset: number, account: number, contactId: string | null): number {
  let known: MadeTouch | null = null;
  for (const record of records.slice(0, offset)) {
    if (record.role === undefined || record.account !== account || record.contactId !== contactId) continue;
    if (known === null || record.saidSeconds! >= known.saidSeconds!) known = record;
  }
  return { decision_maker: 1.5, champion: 1.3 }[known?.role ?? ''] ?? 1;
}

function summaryOf(evidence: PartitionEvidence, { lineups }: ExperimentState, asOf: number): EvidenceSummary {
  return summarise(evidence.evidenceOf('hero')!, lineups, asOf);
}

function onePass(blocks: readonly RecordBlock[], started: number, experiment: ExperimentState, asOf: number): EvidenceSummary {
  const evidence = new PartitionEvidence(0);
  const ledgers = ledgersAt(blocks, started);
  evidence.attach(ledgers);
  evidence.keep([experiment]);
  const gap = evidence.gap()!;
  closeGap(gap, blocks);
  for (const block of blocks.slice(started)) applyBlock(ledgers, block, false);
  return summaryOf(evidence, experiment, asOf);
}
