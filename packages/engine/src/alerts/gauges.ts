import type { PartitionLedgers } from '../ledgers.ts';

/** A touch that is about to count. */
export interface ComingTouch {
  account: number;
  /** -1 for nobody known. */
  contact: number;
  kind: number;
  occurredAt: number;
  minutes: number;
  now: number;
  /** What it is worth under the rules of the model, caps taken into account. */
  worth: number;
  isActNow: boolean;
}

/**
 * Something of an account that touches move, and that conditions follow. What has to come together before a condition may turn is the room
 * that it leaves: nobody asks the condition before so much has come.
 */
export interface Gauge {
  /** Gauges of one key are the same. */
  readonly key: string;
  /** Whether touches of a kind can move it. */
  isMovedBy(ledgers: PartitionLedgers, kind: number): boolean;
  /** How far a touch moves it at most; infinite where what it does is no matter of how much. */
  moves(ledgers: PartitionLedgers, touch: ComingTouch): number;
}

/** Room of what can't turn by any number of touches alone, but by one whose move is infinite. */
export const ROOM_FOR_MANY = 2 ** 20;

/**
 * Room of a condition that turns when a figure that goes by whole steps reaches a value. Half a step less than it takes, so that what is rounded in
 * between is no matter.
 */
export function roomForSteps(figure: number, level: number): number {
  return Math.max(0, Math.ceil(level - figure) - 0.5);
}

/** Of a figure that sums of rounded terms come to: a millionth less than it takes. */
export function roomForSum(figure: number, level: number): number {
  return Math.max(0, level - figure - Math.abs(level) * 1e-6);
}
