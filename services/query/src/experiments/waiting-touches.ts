import type { ScoringModel } from '@touchstone/engine';
import type { CountedTouch, Evidence } from '@touchstone/experiments';

/** A touch, the same to all experiments. */
export type SharedTouch = Omit<CountedTouch, 'worth' | 'isAbove'>;

/** What touches are to one experiment. */
export interface WaitingReader {
  readonly evidence: Evidence;
  readonly startedAt: number;
  readonly weights: ScoringModel | null;
  readonly threshold: string | null;
}

/**
 * Touches of one partition that wait until those before them are read from the store: each once, for all experiments that are being read, and what it is
 * worth once for each model that these weigh by. Some 250 bytes a touch, and eight for each further model.
 */
export class WaitingTouches {
  /** By what touches are weighed; null for the model of now. */
  readonly weights: readonly (ScoringModel | null)[];
  readonly #max: number;
  readonly #thresholds: ReadonlyMap<string, readonly string[]>;
  readonly #touches: SharedTouch[] = [];
  /** Of each touch one for each of `weights`. */
  readonly #worths: number[] = [];
  /** Thresholds that the account was above before the touch, by its place; for few: touches of the campaigns that ask for it. */
  readonly #above = new Map<number, readonly string[]>();

  constructor(readers: readonly WaitingReader[], max: number) {
    this.weights = [...new Set(readers.map(({ weights }) => weights))];
    this.#max = max;
    const asking = Map.groupBy(
      readers.filter(({ threshold }) => threshold !== null),
      ({ evidence }) => evidence.plan.campaignId,
    );
    this.#thresholds = new Map([...asking].map(([campaignId, of]) => [campaignId, [...new Set(of.map(({ threshold }) => threshold!))]]));
  }

  get isFull(): boolean {
    return this.#touches.length >= this.#max;
  }

  /** Thresholds of which a touch that may expose its account is to say whether that is above. */
  thresholdsOf(campaignId: string): readonly string[] {
    return this.#thresholds.get(campaignId) ?? [];
  }

  /** @param worths one for each of `weights` */
  push(touch: SharedTouch, worths: readonly number[], above: readonly string[]): void {
    if (above.length > 0) this.#above.set(this.#touches.length, above);
    this.#touches.push(touch);
    for (const worth of worths) this.#worths.push(worth);
  }

  /** Hands all of them to an experiment, in their order. */
  moveInto({ evidence, startedAt, threshold, weights }: WaitingReader): void {
    const model = this.weights.indexOf(weights);
    for (const [place, touch] of this.#touches.entries()) {
      if (touch.appendedAt < startedAt || !concerns(evidence, touch.accountId, touch.campaignId)) continue;
      const worth = this.#worths[place * this.weights.length + model]!;
      const isAbove = threshold !== null && (this.#above.get(place)?.includes(threshold) ?? false);
      evidence.touch({ ...touch, worth, isAbove });
    }
  }

  /** Whoever reads for it may go on for a while, and would keep all of it. */
  forget(): void {
    this.#touches.length = 0;
    this.#worths.length = 0;
    this.#above.clear();
  }
}

/** Whether a touch may say something to an experiment: it is of its campaign, or of an account that was exposed. Asked of each experiment for each touch. */
export function concerns({ plan, rows }: Evidence, accountId: string, campaignId: string | null): boolean {
  return campaignId === plan.campaignId || rows.has(accountId);
}
