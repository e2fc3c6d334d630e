import type { LedgerSet } from '@touchstone/engine';
import type { EventLog } from '@touchstone/event-log';
import { judge, type EvidenceSummary, type ExperimentState, type Judgement } from '@touchstone/experiments';
import { ProblemError, repeat, sleep, type KeyRing, type Logger, type Metrics, type Readiness, type Scheduler } from '@touchstone/runtime';
import type { Store } from '@touchstone/store';
import type { LiveFeed } from '../live-feed.ts';
import { PublishedAlert } from '../stream-event.ts';
import { Decider } from './decider.ts';
import { DecisionStreams } from './decision-streams.ts';
import { judgeOptionsOf, stepOf } from './evaluate-experiment.ts';
import { EvidenceFeed } from './evidence-feed.ts';
import { ExperimentLog } from './experiment-log.ts';

const EVALUATION_INTERVAL_MS = 2000;
/** Of all time at most this part goes into looking at evidence: with millions of accounts it is looked at less often. */
const EVALUATION_SHARE = 0.05;

const GAUGES = ['experiment_accounts', 'experiment_settled_accounts', 'experiment_outcome', 'experiment_contaminated_accounts'] as const;

export interface ExperimentsOptions {
  readonly ledgers: LedgerSet;
  readonly store: Pick<Store, 'positions' | 'offsetSince' | 'replay' | 'contactRoles' | 'crossings'>;
  /** Of the same process: tells of crossings. */
  readonly feed: Pick<LiveFeed, 'keptAlerts' | 'whenTold'>;
  readonly keys: Pick<KeyRing, 'sign'>;
  readonly metrics: Metrics;
  readonly scheduler: Scheduler;
  readonly logger: Logger;
  /** Whether the ledgers are restored: what they say before that is not acted on. */
  readonly readiness: () => Readiness;
}

/** Somebody who changes an experiment waits so long for figures to keep with the change. One that was just started has none before a checkpoint. */
const RESULTS_WITHIN_MS = 15_000;
const RESULTS_LOOK_MS = 100;

/** What evidence of an experiment comes to by now. */
export interface Results {
  readonly summary: EvidenceSummary;
  readonly judgement: Judgement;
}

/**
 * Experiments with creatives in a process that serves:
 *
 *     topic experiments --> book --> decider --> OFREP
 *            ^               |          ^ \--> streams: ask again
 *            |               v          |
 *            '--- steps <-- evidence <--+-- touches that count
 *
 * Every process has the same book and the same evidence, and each may decide: of two that do so at once the second step expects a revision that is past.
 */
export class Experiments {
  readonly log: ExperimentLog;
  readonly decider: Decider;
  readonly streams: DecisionStreams;
  readonly #options: ExperimentsOptions;
  readonly #evidence: EvidenceFeed;
  readonly #results = new Map<string, Results>();
  #evaluating: { stop(): void } | null = null;
  #restsUntil = 0;
  #isFollowing = false;
  #wasWhole = false;

