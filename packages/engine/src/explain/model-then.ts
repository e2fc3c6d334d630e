import { defaultModel } from '../default-model.ts';
import type { ScoringModel } from '../model.ts';
import { hourOf } from '../time-slots.ts';

/** A model's control record, as it stands in the account's partition. */
export interface ModelRecord {
  readonly offset: number;
  /** Epoch ms. */
  readonly appendedAt: number;
  readonly model: ScoringModel;
}

/** A score of the account as it was published: that it was under this model then is certain. */
export interface ScoreShown {
  /** Epoch ms. */
  readonly asOf: number;
  readonly modelVersion: string;
}

export interface ModelThenOptions {
  /** Epoch ms. */
  readonly at: number;
  /** By offset. */
  readonly records: readonly ModelRecord[];
  /** The last score that is kept of `at` or before, and the first after; of each UTC hour the last one is kept. */
  readonly before: ScoreShown | null;
  readonly after: ScoreShown | null;
  /** The one in force now, which `after` stands for where it is null. */
  readonly current: ScoringModel;
}

/**
 * The model that was in force at an instant. A model's record is only the order to rescore: it is in force when that is done, seconds to minutes later, and
 * then every account's score is published anew. So what was published says it, as far as it is kept:
 *
 *   - no score is kept of the rest of the hour: none came, so that of the last score is in force still;
 *   - else those between may have been replaced by the one that is kept. If its model had been ordered by the instant, that one; else the last that had:
 *     when it took over is not kept, and this may be too early by the time that the rescoring took.
 */
export function modelThen({ after, at, before, current, records }: ModelThenOptions): ScoringModel {
  const models = new Map([defaultModel, ...records.map(({ model }) => model), current].map((model) => [model.version, model]));
  const ordered = records.filter(({ appendedAt }) => appendedAt <= at);
  const last = ordered.at(-1)?.model ?? defaultModel;
  const isReplaced = after !== null && hourOf(after.asOf) === hourOf(at);
  if (before !== null && !isReplaced) return models.get(before.modelVersion) ?? last;

  const version = after?.modelVersion ?? current.version;
  const shownAt = after?.asOf ?? Infinity;
  // One that came back later was shown because of that.
  const isOrderedLater = records.some(({ appendedAt, model }) => model.version === version && appendedAt > at && appendedAt <= shownAt);
  const isOrdered = ordered.some(({ model }) => model.version === version);
  return isOrdered && !isOrderedLater ? models.get(version)! : last;
}
