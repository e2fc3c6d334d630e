import {
  daysLeft,
  deviationOf,
  estimate,
  EXPERIMENT_MODES,
  EXPERIMENT_STATUSES,
  LINEUPS_MAX,
  OUTCOMES,
  planOf,
  VERDICT_REASONS,
  type ExperimentState,
  type HistoryEntry,
} from '@touchstone/experiments';
import { z } from 'zod';
import { time, timeText, timeTextOrNull } from '../answers.ts';
import { judgeOptionsOf, powerPlanOf, underPerformerOf } from './evaluate-experiment.ts';
import type { Results } from './experiments.ts';

/** What is told of experiments over HTTP. */

const DAY_MS = 86_400_000;

const armSchema = z.object({
  creativeId: z.string(),
  weight: z.number(),
  isOut: z.boolean().describe('Swapped out: nobody is shown it any more'),
});

export const experimentAnswerSchema = z
  .object({
    id: z.string(),
    name: z.string().nullable(),
    flagKey: z.string(),
    campaignId: z.string(),
    status: z.enum(EXPERIMENT_STATUSES),
    revision: z.int().describe('Grows with each step; give it with a step that must not come after another'),
    mode: z.enum(EXPERIMENT_MODES),
    metric: z.enum(OUTCOMES),
    threshold: z.string().nullable().describe('Of metric reachedThreshold'),
    alpha: z.number(),
    leastSample: z.int(),
    control: z.string(),
    holdout: z.number(),
    coverage: z.number(),
    seed: z.string(),
    arms: z.array(armSchema),
    targeting: z.record(z.string(), z.unknown()),
    swapOnCross: z.boolean(),
    exposureWindowDays: z.number(),
    outcomeWindow: z.union([z.string(), z.number()]),
    grace: z.union([z.string(), z.number()]),
    createdAt: time,
    startedAt: time.nullable(),
    stoppedAt: time.nullable(),
    modelVersion: z
      .string()
      .nullable()
      .describe('Of the scoring model that pointsGained is weighed by: the one that was in force at its start. Null before that'),
  })
  .meta({ id: 'Experiment' });

export function experimentAnswer(state: ExperimentState): z.input<typeof experimentAnswerSchema> {
  const { arms, definition, out, revision, status } = state;
  const { expected: _expected, name, threshold, ...given } = definition;
  return {
    ...given,
    name: name ?? null,
    threshold: threshold ?? null,
    status,
    revision,
    arms: arms.map((arm) => ({ ...arm, isOut: out.includes(arm.creativeId) })),
    createdAt: timeText(state.createdAt),
    startedAt: timeTextOrNull(state.startedAt),
    stoppedAt: timeTextOrNull(state.stoppedAt),
    modelVersion: state.weights?.version ?? null,
  };
}

export const historySchema = z
  .object({
    revision: z.int(),
    action: z.enum(['create', 'start', 'stop', 'swap', 'undo', 'weights']),
    at: time.describe('When the log took it'),
    by: z.string().describe('Id of the API key, or auto'),
    creativeId: z.string().nullable(),
    weights: z.array(z.object({ creativeId: z.string(), weight: z.number() })).nullable(),
    reason: z.string().nullable(),
    evidence: z.record(z.string(), z.unknown()).nullable().describe('The figures it rests on, with which it can be computed again'),
  })
  .meta({ id: 'ExperimentStep' });

export function historyAnswer({ at, evidence, weights, ...entry }: HistoryEntry): z.input<typeof historySchema> {
  return { ...entry, at: timeText(at), weights: weights === null ? null : [...weights], evidence: parsed(evidence) };
}

function parsed(evidence: string | null): Record<string, unknown> | null {
  if (evidence === null) return null;
  try {
    return JSON.parse(evidence) as Record<string, unknown>;
  } catch {
    return null;
  }
}

const interval = z.object({ low: z.number(), high: z.number() });
const estimated = interval.extend({ value: z.number() });

