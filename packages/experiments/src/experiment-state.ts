import { durationMs, scoringModelSchema, type ScoringModel } from '@touchstone/engine';
import type { Arm, Experiment, Slice } from './experiment.ts';
import { recordedExperimentSchema, type ExperimentDefinition } from './experiment-definition.ts';
import { LINEUPS_MAX, type EvidencePlan, type Lineup } from './lineup.ts';
import { moveSlices, slicesOf } from './slices.ts';

/**
 * What the steps of an experiment come to:
 *
 *     (none) --create--> draft --start--> running --stop--> stopped
 *                          |              |     ^
 *                          '--stop--.     '-----'  swap, undo, weights
 *                                   v
 *                                stopped
 *
 * A pure function of the steps in the order of their topic, so that all processes agree, and a restart comes to the same. Each step names the
 * revision that whoever wrote it knew: of two that were decided at once the second expects a revision that is past, and changes nothing.
 */

/** Kept of what happened, for those who ask here: the topic has it all. */
const HISTORY_MAX = 10_000;

export const EXPERIMENT_STATUSES = ['draft', 'running', 'stopped'] as const;
export type ExperimentStatus = (typeof EXPERIMENT_STATUSES)[number];

/** A step as its topic holds it; see experiment-record.v1.avsc. */
export interface ExperimentStep {
  readonly experimentId: string;
  readonly action: 'create' | 'start' | 'stop' | 'swap' | 'undo' | 'weights';
  readonly expectedRevision: number;
  readonly by: string;
  readonly definition: string | null;
  readonly creativeId: string | null;
  readonly weights: readonly Arm[] | null;
  readonly reason: string | null;
  readonly evidence: string | null;
}

/** What happened, when, by whom and on what evidence. */
export interface HistoryEntry {
  readonly revision: number;
  readonly action: ExperimentStep['action'];
  readonly by: string;
  /** When the log took it, epoch ms. */
  readonly at: number;
  /** Of swap and undo. */
  readonly creativeId: string | null;
  readonly weights: readonly Arm[] | null;
  readonly reason: string | null;
  /** JSON. */
  readonly evidence: string | null;
}

export interface ExperimentState {
  readonly definition: ExperimentDefinition;
  readonly revision: number;
  readonly status: ExperimentStatus;
  /** Epoch ms, when the log took the steps. */
  readonly createdAt: number;
  readonly startedAt: number | null;
  readonly stoppedAt: number | null;
  /**
   * Rules and roles that touches are weighed by, as they were at its start: points of one scale from the first account to the last, whatever becomes of the scoring
   * model. Null before it, and where the step of the start holds none.
   */
  readonly weights: ScoringModel | null;
  /** The arms as they were created, with the weights of now. */
  readonly arms: readonly Arm[];
  /** Creatives that are swapped out, in that order. */
  readonly out: readonly string[];
  /** Which accounts are whose, by the buckets of the hash. */
  readonly slices: readonly Slice[];
  /** The slices before each creative of `out` was swapped out. */
  readonly formerSlices: readonly (readonly Slice[])[];
  /** By what accounts were assigned; the last one is in force. All from its start on, or the newest `LINEUPS_MAX` and the one before them. */
  readonly lineups: readonly Lineup[];
  /** Creatives that were brought back by somebody: nothing takes them out again by itself. */
  readonly keptIn: readonly string[];
  readonly history: readonly HistoryEntry[];
}

const IS_THERE = 'there is an experiment with this id already';

/** The next state, or why the step changes nothing. */
export type StepOutcome = { readonly state: ExperimentState } | { readonly refused: string };

/** @param at when the log took the step, epoch ms */
export function applyStep(state: ExperimentState | null, step: ExperimentStep, at: number): StepOutcome {
  const revision = state?.revision ?? 0;
  if (step.expectedRevision !== revision) {
    // Whoever makes one knows of no revision.
    if (step.action === 'create' && state !== null) return { refused: IS_THERE };
    return { refused: `it expects revision ${step.expectedRevision}, and the experiment has revision ${revision}` };
  }
  if (state === null) return step.action === 'create' ? created(step, at) : { refused: 'there is no such experiment' };
  const change = changeOf(state, step, at);
  return typeof change === 'string'
    ? { refused: change }
    : { state: { ...state, ...change, ...linedUp(state, change, at), ...noted(state, step, at, change) } };
}

type Change = Partial<Omit<ExperimentState, 'definition' | 'revision' | 'history'>>;

function created(step: ExperimentStep, at: number): StepOutcome {
  const definition = definitionOf(step);
  if (definition === null) return { refused: 'its definition can not be read by this version' };
  const { arms, coverage } = definition;
  const slices = slicesOf(arms, coverage);
  const none = { startedAt: null, stoppedAt: null, weights: null, out: [], formerSlices: [], lineups: [], keptIn: [], history: [] };
  const state: ExperimentState = { definition, revision: 0, status: 'draft', createdAt: at, arms, slices, ...none };
  return { state: { ...state, ...noted(state, step, at, {}) } };
}

function definitionOf({ definition, experimentId }: ExperimentStep): ExperimentDefinition | null {
  if (definition === null) return null;
  try {
    const parsed = recordedExperimentSchema.safeParse(JSON.parse(definition));
    return parsed.success && parsed.data.id === experimentId ? parsed.data : null;
  } catch {
    return null;
  }
}

