import type { ScoringModel } from '@touchstone/engine';
import type { EventLog } from '@touchstone/event-log';
import type { Metrics, Scheduler } from '@touchstone/runtime';
import type { AggregatorStore } from './aggregator-store.ts';
import { ClockTicker, TICK_INTERVAL_MS } from './clock-ticker.ts';
import { FleetGrowthTeller } from './fleet-growth.ts';
import type { Intake } from './intake.ts';
import { AlertPublisher } from './publish-alerts.ts';

/** Whether it is time for another tick of growth is looked at so often; it is told once an hour. */
const GROWTH_LOOK_INTERVAL_MS = 10_000;
/** Whose owner tells of the growth. */
const TELLING_PARTITION = 0;

interface AlertingOptions {
  readonly intakes: ReadonlyMap<number, Intake>;
  readonly owns: (partition: number) => boolean;
  readonly modelInForce: () => ScoringModel;
  readonly topic: string;
  readonly log: EventLog;
  readonly store: AggregatorStore;
  readonly metrics: Metrics;
  readonly scheduler: Scheduler;
  readonly publishIntervalMs: number;
}

/** What an aggregator does about alerts besides evaluating rules: telling them, and letting in time and growth, which rules depend on. */
export class Alerting {
  readonly publisher: AlertPublisher;
  readonly #publishIntervalMs: number;
  readonly #ticker: ClockTicker;
  readonly #growth: FleetGrowthTeller;

  constructor(options: AlertingOptions) {
    const { intakes, modelInForce } = options;
    const owns = (partition: number): boolean => intakes.has(partition) && options.owns(partition);
    this.#publishIntervalMs = options.publishIntervalMs;
    this.publisher = new AlertPublisher({ ...options, intakes: () => intakes.values(), mayTell: owns });
    this.#ticker = new ClockTicker({ ...options, intakes: () => intakes.values(), owns });
    this.#growth = new FleetGrowthTeller({
      ...options,
      metric: () => modelInForce().surge?.metric ?? null,
      isOurs: () => owns(TELLING_PARTITION) && intakes.get(TELLING_PARTITION)!.isCaughtUp,
    });
  }

  /** Begins to tell alerts, and to let time and growth in. */
  start(every: (intervalMs: number, step: () => Promise<void>) => void): void {
    every(this.#publishIntervalMs, async () => void (await this.publisher.publish()));
    every(TICK_INTERVAL_MS, () => this.#ticker.look());
    every(GROWTH_LOOK_INTERVAL_MS, () => this.#growth.look());
  }
}
