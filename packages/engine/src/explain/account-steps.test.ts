import { test } from '@fast-check/vitest';
import { EntryRun, historyArbitrary, type History } from '@touchstone/testkit';
import { describe, expect } from 'vitest';
import type { Transition } from '../alerts/alert.ts';
import { defaultModel } from '../default-model.ts';
import { OUTCOME, PartitionLedgers } from '../ledgers.ts';
import { scoringModelSchema } from '../model.ts';
import { replayAccount } from './account-past.ts';
import { AccountSteps } from './account-steps.ts';
import { accountsIn, recordsOf } from './test-history.ts';

const MODEL = scoringModelSchema.parse({
  ...defaultModel,
  version: 'staged',
  thresholds: [{ id: 'hot', metric: 'points', enter: 5 }],
  qualification: { atLeast: 1, of: [{ metric: 'points', atLeast: 10 }] },
  stages: [
    { id: 'aware', engaged: true },
    { id: 'warm', metrics: [{ metric: 'points', atLeast: 4 }] },
    { id: 'busy', metrics: [{ metric: 'touches.24h', atLeast: 2 }] },
    { id: 'mqa', qualified: true },
  ],
});

const told = (steps: readonly Transition[]) =>
  steps.map(({ alert, step }) => [step, alert.at, alert.previousStage, alert.currentStage, alert.cause]);

describe('stages as recomputed', () => {
  test.prop([historyArbitrary({ datedAhead: true, steps: { min: 0, max: 150 } })], { numRuns: 60 })(
    'are those that a live partition goes through, account by account',
    async ({ asOf, entries }: History) => {
      let clock = 0;
      const live = entries.map((entry) => ({ ...entry, appendedAt: (clock = Math.max(clock, entry.appendedAt)) }));
      const ledgers = new PartitionLedgers(0, MODEL);
      const run = new EntryRun(0, live);
      const kept = live.filter(() => {
        run.next();
        const outcome = ledgers.apply(run, false);
        return outcome !== OUTCOME.duplicate && outcome !== OUTCOME.setAside;
      });
      const end = Math.max(asOf, clock) + 40 * 86_400_000;
      ledgers.alerts.advance(end, ledgers.position);
      const steps = ledgers.alerts.takeTransitions().filter(({ alert }) => alert.ruleId === 'stages');
      for (const accountId of accountsIn(kept)) {
        const recomputed = new AccountSteps(0, MODEL);
        await replayAccount(recordsOf(accountId, kept), [recomputed]);
        expect(told(recomputed.stepsUntil(end))).toEqual(told(steps.filter(({ alert }) => alert.accountId === accountId)));
      }
    },
  );
});
