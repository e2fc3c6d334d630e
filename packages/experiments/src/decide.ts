import { compileFilter, type AccountFact, type FilterTest } from '@touchstone/engine';
import { assign, HOLDOUT } from './assign.ts';
import type { ExperimentDefinition } from './experiment-definition.ts';
import { defaultCreative, type ExperimentState } from './experiment-state.ts';

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

/** The creative of an experiment that an account was shown last. */
export interface Exposure {
  readonly creativeId: string;
  /** Epoch ms. */
  readonly lastAt: number;
}

/** Why it is this one. */
export type DecisionCause =
  /** The hash says so. */
  | 'assigned'
  /** It was shown this one within the exposure window. */
  | 'shown_before'
  /** What the hash says is swapped out. */
  | 'swapped'
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
 * @param exposureOf what the account was shown in an experiment; null for nothing
 * @param now epoch ms
 */
export function decide(
  experiments: readonly ExperimentState[],
  account: DecidedAccount | null,
  exposureOf: (experiment: ExperimentState, accountId: string) => Exposure | null,
  now: number,
): Decision {
  let otherwise: Decision | null = null;
  for (const experiment of experiments) {
    if (experiment.status !== 'running') continue;
    const decision =
      account === null ? { experiment, creativeId: defaultCreative(experiment), cause: 'unknown_account' as const } : decideOne(experiment, account, exposureOf, now);
    if (decision.cause !== 'not_targeted' && decision.cause !== 'not_covered' && decision.cause !== 'unknown_account') return decision;
    otherwise ??= decision;
  }
  const last = experiments.at(-1)!;
  return otherwise ?? { experiment: last, creativeId: defaultCreative(last), cause: 'not_running' };
}

function decideOne(
  experiment: ExperimentState,
  account: DecidedAccount,
  exposureOf: (experiment: ExperimentState, accountId: string) => Exposure | null,
  now: number,
): Decision {
  const { definition, out } = experiment;
  const outside = (cause: DecisionCause): Decision => ({ experiment, creativeId: defaultCreative(experiment), cause });
  const isTargeted = isTarget(definition, account);
  if (!isTargeted && definition.swapOnCross) return outside('not_targeted');
  const shown = exposureOf(experiment, account.accountId);
  const isShown = shown !== null && now - shown.lastAt < definition.exposureWindowDays * DAY_MS;
  if (!isTargeted && !isShown) return outside('not_targeted');
  const arm = armOf(experiment, account.accountId);
  if (arm === null) return outside('not_covered');
  if (arm.creativeId === null) return { experiment, creativeId: null, cause: 'holdout' };
  if (isShown && !out.includes(shown.creativeId)) return { experiment, creativeId: shown.creativeId, cause: 'shown_before' };
  return { experiment, creativeId: arm.creativeId, cause: arm.isSwapped ? 'swapped' : 'assigned' };
}

/** The arm that the hash gives an account. */
export interface HashedArm {
  /** Null for the holdout. */
  readonly creativeId: string | null;
  /** Whether another one was its, and is swapped out. */
  readonly isSwapped: boolean;
}

/**
 * The arm of an account; null when it is not covered. Where its creative is swapped out, it is drawn again among those that were left then, by a hash of
 * its own: accounts whose creative stays keep it, and one that is brought back gets its accounts back.
 */
export function armOf({ arms, definition, out }: ExperimentState, accountId: string): HashedArm | null {
  const drawn = assign({ ...definition, arms }, accountId);
  if (drawn === null) return null;
  if (drawn === HOLDOUT) return { creativeId: null, isSwapped: false };
  let creativeId = drawn;
  for (const [index, gone] of out.entries()) {
    if (creativeId !== gone) continue;
    const left = arms.filter((arm) => !out.slice(0, index + 1).includes(arm.creativeId));
    creativeId = assign({ seed: `${definition.seed}/${index + 1}`, arms: left, holdout: 0, coverage: 1 }, accountId) ?? creativeId;
  }
  return { creativeId, isSwapped: creativeId !== drawn };
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
