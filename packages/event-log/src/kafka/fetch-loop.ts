import type { Cluster } from './cluster.ts';
import { FrameMemory } from './frame-memory.ts';
import type { Lane } from './lane.ts';
import type { PartitionCursor } from './partition-cursor.ts';
import type { Api } from './protocol/api.ts';
import { assertNoError } from './protocol/broker-error.ts';
import { fetchById, fetchByName } from './protocol/fetch.ts';
import { endOfBatches } from './record-batch.ts';
import type { FetchedPartition, FetchRequest, FetchResponse } from './protocol/fetch.ts';
import { Backoff, isRetriable } from './retry.ts';

export interface FetchLoopOptions {
  readonly cluster: Cluster;
  readonly topic: string;
  readonly topicId: string;
  readonly requestTimeoutMs: number;
  /** Cursors that may be asked for now. */
  readonly wanted: () => Iterable<PartitionCursor>;
  /** Resolves when all that was fetched of the partition is handled. Must not throw. */
  readonly deliver: (cursor: PartitionCursor, offset: number, fetched: FetchedPartition) => Promise<void>;
  readonly onRetry: (broker: number, cause: unknown) => void;
  readonly onFailed: (cause: unknown) => void;
}

/** Bounds what one answer takes, and so the memory of a subscription: of each partition at most `WAITING_MAX` answers and one under way. */
const ANSWER_BYTES_MAX = 10 * 1024 * 1024;
const PARTITION_BYTES_MAX = 1024 * 1024;
/** Answers of a partition that are being handed over, or wait for it, before no more is asked for. */
export const WAITING_MAX = 2;
/** So long a broker waits for data before it answers with none: by how many requests are under way to it. */
const WAITS_MS = [250, 100];

/** What is under way to one broker. */
class Leader {
  readonly backoff = new Backoff();
  readonly underWay = WAITS_MS.map(() => false);
}

/**
 * Asks leading brokers for the partitions that want data, over and over. A partition whose handler has enough waiting is left out, so it holds
 * up no other. When it is ready again while a request waits for data of the others, a second request goes out for it at once, on a connection of its
 * own: a broker answers the requests of one connection in turn.
 *
 * What follows an answer is asked for while that is handled, so that neither we nor the broker wait for the other: of each partition one answer
 * is handled and one more waits or is on its way.
 */
export class FetchLoop {
  readonly #options: FetchLoopOptions;
  readonly #lanes: readonly Lane[];
  readonly #memory = new FrameMemory();
  readonly #leaders = new Map<number, Leader>();
  #turn = 0;
  #scheduled = false;
  #timer: NodeJS.Timeout | null = null;
  #stopped = false;

  constructor(options: FetchLoopOptions) {
    this.#options = options;
    this.#lanes = WAITS_MS.map(() => options.cluster.lane(this.#memory));
  }

