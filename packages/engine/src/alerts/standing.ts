import type { CompiledAlertRules } from './compile-alert-rules.ts';
import { factOf } from './conditions.ts';
import { reaches } from './metrics.ts';
import type { Holds, QualificationStanding } from './qualification.ts';
import type { Reading } from './reading.ts';
import { stagePlace } from './stage-place.ts';

export interface ThresholdLevel {
  readonly id: string;
  readonly metric: string;
  readonly value: number;
  /** For an account of this tier. */
  readonly enter: number;
  readonly exit: number;
  /** Whether the value is at `enter` or above. */
  readonly isReached: boolean;
}

/** Where an account stands under the rules of a model. */
export interface Standing {
  /** Those that are for such an account. */
  readonly thresholds: readonly ThresholdLevel[];
  /** Null where the model has none. */
  readonly qualification: QualificationStanding | null;
  /** Id of the stage; null for none. */
  readonly stage: string | null;
}

/** By what holds at the reading's instant: the same conditions that steps are made of. */
export function standingOf(reading: Reading, rules: CompiledAlertRules): Standing {
  const { conditions, qualification, stages, thresholds } = rules;
  const holds: Holds = (place) => conditions[place]!.holds(reading, false);
  const fact = factOf(reading);
  return {
    thresholds: thresholds
      .filter(({ level }) => level.isFor(fact))
      .map(({ id, level, metric }) => {
        const value = reading.value(metric);
        const { enter, exit } = level.levelOf(fact);
        return { id, metric: metric.name, value, enter, exit, isReached: reaches(value, enter) };
      }),
    qualification: qualification?.standing(reading, holds) ?? null,
    stage: stages[stagePlace(rules, reading.ledgers.accounts, reading.account, holds)]?.id ?? null,
  };
}