/** What a start is recorded with: see `ExperimentState.weights`. */
export function startEvidence({ roles, rules, version }: ScoringModel): string {
  return JSON.stringify({ weights: { version, rules, roles } });
}

function weightsIn({ evidence }: ExperimentStep): ScoringModel | null {
  if (evidence === null) return null;
  try {
    const { weights } = JSON.parse(evidence) as { readonly weights?: unknown };
    return scoringModelSchema.safeParse(weights).data ?? null;
  } catch {
    return null;
  }
}

/** What the step changes, or why it can't be taken now. */
function changeOf(state: ExperimentState, step: ExperimentStep, at: number): Change | string {
  const { arms, definition, formerSlices, keptIn, out, slices, status } = state;
  const { coverage } = definition;
  if (step.action === 'create') return IS_THERE;
  if (step.action === 'start') {
    return status === 'draft'
      ? { status: 'running', startedAt: at, slices, weights: weightsIn(step) }
      : `it is ${status}: only a draft can be started`;
  }
  if (step.action === 'stop') return status === 'stopped' ? 'it is stopped already' : { status: 'stopped', stoppedAt: at };
  if (status !== 'running') return `it is ${status}, not running`;
  switch (step.action) {
    case 'swap': {
      const { creativeId } = step;
      if (creativeId === null || !arms.some((arm) => arm.creativeId === creativeId)) return 'no arm has this creative';
      if (out.includes(creativeId)) return `${creativeId} is swapped out already`;
      if (out.length === arms.length - 1) return `${creativeId} is the last creative that is in`;
      return {
        out: [...out, creativeId],
        slices: moveSlices(slices, armsIn(arms, [...out, creativeId]), coverage),
        formerSlices: [...formerSlices, slices],
        keptIn: keptIn.filter((kept) => kept !== creativeId),
      };
    }
    case 'undo': {
      const last = out.at(-1);
      if (last === undefined) return 'no creative is swapped out';
      const left = out.slice(0, -1);
      // The former slices, so that each account gets its creative back; where weights have moved since, from there to what they are now.
      const back = moveSlices(formerSlices.at(-1)!, armsIn(arms, left), coverage);
      return { out: left, slices: back, formerSlices: formerSlices.slice(0, -1), keptIn: [...keptIn, last] };
    }
    case 'weights': {
      const { weights } = step;
      if (definition.mode !== 'thompson') return `weights move in mode thompson alone, and it is in mode ${definition.mode}`;
      const isWhole = weights?.length === arms.length && arms.every(({ creativeId }, index) => weights[index]!.creativeId === creativeId);
      if (!isWhole) return 'weights must be one for each arm, in their order';
      if (!(armsIn(weights, out).reduce((sum, { weight }) => sum + weight, 0) > 0))
        return 'the creatives that are in must have some weight';
      return { arms: weights, slices: moveSlices(slices, armsIn(weights, out), coverage) };
    }
  }
}

function linedUp({ definition, lineups }: ExperimentState, { out, slices }: Change, at: number): Pick<ExperimentState, 'lineups'> {
  if (slices === undefined) return { lineups };
  const lineup = { since: at, slices, holdout: definition.holdout, movesShown: out !== undefined };
  return { lineups: [...lineups, lineup].slice(-LINEUPS_MAX - 1) };
}

/** The arms that are not swapped out. */
export function armsIn(arms: readonly Arm[], out: readonly string[]): readonly Arm[] {
  return arms.filter(({ creativeId }) => !out.includes(creativeId));
}

/** The experiment of now, as assignment and evidence see it. */
export function currentExperiment({ arms, definition, out, slices }: ExperimentState): Experiment {
  const { campaignId, coverage, holdout, id, seed } = definition;
  return { id, seed, campaignId, arms: armsIn(arms, out), holdout, coverage, slices };
}

/** What is taken as evidence, through all lineups. */
export function planOf({ definition, startedAt }: Pick<ExperimentState, 'definition' | 'startedAt'>): EvidencePlan {
  const { campaignId, grace, outcomeWindow, seed } = definition;
  // A draft has no evidence yet.
  return { seed, campaignId, startedAt: startedAt ?? Infinity, outcomeWindowMs: durationMs(outcomeWindow), graceMs: durationMs(grace) };
}

function noted(
  { history, out, revision }: ExperimentState,
  { action, by, creativeId, evidence, reason, weights }: ExperimentStep,
  at: number,
  change: Change,
): Pick<ExperimentState, 'revision' | 'history'> {
  const next = revision + 1;
  const broughtBack = action === 'undo' && change.out !== undefined ? out.at(-1)! : null;
  const entry: HistoryEntry = { revision: next, action, by, at, creativeId: broughtBack ?? creativeId, weights, reason, evidence };
  return { revision: next, history: [...history, entry].slice(-HISTORY_MAX) };
}

/** What accounts outside of an experiment get: the control, unless that is swapped out. */
export function defaultCreative({ arms, definition, out }: ExperimentState): string {
  if (!out.includes(definition.control)) return definition.control;
  return armsIn(arms, out).reduce((best, arm) => (arm.weight > best.weight ? arm : best)).creativeId;
}