  /** Something may be wanted now that was not before. */
  wake(): void {
    if (this.#scheduled || this.#stopped) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      if (!this.#stopped) this.#dispatch();
    });
  }

  stop(): void {
    this.#stopped = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    for (const lane of this.#lanes) lane.close();
  }

  #dispatch(): void {
    const { cluster, topic, wanted } = this.#options;
    const now = performance.now();
    const byLeader = new Map<number, PartitionCursor[]>();
    let dueAt = Infinity;
    for (const cursor of this.#inTurn([...wanted()])) {
      if (cursor.retryAt > now) {
        dueAt = Math.min(dueAt, cursor.retryAt);
        continue;
      }
      const leader = cluster.leader(topic, cursor.partition);
      if (leader === null) {
        cursor.retryAt = now + cursor.backoff.next();
        dueAt = Math.min(dueAt, cursor.retryAt);
        void cluster.refresh().catch(() => {});
        continue;
      }
      if (!byLeader.has(leader)) byLeader.set(leader, []);
      byLeader.get(leader)!.push(cursor);
    }
    for (const [id, cursors] of byLeader) {
      const leader = this.#leader(id);
      const slot = leader.underWay.indexOf(false);
      if (slot >= 0) void this.#fetch(id, leader, slot, cursors);
    }
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = dueAt === Infinity ? null : setTimeout(() => this.wake(), Math.max(1, dueAt - now));
  }

  /** Each time another partition first: a broker gives a batch that is larger than a partition's share to the first one only. */
  #inTurn(cursors: readonly PartitionCursor[]): readonly PartitionCursor[] {
    const first = this.#turn++ % Math.max(1, cursors.length);
    return [...cursors.slice(first), ...cursors.slice(0, first)];
  }

  #leader(id: number): Leader {
    let leader = this.#leaders.get(id);
    if (leader === undefined) this.#leaders.set(id, (leader = new Leader()));
    return leader;
  }

  async #fetch(id: number, leader: Leader, slot: number, cursors: readonly PartitionCursor[]): Promise<void> {
    const offsets = new Map(cursors.map((cursor) => [cursor, cursor.ahead ?? cursor.offset!]));
    for (const cursor of cursors) cursor.busy = true;
    leader.underWay[slot] = true;
    try {
      const answer = await this.#ask(id, this.#lanes[slot]!, WAITS_MS[slot]!, offsets);
      const byPartition = new Map(answer.partitions.map((fetched) => [fetched.partition, fetched]));
      leader.backoff.reset();
      const delivered = [];
      for (const [cursor, offset] of offsets) {
        const fetched = byPartition.get(cursor.partition);
        if (fetched === undefined) cursor.busy = false;
        else delivered.push(this.#deliver(cursor, offset, fetched));
      }
      void Promise.all(delivered).then(() => this.#giveBack(answer));
    } catch (cause) {
      await this.#failed(id, leader, cause, cursors);
    } finally {
      leader.underWay[slot] = false;
      this.wake();
    }
  }

  async #deliver(cursor: PartitionCursor, offset: number, fetched: FetchedPartition): Promise<void> {
    const { errorCode, records } = fetched;
    const end = errorCode === 0 && records !== null ? endOfBatches(records) : null;
    const next = end !== null && end > offset && Number.isSafeInteger(end) ? end : null;
    cursor.ahead = next;
    cursor.waiting++;
    if (next !== null) cursor.busy = false;
    await this.#options.deliver(cursor, offset, fetched);
    cursor.waiting--;
    if (next === null) cursor.busy = false;
    // What was handed over is where to go on; and if it was not, that is asked for again.
    if (cursor.waiting === 0) cursor.ahead = null;
    this.wake();
  }

  /** All of the answer is handled. */
  #giveBack({ partitions }: FetchResponse): void {
    // They are views of one and the same memory.
    for (const { records } of partitions) if (records !== null) this.#memory.giveBack(records);
    this.#memory.trim();
  }

  async #ask(id: number, lane: Lane, maxWaitMs: number, offsets: ReadonlyMap<PartitionCursor, number>): Promise<FetchResponse> {
    const { topic, topicId, requestTimeoutMs } = this.#options;
    const connection = await lane.connection(id);
    const api: Api<FetchRequest, FetchResponse> = connection.supports(fetchById) ? fetchById : fetchByName;
    const partitions = [...offsets].map(([{ partition }, offset]) => ({ partition, offset }));
    const request = { topic, topicId, maxWaitMs, bytesMax: ANSWER_BYTES_MAX, partitionBytesMax: PARTITION_BYTES_MAX, partitions };
    const answer = await connection.request(api, request, requestTimeoutMs + maxWaitMs);
    assertNoError(answer.errorCode, `reading ${topic}`);
    return answer;
  }

  async #failed(id: number, leader: Leader, cause: unknown, cursors: readonly PartitionCursor[]): Promise<void> {
    if (!this.#stopped && !isRetriable(cause)) this.#options.onFailed(cause);
    if (!this.#stopped) {
      this.#options.onRetry(id, cause);
      await this.#options.cluster.refresh().catch(() => {});
    }
    const retryAt = performance.now() + leader.backoff.next();
    for (const cursor of cursors) {
      cursor.retryAt = retryAt;
      cursor.busy = false;
    }
  }
}