  constructor(options: ExperimentsOptions) {
    const { feed, ledgers, scheduler, metrics } = options;
    this.#options = options;
    this.log = new ExperimentLog(options);
    this.#evidence = new EvidenceFeed({ ...options, running: () => this.running, keptAlerts: () => feed.keptAlerts() });
    this.decider = new Decider({
      ledgers,
      book: this.log.book,
      clock: () => scheduler.now(),
      heldBy: ({ definition }, partition, accountId) => this.#evidence.heldBy(definition.id, partition, accountId),
    });
    this.streams = new DecisionStreams({ ...options, decider: this.decider });
    feed.whenTold((published) => {
      if (published instanceof PublishedAlert) this.#evidence.takeAlert(published.partition, published.alert);
      this.streams.look(published.accountId);
    });
    metrics.beforeScrape(() => this.#setGauges());
  }

  get running(): readonly ExperimentState[] {
    return this.log.book.all.filter(({ status }) => status === 'running');
  }

  /**
   * Whether decisions can be told: what accounts were shown before this process was there is read. From then on it stays so: of an experiment that is
   * started later nothing was shown before.
   */
  readiness(): Readiness {
    const { ready, detail } = this.#options.readiness();
    if (!ready) return { ready, detail };
    if (!this.#isFollowing) return { ready: false, detail: 'the experiments are not read yet' };
    this.#wasWhole ||= this.#evidence.isWhole;
    if (!this.#wasWhole) return { ready: false, detail: 'what accounts were shown is being read' };
    return { ready: true, detail: `${this.running.length} experiments run` };
  }

  /** Resolves once all experiments are known. */
  async start(log: Pick<EventLog, 'append' | 'extents' | 'subscribe'>, onFatal: (cause: unknown) => void): Promise<void> {
    const { logger, scheduler } = this.#options;
    await this.log.start(log, onFatal);
    this.#evidence.refresh();
    this.#isFollowing = true;
    this.log.follow(({ entry, state }) => {
      if (entry.action === 'start' || entry.action === 'stop') this.#evidence.refresh();
      // Until it is looked at again, what is known of one that goes on is better than nothing.
      if (state.status !== 'running') this.#results.delete(state.definition.id);
      this.streams.lookAtAll();
    });
    this.streams.start();
    this.#evaluating = repeat({
      scheduler,
      intervalMs: EVALUATION_INTERVAL_MS,
      step: () => this.#evaluate(),
      onRetry: (err) => logger.warn({ err }, 'experiments are looked at again in a moment'),
      onFault: (err) => logger.error({ err }, 'experiments are not looked at any more'),
    });
  }

  /** As of now; null while some of the evidence is still to be read, or there is none as it does not run. */
  async resultsOf(state: ExperimentState): Promise<Results | null> {
    const summary = state.status === 'running' ? await this.#evidence.summaryOf(state) : null;
    return summary === null ? null : { summary, judgement: judge(summary, judgeOptionsOf(state)) };
  }

  /**
   * As of now, of one that runs, to be kept for good; null of one that does not.
   * @throws ProblemError `unavailable` while some of the evidence is still to be read: nobody could add it afterwards
   */
  async resultsToKeep(state: ExperimentState): Promise<Results | null> {
    if (state.status !== 'running') return null;
    const { scheduler } = this.#options;
    const until = scheduler.elapsed() + RESULTS_WITHIN_MS;
    for (;;) {
      const results = await this.resultsOf(state);
      if (results !== null) return results;
      if (scheduler.elapsed() >= until || this.log.book.get(state.definition.id)?.status !== 'running') break;
      await sleep(scheduler, RESULTS_LOOK_MS);
    }
    throw new ProblemError('unavailable', 'the evidence of this experiment is still being read', { headers: { 'retry-after': '5' } });
  }

  async stop(): Promise<void> {
    this.#evaluating?.stop();
    this.#evidence.stop();
    this.streams.stop();
    await this.log.stop();
  }

  async #evaluate(): Promise<void> {
    const { logger, readiness, scheduler } = this.#options;
    if (!readiness().ready || scheduler.elapsed() < this.#restsUntil) return;
    const startedAt = scheduler.elapsed();
    // What could not be read from the store is tried again.
    this.#evidence.refresh();
    for (const state of this.running) {
      const results = await this.resultsOf(state);
      const { id } = state.definition;
      // It may have gone on while the evidence was added up.
      if (results === null || this.log.book.get(id) !== state) continue;
      this.#results.set(id, results);
      const step = stepOf(state, results.summary);
      if (step === null) continue;
      const outcome = await this.log.write(step).catch((err: unknown) => {
        logger.warn({ err, experiment: id }, 'a decision could not be written, and is made again');
        return null;
      });
      if (outcome !== null && 'state' in outcome) {
        const { action, creativeId, reason } = step;
        logger.info({ experiment: id, action, creativeId, reason }, 'an experiment was decided by its evidence');
      }
    }
    this.#restsUntil = scheduler.elapsed() + (scheduler.elapsed() - startedAt) / EVALUATION_SHARE;
  }

  #setGauges(): void {
    const { metrics } = this.#options;
    const all = this.log.book.all;
    for (const status of ['draft', 'running', 'stopped'] as const) {
      metrics.set('experiments', { status }, all.filter((state) => state.status === status).length);
    }
    // Else those that are stopped would stay, and take the room for labels from those that run.
    for (const gauge of GAUGES) metrics.clear(gauge);
    for (const [experiment, { judgement, summary }] of this.#results) {
      const arms = summary.eras.flatMap((era) => era.arms);
      for (const [creative, of] of Map.groupBy(arms, ({ creativeId }) => creativeId)) {
        metrics.set('experiment_accounts', { experiment, creative }, sumOf(of, 'exposed'));
        metrics.set('experiment_settled_accounts', { experiment, creative }, sumOf(of, 'settled'));
      }
      for (const { creativeId: creative, value } of judgement.estimate.arms) {
        if (value !== null) metrics.set('experiment_outcome', { experiment, creative }, value);
      }
      metrics.set('experiment_contaminated_accounts', { experiment }, sumOf(arms, 'contaminated'));
    }
  }
}

function sumOf<Key extends string>(arms: readonly Readonly<Record<Key, number>>[], key: Key): number {
  return arms.reduce((sum, arm) => sum + arm[key], 0);
}