const armResultsSchema = z
  .object({
    creativeId: z.string(),
    isOut: z.boolean(),
    exposed: z.int().describe('Accounts that saw it first, of those that are neither held out nor uncovered'),
    contaminated: z.int().describe('Of them: saw another one as well, and are left out of the comparison'),
    strayed: z.int().describe('Of the others: were given another one, and are left out too'),
    accounts: z.int().describe('Of the others: in the comparison, as their outcome window is over'),
    impressions: z.int(),
    clicks: z.int(),
    value: z.number().nullable().describe("Mean outcome, by the experiment's metric"),
    interval: interval.nullable().describe('Holds the true value at all instants together, with probability 1 - alpha'),
  })
  .meta({ id: 'ArmResults' });

const comparisonSchema = z
  .object({
    creativeId: z.string(),
    against: z.string(),
    difference: estimated.describe('First less second, with the interval that is valid at all instants'),
    ratio: estimated.nullable(),
    pValue: z.number().describe('Always valid, of this comparison alone'),
    pCorrected: z.number().describe('Corrected for all comparisons (Holm)'),
    accounts: z.int(),
  })
  .meta({ id: 'ArmComparison' });

export const resultsSchema = z
  .object({
    experimentId: z.string(),
    revision: z.int(),
    status: z.enum(EXPERIMENT_STATUSES),
    asOf: time.nullable().describe('Null before it runs'),
    isComplete: z.boolean().describe('False while evidence of before is still to be read: then there are no figures'),
    metric: z.string(),
    level: z.number(),
    verdict: z.enum(['swap', 'wait', 'hold']).nullable(),
    reason: z.enum(VERDICT_REASONS).nullable(),
    best: z.string().nullable(),
    recommendation: z.object({ swapOut: z.string() }).nullable().describe('What mode auto would do now'),
    arms: z.array(armResultsSchema),
    comparisons: z.array(comparisonSchema),
    sampleRatio: z
      .object({
        pValue: z.number(),
        isAlarm: z.boolean().describe('Accounts came otherwise than they were assigned: no comparison is to be trusted'),
        arms: z.array(z.object({ creativeId: z.string(), accounts: z.int(), expected: z.number() })),
      })
      .nullable(),
    contamination: z
      .object({
        leftOutShare: z.number().describe('Of the exposed accounts: contaminated or strayed'),
        heldOutExposed: z.int().describe('Accounts that saw a creative though they were held out: they are in no other figure'),
        uncoveredExposed: z.int().describe('Accounts that saw a creative and are not covered: they are in no other figure'),
        late: z.int().describe('Touches that came after their account entered the comparison'),
        forgotten: z
          .int()
          .default(0)
          .describe(`Accounts that are in no figure: the shares have changed over ${LINEUPS_MAX} times since they came`),
      })
      .nullable(),
    power: z
      .object({
        accountsPerArm: z.int(),
        accounts: z.int(),
        fixedAccountsPerArm: z.int().describe('What a test with one look at the end would need'),
        daysLeft: z.number().nullable().describe('At the pace so far; null when it never will, or has no pace yet'),
        deviation: z.number().nullable().describe("Standard deviation of one account's outcome, as seen in the control"),
      })
      .nullable()
      .describe('With `expected` alone'),
  })
  .meta({ id: 'ExperimentResults' });

export type ResultsAnswer = z.input<typeof resultsSchema>;

export function resultsAnswer(state: ExperimentState, results: Results | null): ResultsAnswer {
  const { definition, revision, status } = state;
  const about = { experimentId: definition.id, revision, status, metric: definition.metric, level: definition.alpha };
  const power = powerAnswer(state, results);
  if (results === null) {
    const none = {
      asOf: null,
      isComplete: false,
      verdict: null,
      reason: null,
      best: null,
      recommendation: null,
      sampleRatio: null,
      contamination: null,
    };
    return { ...about, ...none, arms: [], comparisons: [], power };
  }
  const { judgement, summary } = results;
  const { best, estimate: made, leftOutShare, reason, sampleRatio, verdict } = judgement;
  const worst = underPerformerOf(state, judgement);
  const { forgotten, heldOutExposed, late, uncoveredExposed } = summary;
  return {
    ...about,
    asOf: timeText(summary.asOf),
    isComplete: true,
    verdict,
    reason,
    best,
    recommendation: worst === null ? null : { swapOut: worst.creativeId },
    arms: armAnswers(state, results),
    comparisons: made.comparisons.map((comparison) => ({ ...comparison })),
    sampleRatio: { pValue: sampleRatio.pValue, isAlarm: sampleRatio.isAlarm, arms: sampleRatio.arms.map((arm) => ({ ...arm })) },
    contamination: { leftOutShare, heldOutExposed, uncoveredExposed, late, forgotten },
    power,
  };
}

