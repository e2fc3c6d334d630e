import { applyStep, type ExperimentState, type ExperimentStep, type StepOutcome } from './experiment-state.ts';

/** All experiments, as the steps that were read so far come to. */
export class ExperimentBook {
  readonly #byId = new Map<string, ExperimentState>();
  /** In order of creation. */
  #byFlag: ReadonlyMap<string, readonly ExperimentState[]> = new Map();
  #openFlagKeys: readonly string[] = [];
  /** Grows with each step that was applied. */
  version = 0;

  /** @param at when the log took the step, epoch ms */
  apply(step: ExperimentStep, at: number): StepOutcome {
    const outcome = applyStep(this.get(step.experimentId), step, at);
    if ('state' in outcome) {
      this.#byId.set(step.experimentId, outcome.state);
      this.#byFlag = Map.groupBy(this.#byId.values(), ({ definition }) => definition.flagKey);
      this.#openFlagKeys = [...this.#byFlag].filter(([, states]) => states.some(({ status }) => status !== 'stopped')).map(([key]) => key);
      this.version++;
    }
    return outcome;
  }

  get(id: string): ExperimentState | null {
    return this.#byId.get(id) ?? null;
  }

  /** In order of creation. */
  get all(): readonly ExperimentState[] {
    return [...this.#byId.values()];
  }

  /** Flags that still decide something, or will: those whose experiments are all stopped would be tried for ever. */
  get openFlagKeys(): readonly string[] {
    return this.#openFlagKeys;
  }

  /** The experiments that share a flag, in order of creation; empty for a flag that is not known. */
  ofFlag(key: string): readonly ExperimentState[] {
    return this.#byFlag.get(key) ?? [];
  }
}
