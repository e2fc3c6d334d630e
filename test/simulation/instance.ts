import { Aggregator } from '@touchstone/aggregator';
import { EventLogError } from '@touchstone/event-log';
import { StartError } from '@touchstone/recovery';
import { persist, type Logger, type Metrics } from '@touchstone/runtime';
import { StoreError } from '@touchstone/store';
import type { Host } from './host.ts';
import type { ModelLog } from './model-log.ts';
import type { ModelStore } from './model-store.ts';
import { CREATIVE_DAYS, type SimulationOptions } from './options.ts';
import type { Timeline } from './timeline.ts';
import type { Trace } from './trace.ts';

/** What a process is made of, anew in each of its lives. */
export interface Parts {
  readonly host: Host;
  readonly log: ModelLog;
  readonly store: ModelStore;
}

interface InstanceOptions {
  readonly name: string;
  readonly timeline: Timeline;
  readonly trace: Trace;
  readonly options: SimulationOptions;
  readonly makeParts: (life: string) => Parts;
  readonly restartAfterMs: () => number;
  /** The process left by itself. */
  readonly onLeft: (cause: unknown) => void;
}

const METRICS: Metrics = {
  count() {},
  set() {},
  clear() {},
  observe() {},
  beforeScrape() {},
  contentType: '',
  text: () => Promise.resolve(''),
};

/** An aggregator process under a supervisor that starts it again whenever it ends. */
export class Instance {
  readonly #options: InstanceOptions;
  #parts: Parts | null = null;
  #aggregator: Aggregator | null = null;
  #isStopping = false;
  #lives = 0;

  constructor(options: InstanceOptions) {
    this.#options = options;
  }

  get host(): Host | null {
    return this.#parts?.host ?? null;
  }

  get isUp(): boolean {
    return this.#parts !== null && !this.#isStopping;
  }

  /** Whether it has nothing more to do for now. */
  get isSettled(): boolean {
    const aggregator = this.#aggregator;
    return aggregator !== null && aggregator.readiness().ready && aggregator.modelStatus.rescoringTo === null;
  }

  owns(partition: number): boolean {
    return this.#parts?.log.subscription?.owns(partition) === true;
  }

  /** Whether it has ledgers of the partition, be they its own or not. */
  holds(partition: number): boolean {
    return this.#aggregator?.ledgers.of(partition) != null;
  }

  /** The time of faults is over for it: it runs, does not stand still, and has the right time. */
  recover(): void {
    this.start();
    this.#parts!.host.resume();
    this.#parts!.host.clockErrorMs = 0;
  }

  get parts(): Parts | null {
    return this.#parts;
  }

  get aggregator(): Aggregator | null {
    return this.#aggregator;
  }

  start(): void {
    const { makeParts, name, options, trace } = this.#options;
    if (this.#parts !== null) return;
    const life = `${name}.${++this.#lives}`;
    const parts = makeParts(life);
    this.#parts = parts;
    this.#isStopping = false;
    trace.note('starts', life);
    const leave = (cause: unknown): void => {
      if (this.#parts !== parts || this.#isStopping) return;
      trace.note('leaves by itself', life, String(cause));
      this.#options.onLeft(cause);
      this.crash();
    };
    const aggregator = new Aggregator({
      log: parts.log,
      store: parts.store,
      metrics: METRICS,
      logger: loggerOf(life, trace),
      scheduler: parts.host,
      onFatal: leave,
      publishIntervalMs: options.publishIntervalMs,
      checkpointIntervalMs: options.checkpointIntervalMs,
      dedupeHorizonMs: options.dedupeHorizonMs,
      creativeDays: CREATIVE_DAYS,
      pendingBytesMax: options.pendingBytesMax,
      tailBytesMax: options.tailBytesMax,
    });
    this.#aggregator = aggregator;
    parts.host.receive(0, () => {
      persist({ scheduler: parts.host, step: () => aggregator.prepare(), onRetry: () => {} })
        .then(() => persist({ scheduler: parts.host, step: () => aggregator.start(), onRetry: () => {} }))
        .catch(leave);
    });
  }

  /** As by kill -9. */
  crash(): void {
    if (this.#parts === null) return;
    this.#options.trace.note('is gone', this.#parts.host.name);
    this.#parts.host.kill();
    this.#parts = null;
    this.#aggregator = null;
    this.#options.timeline.after(this.#options.restartAfterMs(), () => this.start());
  }

  /** As by SIGTERM; killed when it takes too long. */
  stop(): void {
    const parts = this.#parts;
    if (parts === null || this.#isStopping) return;
    this.#options.trace.note('is stopped', parts.host.name);
    this.#isStopping = true;
    const end = (): void => {
      if (this.#parts === parts) this.crash();
    };
    parts.host.receive(0, () => {
      this.#aggregator!.stop()
        .catch((cause: unknown) => this.#options.trace.note('stop failed', String(cause)))
        .then(() => parts.log.close())
        .then(end, end);
    });
    this.#options.timeline.after(10_000, end);
  }
}

/** Whether a process may end because of this: it says by name what is wrong with its surroundings, and not that it is broken itself. */
export function isNamedCause(cause: unknown): boolean {
  return cause instanceof StartError || cause instanceof EventLogError || cause instanceof StoreError;
}

function loggerOf(life: string, trace: Trace): Logger {
  const tell =
    (level: string) =>
    (details: object, message: string): void => {
      if (trace.onLine !== null) trace.onLine(`                ${life} ${level}: ${message} ${JSON.stringify(details, showErrors)}`);
    };
  const logger = {
    fatal: tell('fatal'),
    error: tell('error'),
    warn: tell('warn'),
    info: tell('info'),
    debug: tell('debug'),
    trace: tell('trace'),
  };
  return logger as unknown as Logger;
}

function showErrors(_key: string, value: unknown): unknown {
  return value instanceof Error ? value.message : value;
}
