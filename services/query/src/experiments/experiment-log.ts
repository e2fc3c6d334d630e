import { randomUUID } from 'node:crypto';
import { decodeExperimentRecord, encodeExperimentRecord, isPoison, type ExperimentRecord } from '@touchstone/codec';
import { ExperimentBook, type ExperimentState, type HistoryEntry } from '@touchstone/experiments';
import { EventLogError, EXPERIMENTS_TOPIC, RecordReader, type EventLog, type RecordBlock, type Subscription } from '@touchstone/event-log';
import { ProblemError, type Logger, type Metrics, type Scheduler } from '@touchstone/runtime';

/** A step that was appended is applied within milliseconds; a log that can't be read for so long is not there. */
const APPLIED_WITHIN_MS = 10_000;
/** Steps that wait to be applied here: each is a request that waits. */
const WAITING_MAX = 1000;

export type StepToWrite = Pick<ExperimentRecord, 'experimentId' | 'action' | 'expectedRevision' | 'by'> &
  Partial<Pick<ExperimentRecord, 'definition' | 'creativeId' | 'weights' | 'reason' | 'evidence'>>;

/** A step that was applied, with what it came to. */
export interface AppliedStep {
  readonly state: ExperimentState;
  readonly entry: HistoryEntry;
  /** Of the record on its topic. */
  readonly offset: number;
}

type Outcome = { readonly state: ExperimentState } | { readonly refused: string };

export interface ExperimentLogOptions {
  readonly scheduler: Scheduler;
  readonly metrics: Metrics;
  readonly logger: Logger;
}

/**
 * The experiments as this process knows them: it reads their topic from the beginning, and goes on. A step is written to the topic and has happened
 * when it comes back from there, if nothing else had happened before; then every process has it.
 */
export class ExperimentLog {
  readonly book = new ExperimentBook();
  readonly #options: ExperimentLogOptions;
  readonly #waiting = new Map<string, (outcome: Outcome) => void>();
  readonly #followers = new Set<(step: AppliedStep) => void>();
  #log: Pick<EventLog, 'append'> | null = null;
  #subscription: Subscription | null = null;
  #isRead = false;

  constructor(options: ExperimentLogOptions) {
    this.#options = options;
  }

  /** Whether all that was on the topic at the start is read. */
  get isRead(): boolean {
    return this.#isRead;
  }

  /** Resolves once everything that was on the topic before the call is read. */
  async start(log: Pick<EventLog, 'append' | 'extents' | 'subscribe'>, onFailed: (cause: unknown) => void): Promise<void> {
    this.#log = log;
    const [extent] = await log.extents(EXPERIMENTS_TOPIC);
    const { end, start } = extent!;
    const read = Promise.withResolvers<void>();
    if (start >= end) read.resolve();
    this.#subscription = await log.subscribe({
      topic: EXPERIMENTS_TOPIC,
      group: null,
      onAssigned: () => start,
      onBlock: (block) => {
        this.#apply(block);
        if (block.nextOffset >= end) read.resolve();
      },
      onFailed: (cause) => {
        read.reject(cause);
        onFailed(cause);
      },
    });
    await read.promise;
    this.#isRead = true;
  }

  /** Hands over every step that is applied from now on. */
  follow(follower: (step: AppliedStep) => void): void {
    this.#followers.add(follower);
  }

  /**
   * Writes a step and waits until it is applied here.
   * @returns the state that it led to, or why it changed nothing
   * @throws ProblemError `unavailable` when that is not known; sending it again does no harm
   */
  async write(step: StepToWrite): Promise<Outcome> {
    const { metrics, scheduler } = this.#options;
    if (this.#log === null || !this.#isRead) throw unavailable('the experiments are not read yet');
    if (this.#waiting.size >= WAITING_MAX) throw unavailable('too many steps wait to be applied');
    const id = randomUUID();
    const none = { definition: null, creativeId: null, weights: null, reason: null, evidence: null };
    const value = encodeExperimentRecord({ ...none, ...step, id, at: scheduler.now() });
    const applied = Promise.withResolvers<Outcome>();
    this.#waiting.set(id, applied.resolve);
    const giveUp = scheduler.after(APPLIED_WITHIN_MS, () =>
      applied.reject(unavailable('the step is written, and not applied here yet: look whether it was, before it is sent again')),
    );
    try {
      await this.#log.append(EXPERIMENTS_TOPIC, [{ key: Buffer.from(step.experimentId), value, partition: 0 }]);
      return await applied.promise;
    } catch (cause) {
      if (!(cause instanceof EventLogError)) throw cause;
      metrics.count('log_errors_total', { code: cause.code });
      if (!cause.retriable) throw cause;
      throw unavailable('the log can not take the step right now', cause);
    } finally {
      giveUp();
      this.#waiting.delete(id);
      // A step that is given up may still come back; nobody waits for that.
      applied.promise.catch(() => {});
    }
  }

  async stop(): Promise<void> {
    await this.#subscription?.stop();
  }

  #apply(block: RecordBlock): void {
    const { logger, metrics } = this.#options;
    const reader = new RecordReader().open(block);
    while (reader.next()) {
      const record = reader.valueStart < 0 ? null : decodeExperimentRecord(block.bytes, reader.valueStart, reader.valueEnd);
      if (record === null || isPoison(record)) {
        metrics.count('experiment_steps_total', { action: 'unreadable', outcome: 'passed_over' });
        logger.error({ offset: reader.offset, reason: record?.detail ?? 'it is empty' }, 'a record of the experiments topic is none');
        continue;
      }
      const outcome = this.book.apply(record, block.appendedAt);
      metrics.count('experiment_steps_total', { action: record.action, outcome: 'state' in outcome ? 'applied' : 'refused' });
      this.#waiting.get(record.id)?.(outcome);
      if (!('state' in outcome) || !this.#isRead) continue;
      const step = { state: outcome.state, entry: outcome.state.history.at(-1)!, offset: reader.offset };
      for (const follower of this.#followers) follower(step);
    }
  }
}

function unavailable(detail: string, cause?: unknown): ProblemError {
  return new ProblemError('unavailable', detail, { cause, headers: { 'retry-after': '1' } });
}
