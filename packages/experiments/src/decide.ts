import { compileFilter, type AccountFact, type FilterTest } from '@touchstone/engine';
import { keepOrAssign, type Held } from './assign.ts';
import type { ExperimentDefinition } from './experiment-definition.ts';
import { currentExperiment, defaultCreative, type ExperimentState } from './experiment-state.ts';

/** Which creative an account should see now: a pure function of the experiments, the account and what it was shown. */

/** An account as targeting sees it. */
export interface DecidedAccount {
  readonly accountId: string;
  readonly band: string;
  readonly stage: string | null;
  /** Null where the model has no qualification. */
  readonly qualified: boolean | null;
  readonly fact: AccountFact | undefined;
}

/** Why it is this one. */
export type DecisionCause =
  /** The hash says so. */
  | 'assigned'
  /** It was shown this one within the exposure window. */
  | 'shown_before'
  | 'holdout'
  | 'not_targeted'
  | 'not_covered'
  | 'unknown_account'
  | 'not_running';

export interface Decision {
  /** The experiment that decided, or, where none took the account, the one whose default it gets. */
  readonly experiment: ExperimentState;
  /** Null for none at all: the account is held out. */
  readonly creativeId: string | null;
  readonly cause: DecisionCause;
}

const DAY_MS = 86_400_000;

/**
 * Of the experiments that share a flag the first that takes the account decides.
 * @param experiments at least one, in order of creation
 * @param account null for one that is not known
 * @param heldBy what the account was shown last in an experiment; null for nothing
 * @param now epoch ms
 */
export function decide(
  experiments: readonly ExperimentState[],
  account: DecidedAccount | null,
  heldBy: (experiment: ExperimentState, accountId: string) => Held | null,
  now: number,
): Decision {
  let otherwise: Decision | null = null;
  for (const experiment of experiments) {
    if (experiment.status !== 'running') continue;
    const decision =
      account === null
        ? { experiment, creativeId: defaultCreative(experiment), cause: 'unknown_account' as const }
        : decideOne(experiment, account, heldBy, now);
    if (decision.cause !== 'not_targeted' && decision.cause !== 'not_covered' && decision.cause !== 'unknown_account') return decision;
    otherwise ??= decision;
  }
  const last = experiments.at(-1)!;
  return otherwise ?? { experiment: last, creativeId: defaultCreative(last), cause: 'not_running' };
}

function decideOne(
  experiment: ExperimentState,
  account: DecidedAccount,
  heldBy: (experiment: ExperimentState, accountId: string) => Held | null,
  now: number,
): Decision {
  const { definition } = experiment;
  const outside = (cause: DecisionCause): Decision => ({ experiment, creativeId: defaultCreative(experiment), cause });
  const isTargeted = isTarget(definition, account);
  if (!isTargeted && definition.swapOnCross) return outside('not_targeted');
  const held = heldBy(experiment, account.accountId);
  const windowMs = definition.exposureWindowDays * DAY_MS;
  const isHeld = held !== null && now - held.exposedAt < windowMs;
  if (!isTargeted && !isHeld) return outside('not_targeted');
  const { creativeId, group } = keepOrAssign(currentExperiment(experiment), account.accountId, held, now, windowMs);
  if (group === 'uncovered') return outside('not_covered');
  if (group === 'holdout') return { experiment, creativeId: null, cause: 'holdout' };
  return { experiment, creativeId, cause: isHeld && held.creativeId === creativeId ? 'shown_before' : 'assigned' };
}

const filters = new WeakMap<ExperimentDefinition, FilterTest>();

function isTarget(definition: ExperimentDefinition, { band, fact, qualified, stage }: DecidedAccount): boolean {
  const { bands, qualified: isQualified, segment, stages } = definition.targeting;
  if (bands !== undefined && !bands.includes(band)) return false;
  if (stages !== undefined && (stage === null || !stages.includes(stage))) return false;
  if (isQualified !== undefined && qualified !== isQualified) return false;
  if (segment === undefined) return true;
  let filter = filters.get(definition);
  if (filter === undefined) filters.set(definition, (filter = compileFilter(segment)!));
  return filter(fact);
}
