import { defaultModel, PartitionLedgers } from '@touchstone/engine';
import type { RecordBlock } from '@touchstone/event-log';
import { summarise, type EvidenceSummary, type ExperimentState } from '@touchstone/experiments';
import { fc, test as property } from '@fast-check/vitest';
import { expect, test } from 'vitest';
import { PartitionEvidence, type Gap } from './partition-evidence.ts';
import { applyBlock, blocksOf, closeGap, experimentSince, NOW } from './test-evidence.ts';

/** Ledgers that have applied the touches below an offset, as stored ones or as they came. */
function ledgersAt(blocks: readonly RecordBlock[], position: number): PartitionLedgers {
  const ledgers = new PartitionLedgers(0, defaultModel);
  for (const block of blocks.slice(0, position)) applyBlock(ledgers, block, true);
  return ledgers;
}

const anyTouch = fc.record({
  account: fc.integer({ min: 0, max: 4 }),
  kind: fc.constantFrom('ad_impression', 'ad_click', 'web_visit'),
  creativeId: fc.constantFrom('a', 'b', null),
});

/** What happens before a touch comes: a gap is asked for, what was asked for is read, wholly or in part, or other ledgers take over, some touches further. */
const anyStep = fc.oneof(
  fc.constant('nothing' as const),
  fc.constant('ask' as const),
  fc.constant('read' as const),
  fc.constant('break off' as const),
  fc.record({ takeOver: fc.integer({ min: 0, max: 3 }) }),
);

property.prop([fc.array(fc.tuple(anyTouch, anyStep), { minLength: 1, maxLength: 40 }), fc.nat(), fc.nat()])(
  'evidence through gaps and other ledgers is that of one pass over the touches since the start',
  (entries, startNumber, knownNumber) => {
    const blocks = blocksOf(entries.map(([touch]) => touch));
    const started = startNumber % blocks.length;
    const known = started + (knownNumber % (blocks.length - started));
    const experiment = experimentSince(NOW + 1000 * started);
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
      } else if (typeof step === 'object') {
        ledgers = ledgersAt(blocks, Math.min(blocks.length, ledgers.position + step.takeOver));
        evidence.attach(ledgers);
      }
      if (ledgers.position < blocks.length) applyBlock(ledgers, blocks[ledgers.position]!, false);
    }
    for (let open = evidence.gap(); open !== null; open = evidence.gap()) closeGap(open, blocks);

    expect(summaryOf(evidence, experiment, asOf)).toEqual(onePass(blocks, started, experiment, asOf));
  },
);

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
