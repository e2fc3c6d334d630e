import { setImmediate as turn } from 'node:timers/promises';
import { encodeAlert } from '@touchstone/codec';
import type { AccountFact, Alert } from '@touchstone/engine';
import {
  ALERTS_TOPIC,
  type CommittedPosition,
  type EventLog,
  type RecordBlock,
  RecordBlockBuilder,
  type SubscribeOptions,
  type Subscription,
} from '@touchstone/event-log';
import { createLogger, createMetrics, type Metrics, type Scheduler } from '@touchstone/runtime';
import {
  StoreError,
  type AlertAction,
  type AlertQuery,
  type DeliveryKey,
  type DeliveryRow,
  type EndpointRow,
  type NotificationStore,
  type StoredAlert,
} from '@touchstone/store';
import type { NewEndpoint } from './endpoint-book.ts';
import { hourOf } from './digest.ts';
import { Notifier } from './notifier.ts';
import type { NotifierStore } from './notifier-store.ts';
import type { OutgoingRequest, Sender, SendResult } from './send-request.ts';
import { NOON } from './test-alerts.ts';
import { createSecret } from './webhook-secret.ts';

/** The notifier with a clock, a topic, a store and receivers that a test moves by hand. */

/** A clock that stands still until it is moved; what is due on the way happens in its order. */
class ManualScheduler implements Scheduler {
  #now = NOON;
  #asked = 0;
  readonly #timers = new Set<{ at: number; run: () => void }>();

  now(): number {
    return this.#now;
  }

  /** In parts of a millisecond, as the machine's is. */
  elapsed(): number {
    this.#asked++;
    return this.#now + this.#asked / 1024;
  }

