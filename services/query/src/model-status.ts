import type { ScoringModel } from '@touchstone/engine';

/** What a query service knows of the model in force. */
export interface ModelStatus {
  readonly model: ScoringModel;
  /** Offset from which each partition scores under the model. */
  readonly takeover: ReadonlyMap<number, number>;
  readonly rescoringTo: string | null;
}
