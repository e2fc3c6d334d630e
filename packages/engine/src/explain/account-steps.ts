import { PartitionLedgers } from '../ledgers.ts';
import type { ScoringModel } from '../model.ts';
import type { RecordRun } from '../record.ts';
import type { Transition } from '../alerts/alert.ts';

/**
 * The stages that an account would have gone through had one model been in force always: its own stored records, applied as if they were live. What
 * time alone brings about has the instant it had then; only where the clock of the log fell, and other records of the partition had moved it before, may an
 * instant be earlier.
 */
export class AccountSteps {
  readonly model: ScoringModel;
  readonly #ledgers: PartitionLedgers;
  readonly #steps: Transition[] = [];

  constructor(partition: number, model: ScoringModel) {
    this.model = model;
    const { surge: _surge, ...rest } = model;
    // What stages are made of: the qualification stays.
    this.#ledgers = new PartitionLedgers(partition, { ...rest, thresholds: [], watches: [] });
  }

  /** Every record counts, to the last. */
  readonly isOver = false;

  take(run: RecordRun): void {
    this.#ledgers.take(run, false);
  }

  settle(): void {
    this.#ledgers.settle();
    this.#collect();
  }

  /** All steps until an instant, epoch ms, that is not before the last record; oldest first. */
  stepsUntil(now: number): readonly Transition[] {
    this.#ledgers.alerts.advance(now, this.#ledgers.position);
    this.#collect();
    return this.#steps;
  }

  #collect(): void {
    for (const step of this.#ledgers.alerts.takeTransitions()) if (step.alert.ruleId === 'stages') this.#steps.push(step);
  }
}
