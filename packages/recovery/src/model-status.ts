import type { ScoringModel } from '@touchstone/engine';

/** What a service that holds ledgers knows of the model in force. */
export interface ModelStatus {
  readonly model: ScoringModel;
  /** Offset from which each partition scores under the model. */
  readonly takeover: ReadonlyMap<number, number>;
  /** Version that is being prepared while `model` serves. */
  readonly rescoringTo: string | null;
}
