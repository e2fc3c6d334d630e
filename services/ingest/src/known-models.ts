import { defaultModel, type ScoringModel } from '@touchstone/engine';
import { modelInForce } from '@touchstone/recovery';
import { isRetriable, ProblemError } from '@touchstone/runtime';
import type { StoredModel } from '@touchstone/store';

export interface KnownModelsOptions {
  /** Every model that was published, by partition, oldest first. */
  readonly loadModels: () => Promise<readonly StoredModel[]>;
  readonly partitionCount: () => number;
}

/**
 * The scoring models as the store has them, for a process that keeps no ledgers: how old a touch may be follows from the one in force, and a
 * version never comes to mean another model. A model is in the store a checkpoint after its publication, so this is a moment behind.
 */
export class KnownModels {
  readonly #options: KnownModelsOptions;
  #inForce: ScoringModel | null = null;
  #versions: ReadonlyMap<string, ScoringModel> = new Map();

  constructor(options: KnownModelsOptions) {
    this.#options = options;
  }

  /** @throws whatever `loadModels` rejects with; what was known stays known */
  async refresh(): Promise<void> {
    const stored = await this.#options.loadModels();
    this.#versions = new Map([defaultModel, ...stored.map(({ model }) => model)].map((model) => [model.version, model]));
    const partitions = Array.from({ length: this.#options.partitionCount() }, (_, partition) => partition);
    this.#inForce = modelInForce(
      partitions.map((partition) => stored.filter((one) => one.partition === partition).map(({ model }) => model)),
    );
  }

  /**
   * The model in force.
   * @throws ProblemError `not_ready` before the models were read once: by the default one, touches could be rejected that are welcome
   */
  get inForce(): ScoringModel {
    if (this.#inForce === null) {
      throw new ProblemError('not_ready', 'the scoring models are not read yet', { headers: { 'retry-after': '1' } });
    }
    return this.#inForce;
  }

  /**
   * The default model and all that were ever published, by version, read anew: another process may have published one. Two that publish at the
   * same time, within a checkpoint of each other, do not see each other's.
   * @throws ProblemError `unavailable`
   */
  async versions(): Promise<ReadonlyMap<string, ScoringModel>> {
    try {
      await this.refresh();
    } catch (cause) {
      if (!isRetriable(cause)) throw cause;
      const detail = 'the store does not answer right now, and it knows which versions are taken';
      throw new ProblemError('unavailable', detail, { cause, headers: { 'retry-after': '2' } });
    }
    return this.#versions;
  }
}
