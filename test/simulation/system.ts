import { defaultModel } from '@touchstone/engine';
import { ALERTS_TOPIC, DEAD_LETTERS_TOPIC, EventLogError, EVENTS_TOPIC, SCORES_TOPIC } from '@touchstone/event-log';
import { StartError } from '@touchstone/recovery';
import { StoreError } from '@touchstone/store';
import { createRandom, type Random } from '../support/random.ts';
import { Broker } from './broker.ts';
import { Calendar } from './calendar.ts';
import { Coordinator } from './coordinator.ts';
import { Database } from './database.ts';
import { ExpectedPartition } from './expected.ts';
import { FaultCounts } from './faults.ts';
import { Host } from './host.ts';
import { Instance, isNamedCause } from './instance.ts';
import { Link, NO_LINK_FAULTS } from './link.ts';
import type { LogWorld } from './log-world.ts';
import { MemoryBound } from './memory-bound.ts';
import { ModelLog } from './model-log.ts';
import { ModelStore } from './model-store.ts';
import type { SimulationOptions } from './options.ts';
import { checkReadiness } from './readiness.ts';
import { beginWithRules, modelWithRules } from './rules.ts';
import { Timeline } from './timeline.ts';
import { Trace } from './trace.ts';
import { Watcher } from './watcher.ts';

/** Far below two thirds of the shortest session timeout stand the answers, far above it those that do not come. */
const LOG_TIMEOUT_MS = 1000;
const STORE_TIMEOUT_MS = 2000;

/** Rules are drawn apart from everything else. */
const RULES_SALT = 0x5eed;

/** Until when in virtual time nobody gets an answer. */
interface Outages {
  storeUntil: number;
  brokerUntil: number;
}

/** All parts of a simulated system, put together and not yet started. */
export class System {
  readonly options: SimulationOptions;
  readonly random: Random;
  readonly timeline = new Timeline();
  readonly trace = new Trace(this.timeline);
  readonly counts = new FaultCounts();
  readonly calendar: Calendar;
  readonly outages: Outages = { storeUntil: 0, brokerUntil: 0 };
  readonly broker: Broker;
  readonly expected: readonly ExpectedPartition[];
  readonly watcher: Watcher;
  readonly database: Database;
  readonly coordinator: Coordinator;
  readonly instances: readonly Instance[];
  /** Why starts were refused. */
  readonly refusals: StartError[] = [];
  readonly #memory: MemoryBound;
  readonly #world: LogWorld;

