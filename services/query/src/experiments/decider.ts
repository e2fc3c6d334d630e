import { hash } from 'node:crypto';
import { bandOf, bandsOf, pointsOf, scoreOf, type LedgerSet } from '@touchstone/engine';
import {
  decide,
  type DecidedAccount,
  type DecisionCause,
  type ExperimentBook,
  type ExperimentState,
  type Held,
} from '@touchstone/experiments';
import type { Clock } from '@touchstone/runtime';

/** Decisions from memory: where an account stands by now, and which creative it should see. */

/** As OFREP lists them. */
export type Reason = 'STATIC' | 'TARGETING_MATCH' | 'SPLIT' | 'DISABLED' | 'UNKNOWN';

/** An answer for one flag, as OFREP has it. Without a value the caller's own default stands. */
export interface Evaluation {
  readonly key: string;
  readonly value?: string;
  readonly variant: string;
  readonly reason: Reason;
  readonly metadata: Readonly<Record<string, string | number | boolean>>;
}

const REASONS: Readonly<Record<DecisionCause, Reason>> = {
  assigned: 'SPLIT',
  shown_before: 'SPLIT',
  holdout: 'SPLIT',
  not_targeted: 'STATIC',
  not_covered: 'STATIC',
  unknown_account: 'UNKNOWN',
  not_running: 'DISABLED',
};
const HOLDOUT = 'holdout';
/** Causes by which the experiment gave the creative. Whoever is outside gets the control, but not as one of its accounts. */
const COUNTED: ReadonlySet<DecisionCause> = new Set(['assigned', 'shown_before']);

export interface DeciderOptions {
  readonly ledgers: LedgerSet;
  readonly book: ExperimentBook;
  readonly clock: Clock;
  /** The creative that an account was shown in an experiment. */
  readonly heldBy: (experiment: ExperimentState, partition: number, accountId: string) => Held | null;
}

/** An account, and what decisions about it say of it. */
interface Standing {
  readonly account: DecidedAccount;
  readonly partition: number;
  readonly score: number;
  readonly modelVersion: string;
}

export class Decider {
  readonly #options: DeciderOptions;

  constructor(options: DeciderOptions) {
    this.#options = options;
  }

  /** The answer for one flag; null for a flag that is not known. */
  evaluate(key: string, accountId: string): Evaluation | null {
    const experiments = this.#options.book.ofFlag(key);
    return experiments.length === 0 ? null : this.#evaluate(key, experiments, accountId, this.#standingOf(accountId));
  }

  /** The answers for all flags that have an experiment which is not stopped. */
  evaluateAll(accountId: string): Evaluation[] {
    const { book } = this.#options;
    const standing = this.#standingOf(accountId);
    return book.openFlagKeys.map((key) => this.#evaluate(key, book.ofFlag(key), accountId, standing));
  }

  #evaluate(key: string, experiments: readonly ExperimentState[], accountId: string, standing: Standing | null): Evaluation {
    const { clock, heldBy } = this.#options;
    const decision = decide(
      experiments,
      standing?.account ?? null,
      (experiment) => (standing === null ? null : heldBy(experiment, standing.partition, accountId)),
      clock(),
    );
    const { cause, creativeId, experiment } = decision;
    return {
      key,
      ...(creativeId !== null && { value: creativeId }),
      variant: creativeId ?? HOLDOUT,
      reason: cause === 'assigned' && experiment.out.length === experiment.arms.length - 1 ? 'TARGETING_MATCH' : REASONS[cause],
      metadata: {
        experiment: experiment.definition.id,
        revision: experiment.revision,
        cause,
        counted: COUNTED.has(cause),
        ...(standing !== null && {
          score: standing.score,
          band: standing.account.band,
          modelVersion: standing.modelVersion,
          ...(standing.account.stage !== null && { stage: standing.account.stage }),
          ...(standing.account.qualified !== null && { qualified: standing.account.qualified }),
        }),
      },
    };
  }

  #standingOf(accountId: string): Standing | null {
    const { clock, ledgers: set } = this.#options;
    const place = set.find(accountId);
    if (place === null) return null;
    const { account: row, ledgers } = place;
    const { accounts, alerts, model, partition } = ledgers;
    const score = scoreOf(pointsOf(ledgers, row, Math.max(clock(), ledgers.now)), model.halfScorePoints);
    const account: DecidedAccount = {
      accountId,
      band: bandOf(bandsOf(model), score),
      // By the last look: accounts don't leave their experiments for the moment in which they are not looked at under a new model yet.
      stage: alerts.stageOf(row),
      qualified: alerts.isQualified(row),
      fact: accounts.facts.get(row),
    };
    return { account, partition, score, modelVersion: model.version };
  }
}

/**
 * Tells answers apart by what they decide: values, reasons, bands, experiments. Not by the score, which is another one at every instant: then no answer
 * would ever be the same.
 */
export function etagOf(evaluations: readonly Evaluation[]): string {
  const decided = evaluations.map(({ key, metadata, reason, variant }) => [
    key,
    variant,
    reason,
    metadata['experiment'],
    metadata['cause'],
    metadata['band'],
    metadata['stage'],
    metadata['qualified'],
    metadata['modelVersion'],
  ]);
  return `"${hash('sha256', JSON.stringify(decided), 'base64url').slice(0, 22)}"`;
}
