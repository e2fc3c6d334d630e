import {
  armsIn,
  judge,
  planOf,
  planPower,
  thompsonStep,
  type Arm,
  type EvidenceSummary,
  type ExperimentState,
  type JudgeOptions,
  type Judgement,
  type PowerPlan,
} from '@touchstone/experiments';
import type { StepToWrite } from './experiment-log.ts';

/** What becomes of evidence: the judgement, and the step that the experiment's mode makes of it. Pure, so that a record can be computed again. */

/** Where nothing is expected in particular: a few thousand accounts is what experiments with creatives have. */
const TUNED_FOR_ACCOUNTS = 5000;
const SAMPLE_RATIO_LEVEL = 0.001;
const LEFT_OUT_MAX = 0.2;
/** Share that every creative of a bandit keeps, so that it is still measured. */
const FLOOR = 0.05;
/** Weights that differ by less move accounts for nothing. */
const WEIGHT_STEP = 0.05;
/** A bandit moves at most so often within an outcome window: what its last step did is not seen before. */
const STEPS_A_WINDOW = 10;
/** Platforms act on a decision for a while: an impression is taken to follow the lineup of its time or the one before, so none may be shorter. */
const STEP_MIN_MS = 3_600_000;
/**
 * Nor does it move before what has been seen since its last step is a twentieth of all: less says little new. So steps come at times that grow by a twentieth each:
 * twenty until twenty of the least gaps are over, then forty-five until ten times that age, less than 400 in ten years. Few batches that
 * grow come close to what moving after every account would win (Perchet, Rigollet, Chassang, Snowberg, Annals of Statistics 44(2), 2016).
 */
const STEP_SHARE_OF_AGE = 1 / 20;

/** How many accounts it takes; null where nothing is expected. */
export function powerPlanOf({ arms, definition, out }: ExperimentState): PowerPlan | null {
  const { alpha, expected } = definition;
  const armCount = armsIn(arms, out).length;
  if (expected === undefined || armCount < 2) return null;
  const { baseline, deviation, lift, power } = expected;
  return planPower({
    baseline,
    deviation: deviation ?? null,
    lift,
    power,
    level: alpha,
    armCount,
    hasControl: controlOf(definition.control, out) !== null,
  });
}

/** What the comparison is made with; recorded with a decision. */
export function judgeOptionsOf(state: ExperimentState): JudgeOptions {
  const { arms, definition, out } = state;
  return {
    outcome: definition.metric,
    creatives: armsIn(arms, out).map(({ creativeId }) => creativeId),
    control: controlOf(definition.control, out),
    level: definition.alpha,
    tunedForAccounts: powerPlanOf(state)?.tunedForAccounts ?? TUNED_FOR_ACCOUNTS,
    leastAccounts: definition.leastSample,
    sampleRatioLevel: SAMPLE_RATIO_LEVEL,
    leftOutMax: LEFT_OUT_MAX,
  };
}

/** Once the control is swapped out each creative is compared with every other. */
function controlOf(control: string, out: readonly string[]): string | null {
  return out.includes(control) ? null : control;
}

/** The creative that should go, and who says so; null for none. One that somebody has brought back stays. */
export function underPerformerOf(
  { keptIn }: ExperimentState,
  { underPerformers, verdict }: Judgement,
): Judgement['underPerformers'][number] | null {
  if (verdict !== 'swap') return null;
  const [worst = null] = underPerformers
    .filter(({ creativeId }) => !keptIn.includes(creativeId))
    .toSorted((one, other) => one.comparison.pValue - other.comparison.pValue);
  return worst;
}

/** The step to take by itself, in modes that do; null for none. */
export function stepOf(state: ExperimentState, summary: EvidenceSummary): StepToWrite | null {
  const { arms, definition, out, revision } = state;
  if (state.status !== 'running' || armsIn(arms, out).length < 2) return null;
  const step = { experimentId: definition.id, expectedRevision: revision, by: 'auto' };
  if (definition.mode === 'auto') {
    const options = judgeOptionsOf(state);
    const judgement = judge(summary, options);
    const worst = underPerformerOf(state, judgement);
    if (worst === null) return null;
    const evidence = JSON.stringify({ options, judgement, summary });
    return { ...step, action: 'swap', creativeId: worst.creativeId, reason: describeSwap(worst, options), evidence };
  }
  if (definition.mode === 'thompson') return weightsStepOf(state, summary, step);
  return null;
}

function weightsStepOf(
  state: ExperimentState,
  summary: EvidenceSummary,
  step: Pick<StepToWrite, 'experimentId' | 'expectedRevision' | 'by'>,
): StepToWrite | null {
  const { arms, definition, out, revision } = state;
  const options = judgeOptionsOf(state);
  if (summary.asOf < nextStepAt(state)) return null;
  // Weights of accounts that came wrongly would only make it worse.
  if (judge(summary, options).verdict === 'hold') return null;
  const { creatives, outcome } = options;
  const made = thompsonStep(summary, {
    outcome,
    creatives,
    seed: `${definition.seed}/${revision}`,
    floor: FLOOR,
    warmUpAccounts: definition.leastSample,
  });
  if (made.isWarmingUp) return null;
  const shareOf = (creativeId: string): number => made.arms.find((arm) => arm.creativeId === creativeId)?.weight ?? 0;
  const weights: readonly Arm[] = arms.map(({ creativeId }) => ({ creativeId, weight: shareOf(creativeId) }));
  const sum = armsIn(arms, out).reduce((total, { weight }) => total + weight, 0);
  const change = Math.max(...armsIn(arms, out).map(({ creativeId, weight }) => Math.abs(shareOf(creativeId) - weight / sum)));
  if (change < WEIGHT_STEP) return null;
  const { bestProbability, draws, seed } = made;
  const reason = `moves by the probability to be the best: ${creatives.map((id) => `${id} ${bestProbability[id]!.toFixed(2)}`).join(', ')}`;
  return { ...step, action: 'weights', weights, reason, evidence: JSON.stringify({ bestProbability, draws, seed, asOf: summary.asOf }) };
}

/** When a bandit may move next, epoch ms. */
function nextStepAt(state: ExperimentState): number {
  const { outcomeWindowMs, startedAt } = planOf(state);
  const last = state.lineups.at(-1)!.since;
  // The age then, t - startedAt, is to be so much more than the age at the last step.
  const grown = ((last - startedAt) * STEP_SHARE_OF_AGE) / (1 - STEP_SHARE_OF_AGE);
  return last + Math.max(outcomeWindowMs / STEPS_A_WINDOW, Math.min(outcomeWindowMs, STEP_MIN_MS), grown);
}

function describeSwap({ comparison, creativeId }: Judgement['underPerformers'][number], { level, outcome }: JudgeOptions): string {
  const { against, creativeId: first, difference, pCorrected } = comparison;
  const other = first === creativeId ? against : first;
  const less = Math.abs(difference.value);
  return `${outcome} of ${creativeId} is ${less.toPrecision(3)} less than of ${other}, corrected p ${pCorrected.toPrecision(2)}, level ${level}`;
}