  /** @param startsAt the time of day at which it begins, epoch ms */
  constructor(options: SimulationOptions, startsAt: number) {
    const { dedupeHorizonMs, isSticky, partitions, seed, sessionTimeoutMs } = options;
    const { timeline, trace } = this;
    this.options = options;
    this.random = createRandom(seed);
    this.calendar = new Calendar(timeline, startsAt);
    this.broker = new Broker(this.calendar, {
      [EVENTS_TOPIC]: partitions,
      [SCORES_TOPIC]: partitions,
      [ALERTS_TOPIC]: partitions,
      [DEAD_LETTERS_TOPIC]: 1,
    });
    const model = options.hasRules ? modelWithRules(createRandom(seed ^ RULES_SALT)) : defaultModel;
    this.expected = Array.from({ length: partitions }, (_, partition) => new ExpectedPartition(partition, model, dedupeHorizonMs));
    this.watcher = new Watcher({
      expected: this.expected,
      trace,
      virtualNow: () => timeline.now,
      areAlertsKnown: options.hasRules,
      onPublish: () => checkReadiness(this.instances, this.watcher),
    });
    this.database = new Database(this.watcher);
    this.watcher.database = this.database;
    if (options.hasRules) beginWithRules(model, this);
    this.#memory = new MemoryBound(options, this.watcher);
    const rebalanceTimeoutMs = sessionTimeoutMs * 1.5;
    this.coordinator = new Coordinator({
      timeline,
      random: this.random,
      trace,
      partitions,
      sessionTimeoutMs,
      rebalanceTimeoutMs,
      isSticky,
    });
    this.#world = this.#logWorld();
    this.instances = Array.from({ length: options.instances }, (_, index) => this.#makeInstance(`aggregator-${index}`));
  }

  hasFaults(): boolean {
    return this.timeline.now < this.options.faultsMs;
  }

  makeHost(name: string, stallBeforeSend = 0): Host {
    const { calendar, counts, options, random, timeline } = this;
    return new Host({
      name,
      timeline,
      calendar,
      random,
      wakeOrder: options.wakeOrder,
      stallBeforeSendMs: () => {
        if (stallBeforeSend === 0 || !this.#chance(stallBeforeSend)) return 0;
        counts.add('stall before a request');
        return random() * options.stallMsMax;
      },
    });
  }

  logLink(host: Host): Link {
    const { counts, options, random, timeline } = this;
    return new Link(host, {
      timeline,
      random,
      counts,
      to: 'log',
      latencyMs: 4,
      timeoutMs: LOG_TIMEOUT_MS,
      faults: () => (this.hasFaults() ? options.logFaults : NO_LINK_FAULTS),
      isDown: this.#world.isBrokerDown,
      lost: (why) => new EventLogError('io', why),
    });
  }

  makeLog(host: Host): ModelLog {
    return new ModelLog(host, this.logLink(host), this.#world);
  }

  #makeStore(host: Host): ModelStore {
    const { counts, database, options, outages, random, timeline } = this;
    const link = new Link(host, {
      timeline,
      random,
      counts,
      to: 'store',
      latencyMs: 10,
      timeoutMs: STORE_TIMEOUT_MS,
      faults: () => (this.hasFaults() ? options.storeFaults : NO_LINK_FAULTS),
      isDown: () => this.hasFaults() && timeline.now < outages.storeUntil,
      lost: (why) => new StoreError('unavailable', why),
    });
    return new ModelStore({ link, database, pageOffsets: () => options.pageOffsets, ...this.#memory.of(host) });
  }

  #makeInstance(name: string): Instance {
    const { options, random, timeline, trace, watcher } = this;
    return new Instance({
      name,
      timeline,
      trace,
      options,
      makeParts: (life) => {
        const host = this.makeHost(life, options.stallBeforeSend);
        return { host, log: this.makeLog(host), store: this.#makeStore(host) };
      },
      restartAfterMs: () => 100 + random() * (this.hasFaults() ? 4000 : 500),
      onLeft: (cause) => {
        if (cause instanceof StartError) this.refusals.push(cause);
        if (watcher.isAfterDisaster && (isNamedCause(cause) || cause instanceof RangeError)) return;
        watcher.violate(`a process ended by itself: ${cause instanceof Error ? (cause.stack ?? cause.message) : String(cause)}`);
      },
    });
  }

  #chance(probability: number): boolean {
    return this.hasFaults() && this.random.chance(probability);
  }

  #logWorld(): LogWorld {
    const { broker, coordinator, counts, options, outages, random, timeline, trace, watcher } = this;
    return {
      broker,
      coordinator,
      observer: watcher,
      counts,
      trace,
      sessionTimeoutMs: options.sessionTimeoutMs,
      fetchLatencyMs: () => 1 + random() * 4,
      assignmentDelayMs: () => (this.#chance(0.1) ? random() * 2000 : random() * 10),
      isBrokerDown: () => this.hasFaults() && timeline.now < outages.brokerUntil,
      takesCommitsOfFormerOwners: () => options.takesCommitsOfFormerOwners && this.#chance(0.5),
      revokesToJoin: () => options.revokesToJoin,
      leavesPolitely: () => options.leavesPolitely,
      overlapsHandlers: () => options.overlapsHandlers,
      repeatsBlocks: () => this.#chance(options.repeatsBlocksRate),
      splitsBlocks: () => this.#chance(options.splitsBlocksRate),
    };
  }
}
