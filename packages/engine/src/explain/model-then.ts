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
 * then every account's score is published anew. So what was published says it, and the records only where nothing was:
 *
 *   - scores before and after are of one model: that one;
 *   - none was kept of the hour after the instant, so none came between the two: the one before still;
 *   - else the new one took over within the hour, and when is not kept: the new one, if its record had been appended by the instant.
 */
export function modelThen({ after, at, before, current, records }: ModelThenOptions): ScoringModel {
  const models = new Map([defaultModel, ...records.map(({ model }) => model), current].map((model) => [model.version, model]));
  const published = records.filter(({ appendedAt }) => appendedAt <= at);
  const known = (version: string): ScoringModel | null => models.get(version) ?? null;
  const newest = published.at(-1)?.model ?? defaultModel;
  const next = after?.modelVersion ?? current.version;
  if (before === null) return isOf(published, next) ? (known(next) ?? newest) : newest;
  if (before.modelVersion === next) return known(next) ?? newest;
  const isWithinTheHour = after !== null && hourOf(after.asOf) === hourOf(at);
  if (isWithinTheHour && isOf(published, next)) return known(next) ?? newest;
  return known(before.modelVersion) ?? newest;
}

function isOf(published: readonly ModelRecord[], version: string): boolean {
  return published.some(({ model }) => model.version === version);
}
