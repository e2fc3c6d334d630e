import { fieldsUsed, PartitionLedgers, type ScoringModel } from '@touchstone/engine';
import type { Clock } from '@touchstone/runtime';
import type { QueryStore } from '../query-store.ts';

/**
 * When accounts would have become marketing qualified had the model in force been in force always: the stored touches and facts are applied as if they were live, so that a
 * threshold that was moved since does not look like growth.
 *
 * It takes as long as a restore and more (some minutes for ten million touches), so it runs in the background, in turns of a few milliseconds with as long a pause after each, a partition
 * at a time: no more memory than the ledgers of one. It is begun when somebody asks, and made anew when an answer is older than KEPT_MS or another model is in force.
 */
const KEPT_MS = 3_600_000;
const TURN_MS = 5;
const RECORDS_A_LOOK = 64;
/** Of qualifications kept: some 100 bytes each. */
const QUALIFICATIONS_MAX = 1_000_000;

export interface Qualification {
  readonly accountId: string;
  /** Epoch ms. */
  readonly at: number;
}

export type UnderConstantModel =
  | { readonly qualifications: null; readonly reason: string }
  | { readonly qualifications: readonly Qualification[]; readonly modelVersion: string; readonly asOf: number };

export interface ConstantModelOptions {
  readonly store: Pick<QueryStore, 'positions' | 'replay'>;
  readonly clock: Clock;
  /** Lets others have their turn, for so many ms at least. */
  readonly pause: (ms: number) => Promise<void>;
  /** Told when it fails; the next question begins it anew. */
  readonly onFailed: (error: unknown) => void;
}

export class ConstantModel {
  readonly #options: ConstantModelOptions;
  #known: Extract<UnderConstantModel, { readonly modelVersion: string }> | null = null;
  #hash = '';
  #isTooMany = false;
  #running: Promise<void> | null = null;

  constructor(options: ConstantModelOptions) {
    this.#options = options;
  }

  /** What is known by now. Begins what is not. */
  ask(model: ScoringModel): UnderConstantModel {
    if (model.qualification === undefined) return { qualifications: null, reason: 'the model in force has no qualification' };
    const hash = JSON.stringify(model);
    const isOld = this.#known === null || hash !== this.#hash || this.#options.clock() - this.#known.asOf > KEPT_MS;
    if (isOld && this.#running === null && !(this.#isTooMany && hash === this.#hash)) this.#begin(model, hash);
    if (this.#isTooMany && hash === this.#hash)
      return { qualifications: null, reason: `there are more than ${QUALIFICATIONS_MAX} qualifications under it` };
    if (this.#known === null || hash !== this.#hash)
      return { qualifications: null, reason: 'it is being computed from the stored touches: ask again' };
    return this.#known;
  }

  /** Resolves when what runs has ended. */
  async settled(): Promise<void> {
    await this.#running;
  }

  #begin(model: ScoringModel, hash: string): void {
    this.#running = this.#compute(model, hash)
      .catch(this.#options.onFailed)
      .finally(() => {
        this.#running = null;
      });
  }

  async #compute(model: ScoringModel, hash: string): Promise<void> {
    const { clock, store } = this.#options;
    const asOf = clock();
    const qualifications: Qualification[] = [];
    for (const { offset, partition } of (await store.positions()).values()) {
      await this.#replay(new PartitionLedgers(partition, model), offset, qualifications);
      if (qualifications.length > QUALIFICATIONS_MAX) break;
    }
    this.#hash = hash;
    this.#isTooMany = qualifications.length > QUALIFICATIONS_MAX;
    this.#known = this.#isTooMany ? null : { qualifications, modelVersion: model.version, asOf };
  }

  async #replay(ledgers: PartitionLedgers, before: number, qualifications: Qualification[]): Promise<void> {
    const { pause, store } = this.#options;
    let records = 0;
    let turnAt = performance.now();
    for await (const run of store.replay(ledgers.partition, before, { fields: fieldsUsed(ledgers.model) })) {
      while (run.next()) {
        ledgers.take(run, false);
        if (++records % RECORDS_A_LOOK !== 0) continue;
        collect(ledgers, qualifications);
        const worked = performance.now() - turnAt;
        if (worked < TURN_MS) continue;
        await pause(worked);
        turnAt = performance.now();
      }
    }
    ledgers.settle();
    collect(ledgers, qualifications);
  }
}

function collect(ledgers: PartitionLedgers, qualifications: Qualification[]): void {
  for (const { alert, isHeld } of ledgers.alerts.takeTransitions()) {
    if (alert.ruleId === 'qualification' && alert.direction === 'up' && !isHeld)
      qualifications.push({ accountId: alert.accountId, at: alert.at });
  }
}
