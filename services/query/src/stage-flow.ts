import type { ScoringModel } from '@touchstone/engine';
import { stageFlow, type StageFlow } from '@touchstone/kpis';
import type { StageFigures } from '@touchstone/store';
import { z } from 'zod';

/** What flows through a stage in a period: the same figures wherever they are told. */
export const flowFields = {
  balanceAtStart: z.int().describe('In it before the period began'),
  entered: z.int().describe('Stays that began in the period'),
  left: z.int().describe('Stays that ended in the period'),
  balance: z.int().describe('In it at the end of the period: balanceAtStart + entered - left'),
  conversion: z
    .number()
    .min(0)
    .max(1)
    .nullable()
    .describe('Share of `entered` that went on to a later stage, or was won, before the end; null where there are none'),
  meanDays: z
    .number()
    .nullable()
    .describe('Mean of the stays that ended in the period, which makes slow stages look fast; null where none did'),
  medianDays: z
    .number()
    .nullable()
    .describe(
      'Median of the stays that began in the period, to the hour: those that go on count as at least so long (Kaplan-Meier). Null where too many go on to tell',
    ),
  stalled: z.int().describe('In it for stalledDays or longer'),
};

const NOTHING: StageFlow = {
  balanceAtStart: 0,
  entered: 0,
  left: 0,
  balance: 0,
  conversion: null,
  meanDays: null,
  medianDays: null,
  stalled: 0,
};

export function flowOf(figures: readonly StageFigures[], stage: string): StageFlow {
  const found = figures.find((one) => one.stage === stage);
  return found === undefined ? NOTHING : stageFlow({ ...found, balanceAtEnd: found.balance });
}

export interface OrderedStage {
  readonly stage: string;
  readonly name: string | null;
  readonly inModel: boolean;
}

/** In the order of the model, then those of former models in the order in which accounts go through them; all of them so where no model has any. */
export function stagesInOrder(figures: readonly StageFigures[], { stages }: Pick<ScoringModel, 'stages'> = { stages: [] }): OrderedStage[] {
  const known = stages.map(({ id, name = null }) => ({ stage: id, name, inModel: true }));
  const former = figures
    .filter(({ stage }) => !known.some((one) => one.stage === stage))
    .toSorted((one, other) => one.place - other.place || (one.stage < other.stage ? -1 : 1))
    .map(({ stage }) => ({ stage, name: null, inModel: false }));
  return [...known, ...former];
}
