import { familyOf, PartitionLedgers, scoringModelSchema, type Alert, type Transition } from '@touchstone/engine';
import type { RecordBlock } from '@touchstone/event-log';
import { assign, currentExperiment, summarise, type ExperimentState } from '@touchstone/experiments';
import { fc, test as property } from '@fast-check/vitest';
import { expect } from 'vitest';
import { stateAfterAlert } from '../state-after-alert.ts';
import { PartitionEvidence, type Gap } from './partition-evidence.ts';
import { applyBlock, blocksOf, closeGap, experimentSince, NOW } from './test-evidence.ts';

const HOUR_MS = 3_600_000;
const WINDOW_MS = 6 * HOUR_MS;
const model = scoringModelSchema.parse({
  version: 'm',
  decay: { kind: 'exponential', halfLifeDays: 0.25 },
  rules: [{ id: 'meeting', kind: 'meeting', points: 10 }],
  thresholds: [{ id: 'hot', metric: 'points', enter: 8, exit: 5, cooldown: '8h' }],
});

const anyTouch = fc.record({ account: fc.integer({ min: 0, max: 3 }), isMeeting: fc.boolean(), gapHours: fc.constantFrom(0, 0, 0, 1, 3) });

/** What happens before a touch comes. Alerts are told in their order, some later than others. */
const anyStep = fc.record({
  tells: fc.integer({ min: 0, max: 3 }),
  what: fc.constantFrom('nothing', 'ask', 'read', 'break off', 'pay', 'take over'),
});

property.prop([fc.array(fc.tuple(anyTouch, anyStep), { minLength: 1, maxLength: 40 }), fc.nat(), fc.nat(), fc.boolean()], { numRuns: 40 })(
  'accounts that reached a threshold are those of the definition, whenever alerts are told and whatever is read again',
  (entries, startNumber, knownNumber, isEvaluating) => {
    let now = NOW;
    const instants = entries.map(([{ gapHours }]) => (now += gapHours * HOUR_MS));
    const startedAt = instants[startNumber % entries.length]!;
    const started = instants.indexOf(startedAt);
    const experiment = experimentSince(startedAt, { metric: 'reachedThreshold', threshold: 'hot', outcomeWindow: '6h' });
    const touches = entries.map(([{ account, isMeeting }]) => {
      const shown = assign(currentExperiment(experiment), `a${account}`).creativeId;
      return isMeeting ? { account, kind: 'meeting', creativeId: null } : { account, kind: 'ad_impression', creativeId: shown };
    });
    const blocks = blocksOf(touches, instants);
    const transitions = transitionsOf(blocks);
    const alerts = transitions.filter(({ isHeld }) => !isHeld).map(({ alert }) => alert);

    const ledgersAt = (position: number, told: readonly Alert[]): PartitionLedgers => {
      const ledgers = new PartitionLedgers(0, model);
      if (!isEvaluating) ledgers.alerts.forgetTransitions();
      for (const block of blocks.slice(0, position)) applyBlock(ledgers, block, !isEvaluating);
      for (const alert of told) follow(ledgers, alert);
      return ledgers;
    };

    let ledgers = ledgersAt(started + (knownNumber % (blocks.length - started)), []);
    const evidence = new PartitionEvidence(0);
    evidence.attach(ledgers);
    evidence.keep([experiment]);
    let told = 0;
    let gap: Gap | null = null;
    const tell = (count: number): void => {
      for (const alert of alerts.slice(told, told + count)) {
        // Nobody is told of a version that is not applied.
        if (alert.version >= ledgers.position) return;
        if (!isEvaluating) follow(ledgers, alert);
        evidence.crossed('hot', alert);
        told++;
      }
    };
    const pay = (): void => {
      const owed = evidence.owed();
      if (owed === null) return;
      expect(owed.thresholds).toEqual(['hot']);
      const stored = transitions.filter(({ isHeld, offset }) => !isHeld && offset < ledgers.position);
      for (const alert of [...stored.map((one) => one.alert), ...alerts.slice(0, told)]) evidence.crossed('hot', alert);
      owed.paid();
    };
    while (ledgers.position < blocks.length) {
      const { tells, what } = entries[ledgers.position]![1];
      tell(tells);
      if (what === 'ask') gap = evidence.gap() ?? gap;
      else if (what === 'pay') pay();
      else if (what === 'take over') {
        ledgers = ledgersAt(Math.min(blocks.length, ledgers.position + 1), alerts.slice(0, told));
        evidence.attach(ledgers);
      } else if (what !== 'nothing' && gap !== null) {
        closeGap(gap, blocks, what === 'read' ? Infinity : gap.before - 1);
        gap = null;
      }
      if (ledgers.position < blocks.length) applyBlock(ledgers, blocks[ledgers.position]!, false);
    }
    for (let open = evidence.gap(); open !== null; open = evidence.gap()) closeGap(open, blocks);
    pay();
    tell(Infinity);
    expect(told).toBe(alerts.length);
    expect(servedBy(evidence, experiment, now)).toEqual(byDefinition(touches, instants, started, transitions));
  },
);

function follow(ledgers: PartitionLedgers, alert: Alert): void {
  const bytes = new TextEncoder().encode(alert.accountId);
  const account = ledgers.accounts.names.find(0, bytes, 0, bytes.length);
  const state = stateAfterAlert(alert, ledgers.alerts.stateOf(account, familyOf(alert.type), alert.ruleId));
  if (state !== null) ledgers.alerts.applyState(state);
}

/** The steps that one undisturbed pass makes. */
function transitionsOf(blocks: readonly RecordBlock[]): Transition[] {
  const ledgers = new PartitionLedgers(0, model);
  return blocks.flatMap((block) => {
    applyBlock(ledgers, block, false);
    return ledgers.alerts.takeTransitions();
  });
}

interface Counts {
  accounts: number;
  reached: number;
}

function servedBy(evidence: PartitionEvidence, { lineups }: ExperimentState, now: number): Counts {
  const arms = summarise(evidence.evidenceOf('hero')!, lineups, now + 2 * WINDOW_MS).eras.flatMap((era) => era.arms);
  const sum = (of: 'accounts' | 'wy'): number => arms.reduce((total, { moments }) => total + moments.reachedThreshold[of], 0);
  // Of two arms an account weighs 2.
  return { accounts: sum('accounts'), reached: sum('wy') / 2 };
}

/** Account by account: where it stood when it was exposed first, and whether it went up within the window. */
function byDefinition(
  touches: readonly { readonly account: number; readonly kind: string }[],
  instants: readonly number[],
  started: number,
  transitions: readonly Transition[],
): Counts {
  const counts = { accounts: 0, reached: 0 };
  for (const account of new Set(touches.map((touch) => touch.account))) {
    const exposed = touches.findIndex((touch, offset) => offset >= started && touch.account === account && touch.kind === 'ad_impression');
    if (exposed < 0) continue;
    const own = transitions.filter(({ alert, isHeld }) => alert.accountId === `a${account}` && !isHeld);
    // Time passes before a record is applied: what it brings about by then comes before the exposure.
    const before = own.filter(({ alert, offset }) => offset < exposed || (offset === exposed && alert.cause === 'decay'));
    if (before.at(-1)?.alert.direction === 'up') continue;
    counts.accounts++;
    const after = own.slice(before.length).filter(({ alert }) => alert.at <= instants[exposed]! + WINDOW_MS);
    if (after.some(({ alert }) => alert.direction === 'up')) counts.reached++;
  }
  return counts;
}
