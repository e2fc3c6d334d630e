import { medianStayHours, type StayCount } from './kaplan-meier.ts';

const DAY_MS = 86_400_000;

/** What came of a stage in a period. */
export interface StageCounts {
  /** Of what is in the stage, at the beginning of the period and at its end. */
  readonly balanceAtStart: number;
  readonly balanceAtEnd: number;
  /** Stays that began in the period, and that ended in it. */
  readonly entered: number;
  readonly left: number;
  /** How long those that ended were, together. */
  readonly leftMs: number;
  /** Of the stays that began in the period, those that ended with a later stage before its end. */
  readonly advanced: number;
  /** In the stage at the end for longer than the given time. */
  readonly stalled: number;
  /** Stays that began in the period, by length. */
  readonly stays: readonly StayCount[];
}

export interface StageFlow {
  readonly balanceAtStart: number;
  readonly entered: number;
  readonly left: number;
  /** Always balanceAtStart + entered - left. */
  readonly balance: number;
  readonly conversion: number | null;
  readonly meanDays: number | null;
  readonly medianDays: number | null;
  readonly stalled: number;
}

/** @throws RangeError when the stage does not balance: something came in, or went, that was not counted */
export function stageFlow(counts: StageCounts): StageFlow {
  const { advanced, balanceAtEnd, balanceAtStart, entered, left, leftMs, stalled, stays } = counts;
  if (balanceAtStart + entered - left !== balanceAtEnd) {
    throw new RangeError(`a stage with ${balanceAtStart} at the start, ${entered} entered and ${left} left can't have ${balanceAtEnd}`);
  }
  const medianHours = medianStayHours(stays);
  return {
    balanceAtStart,
    entered,
    left,
    balance: balanceAtEnd,
    conversion: entered === 0 ? null : advanced / entered,
    meanDays: left === 0 ? null : leftMs / left / DAY_MS,
    medianDays: medianHours === null ? null : medianHours / 24,
    stalled,
  };
}
