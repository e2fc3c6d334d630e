import type { Fact } from './fact.ts';
import type { ScoringModel } from './model.ts';
import type { TouchBatch } from './touch-batch.ts';
import type { TouchCursor } from './touch.ts';

/** Why a record was set aside as a dead letter. A closed list: metrics and documents name each. */
export const DEAD_LETTER_REASONS = {
  not_single_object: 'the value does not begin with the Avro single-object marker and a fingerprint',
  unknown_schema: 'no schema under schemas/ has the fingerprint',
  malformed: 'the bytes do not decode under their schema, or go on after it',
  over_limit: 'a field is longer or larger than its limit',
  invalid_value: 'a field holds a value outside its domain',
  in_the_future: 'the touch is dated over an hour ahead of its time of append',
  invalid_model: 'the model of a control record does not validate',
} as const;

export type DeadLetterReason = keyof typeof DEAD_LETTER_REASONS;

/** A record that can't be read or applied. It never stops its partition. */
export interface Poison {
  readonly reason: DeadLetterReason;
  /** For a person: names the field and the limit. */
  readonly detail: string;
}

/** Record kinds as small integers: the hot loop compares numbers. */
export const RECORD = { touch: 0, fact: 1, model: 2, poison: 3, tick: 4 } as const;

/** Time has passed: what is due by the record's time of append happens where it stands. */
export interface ClockTick {
  /** By the clock of whoever wrote it, epoch milliseconds. */
  readonly writtenAt: number;
  /** Touches of all accounts in the last seven days over the weekly mean of the three weeks before; null when it brings none. */
  readonly fleetGrowth: number | null;
}

/**
 * Records of one partition in offset order, read one at a time. Blocks of the log and rows of the store both come as runs, so one function
 * applies both. The fields describe the record that the last `next()` reached.
 */
export interface RecordRun {
  readonly partition: number;
  /** Goes to the next record; false when there is none. */
  next(): boolean;
  /**
   * Puts the touches that follow into a batch, which is empty, as far as they go and it has room; says how many. 0 where another record is next, or
   * none. Their times of append are its `now`. Absent where touches do not come as columns; `next()` gives the others.
   */
  takeTouches?(batch: TouchBatch): number;
  /** Points `touch` at one of those taken last. */
  pointAt?(index: number): void;
  readonly kind: (typeof RECORD)[keyof typeof RECORD];
  readonly offset: number;
  /** When the log took the record, epoch milliseconds: the engine's `now`. */
  readonly appendedAt: number;
  /** Set when kind is touch; valid until the next call of `next()`. */
  readonly touch: TouchCursor;
  /** Set when kind is fact. */
  readonly fact: Fact | null;
  /** Set when kind is model. */
  readonly model: ScoringModel | null;
  /** Set when kind is tick. */
  readonly tick: ClockTick | null;
  /** Set when kind is poison. */
  readonly poison: Poison | null;
}
