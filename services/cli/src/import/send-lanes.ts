import type { Item } from './outcome.ts';

/**
 * Several requests at a time without mixing up the order within an account, on which daily caps depend: items go to lanes by a hash of
 * their account, and a lane has one request under way while it fills the next. A full lane makes the reader wait, so at most two batches
 * a lane are held in memory.
 */
export interface Lanes {
  /** Resolves when there is room for more. Rejects with the first failure of any lane. */
  push(item: Item): Promise<void> | undefined;
  /** Sends what is left and waits for all answers. */
  drain(): Promise<void>;
  /** Sends nothing more; waits for the requests under way. Never rejects. */
  stop(): Promise<void>;
}

export interface LaneOptions {
  readonly count: number;
  readonly batchItems: number;
  readonly batchBytes: number;
  /** Of each lane, how many of its first items the server has answered for already; they are passed over. */
  readonly answered: readonly number[];
  send(items: readonly Item[], lane: number): Promise<void>;
}

export function createLanes(options: LaneOptions): Lanes {
  let failure: { readonly error: unknown } | null = null;
  let isStopped = false;
  const lanes = Array.from({ length: options.count }, (_, index) => createLane(index, options.answered[index] ?? 0));

  function createLane(index: number, answered: number) {
    let toPass = answered;
    let batch: Item[] = [];
    let bytes = 0;
    let underWay: Promise<void> | null = null;

    function add(item: Item): Promise<void> | undefined {
      if (toPass > 0) {
        toPass--;
        return undefined;
      }
      const size = Buffer.byteLength(item.body) + 1;
      if (batch.length > 0 && bytes + size > options.batchBytes) return flush().then(() => keep(item, size));
      return keep(item, size);
    }

    function keep(item: Item, size: number): Promise<void> | undefined {
      batch.push(item);
      bytes += size;
      return batch.length >= options.batchItems ? flush() : undefined;
    }

    /** Waits for the request before, then starts the next without waiting for its answer. */
    async function flush(): Promise<void> {
      while (underWay !== null) await underWay;
      if (failure !== null) throw failure.error;
      if (batch.length === 0 || isStopped) return;
      const items = batch;
      batch = [];
      bytes = 0;
      underWay = options
        .send(items, index)
        .catch((error: unknown) => {
          failure ??= { error };
        })
        .finally(() => {
          underWay = null;
        });
    }

    async function settle(): Promise<void> {
      while (underWay !== null) await underWay;
    }

    return { add, flush, settle };
  }

  async function settleAll(): Promise<void> {
    await Promise.all(lanes.map(({ settle }) => settle()));
  }

  return {
    push(item) {
      if (failure !== null) throw failure.error;
      return lanes[hashOf(item.orderKey) % options.count]!.add(item);
    },
    async drain() {
      try {
        await Promise.all(lanes.map(({ flush }) => flush()));
      } finally {
        await settleAll();
      }
      if (failure !== null) throw failure.error;
    },
    async stop() {
      isStopped = true;
      await settleAll();
    },
  };
}

/** FNV-1a, 32 bits. A resumed import relies on it: a key must fall into the same lane as before. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return hash >>> 0;
}