function armAnswers(state: ExperimentState, { summary }: Results): z.input<typeof armResultsSchema>[] {
  const { definition, out } = state;
  // Those that are swapped out too: their figures say why.
  const creatives = definition.arms.map(({ creativeId }) => creativeId);
  const ofAll = estimate(summary, { ...judgeOptionsOf(state), creatives, control: null }).arms;
  return definition.arms.map(({ creativeId }) => {
    const of = summary.eras.flatMap(({ arms }) => arms).filter((arm) => arm.creativeId === creativeId);
    const sum = (key: 'exposed' | 'contaminated' | 'strayed' | 'settled' | 'impressions' | 'clicks'): number =>
      of.reduce((total, arm) => total + arm[key], 0);
    const estimated = ofAll.find((arm) => arm.creativeId === creativeId);
    return {
      creativeId,
      isOut: out.includes(creativeId),
      exposed: sum('exposed'),
      contaminated: sum('contaminated'),
      strayed: sum('strayed'),
      accounts: sum('settled'),
      impressions: sum('impressions'),
      clicks: sum('clicks'),
      value: estimated?.value ?? null,
      interval: estimated?.interval ?? null,
    };
  });
}

function powerAnswer(state: ExperimentState, results: Results | null): ResultsAnswer['power'] {
  const plan = powerPlanOf(state);
  if (plan === null) return null;
  const { accounts, accountsPerArm, fixedAccountsPerArm } = plan;
  const told = { accounts, accountsPerArm, fixedAccountsPerArm };
  if (results === null || state.startedAt === null) return { ...told, daysLeft: null, deviation: null };
  const { summary } = results;
  const { outcome } = judgeOptionsOf(state);
  const current = summary.eras.at(-1)!;
  const arms = armAnswers(state, results).filter(({ isOut }) => !isOut);
  const exposed = arms.reduce((sum, arm) => sum + arm.exposed, 0);
  const buckets = current.arms.reduce((sum, arm) => sum + arm.buckets, 0);
  const days = (summary.asOf - state.startedAt) / DAY_MS;
  const { graceMs, outcomeWindowMs } = planOf(state);
  const control = current.arms.find(({ creativeId }) => creativeId === state.definition.control);
  const deviation = control === undefined ? Infinity : deviationOf(control.moments[outcome]);
  return {
    ...told,
    daysLeft:
      days <= 0
        ? null
        : daysLeft({
            accountsPerArm,
            arms: arms.map((arm) => ({
              exposed: arm.exposed,
              share: (current.arms.find(({ creativeId }) => creativeId === arm.creativeId)?.buckets ?? 0) / Math.max(1, buckets),
            })),
            exposedPerDay: exposed / days,
            settleDays: (outcomeWindowMs + graceMs) / DAY_MS,
          }),
    deviation: Number.isFinite(deviation) ? deviation : null,
  };
}

/** A row for each arm, for a spreadsheet. */
export function armRows({ arms, experimentId, metric, status }: ResultsAnswer): Readonly<Record<string, unknown>>[] {
  return arms.map(({ interval: of, ...arm }) => ({ experimentId, status, metric, ...arm, low: of?.low ?? null, high: of?.high ?? null }));
}

export const ARM_COLUMNS = [
  'experimentId',
  'status',
  'metric',
  ...Object.keys(armResultsSchema.shape).filter((column) => column !== 'interval'),
  'low',
  'high',
];
