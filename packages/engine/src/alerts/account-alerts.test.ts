import { fc, test } from '@fast-check/vitest';
import {
  alertRulesArbitrary,
  alertsOf,
  EntryRun,
  historyArbitrary,
  modelArbitrary,
  transitionDifferences,
  type AlertModelDocument,
  type GeneratedEntry,
  type History,
} from '@touchstone/testkit';
import { describe, expect } from 'vitest';
import { OUTCOME, PartitionLedgers } from '../ledgers.ts';
import { scoringModelSchema, type ScoringModel } from '../model.ts';
import { RescoredSums } from '../rescored-sums.ts';
import type { RuleState, Transition } from './alert.ts';

const hostile = historyArbitrary({ alerts: true, models: false, datedAhead: true, steps: { min: 0, max: 80 } });
const share = fc.double({ min: 0, max: 1, noNaN: true });

/** A model as its author writes it, and as the engine takes it. */
interface Written {
  readonly document: AlertModelDocument;
  readonly model: ScoringModel;
}

const written: fc.Arbitrary<Written> = fc
  .record({ scoring: modelArbitrary, rules: alertRulesArbitrary, version: fc.uuid() })
  .map(({ rules, scoring, version }) => {
    const document = { ...scoring, ...rules, version } as AlertModelDocument;
    return { document, model: scoringModelSchema.parse(document) };
  });

interface Kept {
  readonly kept: GeneratedEntry[];
  readonly transitions: Transition[];
}

/** Applies entries as the live log would. */
function applyLive(ledgers: PartitionLedgers, entries: readonly GeneratedEntry[], isSettled = (): boolean => false): Kept {
  const run = new EntryRun(0, entries);
  const kept: GeneratedEntry[] = [];
  for (let i = 0; run.next(); i++) {
    const outcome = ledgers.take(run, false);
    if (isSettled()) ledgers.settle();
    const isGrowth = run.tick !== null && run.tick.fleetGrowth !== null;
    if (isGrowth || (outcome !== OUTCOME.duplicate && outcome !== OUTCOME.setAside && outcome !== OUTCOME.tick)) kept.push(entries[i]!);
  }
  ledgers.settle();
  return { kept, transitions: ledgers.alerts.takeTransitions() };
}

function applyStored(target: PartitionLedgers | RescoredSums, entries: readonly GeneratedEntry[], position: number): void {
  const run = new EntryRun(0, entries);
  while (run.next()) target.take(run, true);
  target.settle();
  target.position = position;
}

describe('what happens to accounts under rules', () => {
  test.prop([hostile, written, fc.infiniteStream(fc.boolean())], { numRuns: 150 })(
    'is what a recomputation by definition finds',
    ({ entries }: History, { document, model }, settles) => {
      const { transitions } = applyLive(new PartitionLedgers(0, model), entries, () => settles.next().value);
      expect(transitionDifferences(alertsOf(entries, [{ from: 0, model: document }]), transitions)).toEqual([]);
    },
  );

  test.prop([hostile, written, written, share, fc.nat(5)], { numRuns: 100 })(
    'is also when another model takes over, in however many parts accounts are looked at',
    ({ entries }: History, former, next, takeoverAt, parts) => {
      const takeover = Math.floor(entries.length * takeoverAt);
      const live = new PartitionLedgers(0, former.model);
      const sums = new RescoredSums(live, next.model);
      const first = applyLive(live, entries.slice(0, takeover));
      applyStored(sums, first.kept, live.position);
      sums.takeOver();
      // What is left is looked at before the next record is applied.
      for (let part = 0; part < parts; part++) live.alerts.payLooks(1);
      expect(live.alerts.nextDueAt() === Infinity || !live.alerts.owesLooks).toBe(true);
      if (takeover === entries.length) live.alerts.payLooks();
      const second = applyLive(live, entries.slice(takeover));
      const phases = [
        { from: 0, model: former.document },
        { from: takeover, model: next.document },
      ];
      expect(transitionDifferences(alertsOf(entries, phases), [...first.transitions, ...second.transitions])).toEqual([]);
    },
  );

  test.prop([hostile, written, share, fc.boolean()], { numRuns: 150 })(
    'goes on where it was after a restore',
    ({ entries }: History, { model }, cutAt, isLookedAt) => {
      const cut = Math.floor(entries.length * cutAt);
      const undisturbed = new PartitionLedgers(0, model);
      const first = applyLive(undisturbed, entries.slice(0, cut));
      const states = [...undisturbed.alerts.states()];
      const position = undisturbed.position;
      const rest = applyLive(undisturbed, entries.slice(cut));

      const restored = new PartitionLedgers(0, model);
      applyStored(restored, first.kept, position);
      restored.alerts.restore(states);
      if (isLookedAt) restored.alerts.payLooks();
      expect(restored.alerts.takeTransitions()).toEqual([]);
      expect(applyLive(restored, entries.slice(cut)).transitions).toEqual(rest.transitions);
      expect([...restored.alerts.states()].map(keyOf).sort()).toEqual([...undisturbed.alerts.states()].map(keyOf).sort());
    },
  );

  test.prop([hostile, written, written, share, share], { numRuns: 150 })(
    'goes on where it was after a restore under another model, by the steps of both',
    ({ entries }: History, former, next, takeoverAt, cutAt) => {
      const cut = Math.floor(entries.length * cutAt);
      const takeover = Math.floor(cut * takeoverAt);
      const undisturbed = new PartitionLedgers(0, former.model);
      const sums = new RescoredSums(undisturbed, next.model);
      const first = applyLive(undisturbed, entries.slice(0, takeover));
      applyStored(sums, first.kept, undisturbed.position);
      sums.takeOver();
      const second = applyLive(undisturbed, entries.slice(takeover, cut));
      const { position } = undisturbed;
      const rest = applyLive(undisturbed, entries.slice(cut));

      const restored = new PartitionLedgers(0, next.model);
      applyStored(restored, [...first.kept, ...second.kept], position);
      restored.alerts.restore(statesOf([...first.transitions, ...second.transitions]));
      expect(applyLive(restored, entries.slice(cut)).transitions).toEqual(rest.transitions);
    },
  );
});

/** What stored steps come to, by definition. */
function statesOf(transitions: readonly Transition[]): RuleState[] {
  const byRule = Map.groupBy(transitions, ({ alert }) => JSON.stringify([alert.accountId, alert.type.split('.')[1], alert.ruleId]));
  return [...byRule.values()].map((steps) => {
    const { alert, isHeld, step } = steps.at(-1)!;
    const told = steps.findLastIndex((one) => !one.isHeld);
    const ups = steps.filter((one) => one.alert.direction === 'up');
    return {
      accountId: alert.accountId,
      family: alert.type.split('.')[1] as RuleState['family'],
      ruleId: alert.ruleId,
      step,
      episode: alert.episode,
      isIn: alert.direction === 'up',
      isHeld,
      lastUpAt: ups.findLast((one) => !one.isHeld)?.alert.at ?? null,
      since: alert.at,
      heldBack: steps.slice(told + 1).filter((one) => one.alert.direction === 'up').length,
      stage: alert.currentStage,
    };
  });
}

const keyOf = (state: object): string => JSON.stringify(Object.entries(state).sort(([one], [other]) => (one < other ? -1 : 1)));