  after(ms: number, run: () => void): () => void {
    const timer = { at: this.#now + Math.max(0, ms), run };
    this.#timers.add(timer);
    return () => void this.#timers.delete(timer);
  }

  breathe(): Promise<void> {
    return turn();
  }

  random(): number {
    return 0.5;
  }

  async advance(ms: number): Promise<void> {
    const until = this.#now + ms;
    for (;;) {
      await settle();
      let next: { at: number; run: () => void } | null = null;
      for (const timer of this.#timers) if (timer.at <= until && timer.at < (next?.at ?? Infinity)) next = timer;
      if (next === null) break;
      this.#timers.delete(next);
      this.#now = Math.max(this.#now, next.at);
      next.run();
    }
    this.#now = until;
    await settle();
  }
}

/** Lets promises that wait for nothing outside have their turns: here all do, so they are over when the next turn begins. */
export async function settle(): Promise<void> {
  await turn();
}

/** The store's promises in memory: the highest revision stands. What it keeps outlives a notifier. */
class MemoryStore implements NotifierStore {
  readonly facts = new Map<string, AccountFact>();
  readonly actions: AlertAction[] = [];
  /** Alerts as the aggregator has stored them. */
  readonly told: Alert[] = [];
  readonly #endpoints = new Map<string, EndpointRow>();
  readonly #deliveries = new Map<string, DeliveryRow>();
  /** While true, nothing is answered. */
  isAway = false;
  writes = 0;

  get rows(): readonly DeliveryRow[] {
    return [...this.#deliveries.values()];
  }

  row(id: string, endpointId?: string): DeliveryRow | undefined {
    return this.rows.find((row) => row.id === id && (endpointId === undefined || row.endpointId === endpointId));
  }

  async endpoints(): Promise<readonly EndpointRow[]> {
    this.#answer();
    return [...this.#endpoints.values()].filter(({ state }) => state !== 'deleted').sort((a, b) => a.createdAt - b.createdAt);
  }

  async saveEndpoint(row: EndpointRow): Promise<void> {
    this.#answer();
    if (row.revision >= (this.#endpoints.get(row.id)?.revision ?? 0)) this.#endpoints.set(row.id, row);
  }

  async saveDeliveries(rows: readonly DeliveryRow[]): Promise<void> {
    this.#answer();
    this.writes++;
    for (const row of rows) {
      // As the store does, whose times are whole milliseconds.
      for (const time of [row.at, row.takenAt, row.nextAttemptAt])
        if (!Number.isSafeInteger(time)) throw new RangeError(`${time} is no time`);
      const key = JSON.stringify([row.endpointId, row.at, row.id]);
      if (row.revision >= (this.#deliveries.get(key)?.revision ?? 0)) this.#deliveries.set(key, row);
    }
  }

  async deliveries({ before, endpointId, limit, state }: Parameters<NotificationStore['deliveries']>[0]): Promise<readonly DeliveryRow[]> {
    this.#answer();
    return this.rows
      .filter((row) => row.endpointId === endpointId && (state === undefined || row.state === state))
      .filter(({ at, id }) => before === undefined || at < before.at || (at === before.at && id < before.id))
      .sort((a, b) => b.at - a.at || (a.id < b.id ? 1 : -1))
      .slice(0, limit);
  }

  async deliveriesOf(id: string): Promise<readonly DeliveryRow[]> {
    this.#answer();
    return this.rows.filter((row) => row.id === id);
  }

  async pendingDeliveries(query: Parameters<NotificationStore['pendingDeliveries']>[0]): Promise<readonly DeliveryRow[]> {
    this.#answer();
    return this.rows
      .filter(({ at, endpointId, partition, state }) => {
        return endpointId === query.endpointId && state === 'pending' && query.partitions.includes(partition) && at >= query.from;
      })
      .sort((a, b) => a.nextAttemptAt - b.nextAttemptAt)
      .slice(0, query.limit);
  }

  async pendingCounts(partitions: readonly number[], from: number): Promise<ReadonlyMap<string, number>> {
    this.#answer();
    const pending = this.rows.filter(({ at, partition, state }) => state === 'pending' && partitions.includes(partition) && at >= from);
    return new Map([...Map.groupBy(pending, ({ endpointId }) => endpointId)].map(([id, rows]) => [id, rows.length]));
  }

  async heldDeliveries(takenBefore: number, limit: number): Promise<readonly DeliveryRow[]> {
    this.#answer();
    const group = ({ endpointId, owner, takenAt }: DeliveryRow): string => JSON.stringify([endpointId, owner ?? '', hourOf(takenAt)]);
    const held = this.rows.filter(({ state, takenAt }) => state === 'held' && takenAt < takenBefore);
    return [...Map.groupBy(held, group).values()].flat().slice(0, limit);
  }

  async knownDeliveries(keys: readonly DeliveryKey[]): Promise<readonly DeliveryKey[]> {
    this.#answer();
    return keys.filter(({ at, endpointId, id }) => this.#deliveries.has(JSON.stringify([endpointId, at, id])));
  }

  async toldCounts(endpointIds: readonly string[], takenFrom: number): ReturnType<NotificationStore['toldCounts']> {
    this.#answer();
    const told = this.rows.filter(({ endpointId, kind, state, takenAt }) => {
      return endpointIds.includes(endpointId) && kind === 'alert' && state !== 'held' && state !== 'digested' && takenAt >= takenFrom;
    });
    const groups = Map.groupBy(told, ({ endpointId, owner }) => JSON.stringify([endpointId, owner]));
    return [...groups.values()].map((rows) => ({ endpointId: rows[0]!.endpointId, owner: rows[0]!.owner, told: rows.length }));
  }

  async accountFacts(accountIds: readonly string[]): ReturnType<NotificationStore['accountFacts']> {
    this.#answer();
    return new Map(accountIds.flatMap((id) => (this.facts.has(id) ? [[id, this.facts.get(id)!]] : [])));
  }

  async hasActionNoted(alertId: string, note: string): Promise<boolean> {
    this.#answer();
    return this.actions.some((action) => action.alertId === alertId && action.note === note);
  }

  async saveAlertAction(action: AlertAction): Promise<void> {
    this.#answer();
    this.actions.push(action);
  }

  async alerts({ id }: AlertQuery): Promise<readonly StoredAlert[]> {
    this.#answer();
    return this.told
      .filter((alert) => alert.id === id)
      .map((alert) => ({ alert, offset: 0, acked: null, snoozedUntil: null, useful: null }));
  }

  #answer(): void {
    if (this.isAway) throw new StoreError('unavailable', 'as the test wants');
  }
}

/** The alerts topic: blocks as they are read, and what was committed. It outlives a notifier too. */
class MemoryTopic implements Pick<EventLog, 'extents' | 'committed' | 'subscribe'> {
  readonly #partitions: number;
  readonly #blocks = new Map<number, RecordBlock[]>();
  readonly #committed = new Map<number, CommittedPosition>();
  #subscribed: SubscribeOptions | null = null;
  readonly #owned = new Set<number>();
  readonly #clock: () => number;

  constructor(partitions: number, clock: () => number) {
    this.#partitions = partitions;
    this.#clock = clock;
  }

  get positions(): readonly number[] {
    return Array.from({ length: this.#partitions }, (_, partition) => this.#committed.get(partition)?.offset ?? 0);
  }

  /** One block; handed over when somebody follows. */
  async append(partition: number, alerts: readonly (Alert | Uint8Array)[]): Promise<void> {
    const builder = new RecordBlockBuilder();
    for (const alert of alerts) builder.append(null, alert instanceof Uint8Array ? alert : encodeAlert(alert));
    const baseOffset = this.#endOf(partition);
    const block = {
      partition,
      baseOffset,
      nextOffset: baseOffset + alerts.length,
      count: alerts.length,
      appendedAt: this.#clock(),
      bytes: builder.bytes().slice(),
    };
    this.#blocks.set(partition, [...(this.#blocks.get(partition) ?? []), block]);
    if (this.#owned.has(partition)) await this.#subscribed?.onBlock(block);
  }

  async extents(): ReturnType<EventLog['extents']> {
    return Array.from({ length: this.#partitions }, (_, partition) => ({
      partition,
      start: 0,
      end: this.#endOf(partition),
      generation: 'g',
    }));
  }

  async committed(): ReturnType<EventLog['committed']> {
    return this.#committed;
  }

  async subscribe(options: SubscribeOptions): ReturnType<EventLog['subscribe']> {
    // Nothing is decided in these tests.
    if (options.topic !== ALERTS_TOPIC) return idle();
    this.#subscribed = options;
    for (let partition = 0; partition < this.#partitions; partition++) await this.assign(partition);
    return {
      assigned: this.#owned,
      owns: (partition) => this.#owned.has(partition),
      pause() {},
      resume() {},
      commit: async (positions) => {
        for (const [partition, offset] of positions) {
          if (offset < (this.#committed.get(partition)?.offset ?? 0)) throw new RangeError('below the committed position');
          this.#committed.set(partition, { offset, generation: 'g' });
        }
      },
      stop: async () => {
        this.#owned.clear();
        this.#subscribed = null;
      },
    };
  }

  async assign(partition: number): Promise<void> {
    const start = await this.#subscribed!.onAssigned(partition);
    this.#owned.add(partition);
    for (const block of this.#blocks.get(partition) ?? []) if (block.baseOffset >= start) await this.#subscribed!.onBlock(block);
  }

  revoke(partition: number): void {
    this.#owned.delete(partition);
    this.#subscribed!.onRevoked!(partition);
  }

  /** As if the process had ended without a word. */
  abandon(): void {
    this.#owned.clear();
    this.#subscribed = null;
  }

  #endOf(partition: number): number {
    return this.#blocks.get(partition)?.at(-1)?.nextOffset ?? 0;
  }
}

function idle(): Subscription {
  return { assigned: null, owns: () => false, pause() {}, resume() {}, commit: async () => {}, stop: async () => {} };
}

export type Receiver = (request: OutgoingRequest) => Promise<SendResult> | SendResult;

export const taken: SendResult = { kind: 'answered', status: 200, retryAfter: undefined };
export const answers = (status: number, retryAfter?: string): SendResult => ({ kind: 'answered', status, retryAfter });
export const unreachable: SendResult = { kind: 'unreachable', error: 'ECONNREFUSED' };

export interface Received extends OutgoingRequest {
  readonly at: number;
  readonly id: string;
}

export class TestWorld {
  readonly scheduler = new ManualScheduler();
  readonly store = new MemoryStore();
  readonly topic: MemoryTopic;
  /** What receivers got, in order. */
  readonly received: Received[] = [];
  readonly faults: unknown[] = [];
  metrics: Metrics = createMetrics({ ofProcess: false });
  notifier: Notifier;
  /** By host of the URL; hosts without one take everything. */
  readonly receivers = new Map<string, Receiver>();

  constructor(partitions = 2) {
    this.topic = new MemoryTopic(partitions, () => this.scheduler.now());
    this.notifier = this.#open();
  }

  static async start(endpoints: Readonly<Record<string, Partial<NewEndpoint>>>, partitions?: number): Promise<TestWorld> {
    const world = new TestWorld(partitions);
    for (const [host, changes] of Object.entries(endpoints)) await world.addEndpoint(host, changes);
    await world.notifier.start(world.topic);
    await settle();
    return world;
  }

  /** An endpoint `ep_HOST` at that host, by default as if made before the start. */
  async addEndpoint(host: string, changes: Partial<NewEndpoint> = {}, createdAt = hourOf(NOON)): Promise<void> {
    const { filter = {}, ...rest } = changes;
    await this.store.saveEndpoint({
      id: `ep_${host}`,
      revision: 0,
      name: host,
      kind: 'webhook',
      url: `https://${host}/`,
      secrets: [createSecret()],
      filter: JSON.stringify(filter),
      ownerBudget: null,
      state: 'active',
      stateReason: '',
      createdAt,
      updatedAt: createdAt,
      ...rest,
    });
  }

  /** The process ends without a word, and another begins. */
  async crash(): Promise<void> {
    this.topic.abandon();
    this.metrics = createMetrics({ ofProcess: false });
    this.notifier = this.#open();
    await this.notifier.start(this.topic);
    await settle();
  }

  receivedBy(host: string): Received[] {
    return this.received.filter(({ url }) => new URL(url).hostname === host);
  }

  /** A notifier that a crash has left behind does nothing any more: none of its requests go out. */
  #open(): Notifier {
    let generation: Notifier | null = null;
    const sender: Sender = {
      send: async (request) => {
        if (generation !== this.notifier) return new Promise<never>(() => {});
        this.received.push({ ...request, at: this.scheduler.now(), id: request.headers['webhook-id'] ?? '' });
        return (await this.receivers.get(new URL(request.url).hostname)?.(request)) ?? taken;
      },
      close() {},
    };
    generation = new Notifier({
      store: this.store,
      settings: {
        PUBLIC_URL: 'https://touchstone.example',
        NOTIFY_ALLOW_PRIVATE: [],
        NOTIFY_ALLOW_HTTP: false,
        NOTIFY_PORTS: [443],
        NOTIFY_OWNER_BUDGET: 20,
      },
      scheduler: this.scheduler,
      metrics: this.metrics,
      logger: createLogger({ service: 'test', level: 'silent' }),
      onFatal: (cause) => void this.faults.push(cause),
      sender,
    });
    return generation;
  }
}
