import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { RecordBlock, SubscribeOptions } from '../event-log.ts';
import { Turn } from '../turn.ts';
import { Cluster } from './cluster.ts';
import { KafkaSubscription } from './kafka-subscription.ts';
import type { Membership, MembershipCallbacks } from './kafka-subscription.ts';
import { batchOf } from './record-batch.samples.ts';
import { ScriptedCluster } from './scripted-cluster.ts';

const PARTITIONS = 2;
/** Enough for several fetches of the scripted cluster. */
const A_WHILE_MS = 100;

let brokers: ScriptedCluster;
let cluster: Cluster;
let group: MembershipCallbacks;
let told: string[];
let subscription: KafkaSubscription | null = null;

beforeEach(async () => {
  told = [];
  brokers = await ScriptedCluster.start(PARTITIONS);
  const limits = { connectTimeoutMs: 10_000, requestTimeoutMs: 10_000 };
  cluster = new Cluster({ brokers: brokers.brokers, clientId: 'test', ssl: null, sasl: null, topics: [brokers.topic], ...limits });
  await cluster.refresh();
});
afterEach(async () => {
  await subscription?.stop();
  subscription = null;
  cluster.close();
  await brokers.stop();
});

const membership: Membership = {
  assigned: new Set([0, 1]),
  owns: () => true,
  commit: () => Promise.resolve(),
  stop: () => {
    told.push('left the group');
    return Promise.resolve();
  },
};

/** Subscribes as a member of a group whose say is the test's, through `group`. */
async function subscribe(options: Partial<SubscribeOptions> = {}): Promise<KafkaSubscription> {
  const all: SubscribeOptions = {
    topic: brokers.topic,
    group: 'g',
    onAssigned: () => 0,
    onBlock: ({ partition, baseOffset }) => void told.push(`${partition}:${baseOffset}`),
    onFailed: (cause) => void told.push(`failed: ${String(cause)}`),
    ...options,
  };
  subscription = await KafkaSubscription.start(all, {
    cluster,
    turn: new Turn(),
    partitionCount: PARTITIONS,
    generation: brokers.topicId,
    requestTimeoutMs: 10_000,
    join: (callbacks) => {
      group = callbacks;
      return Promise.resolve(membership);
    },
    extent: () => Promise.resolve({ start: 0, end: 100 }),
    onEvent: () => {},
    onEnded: () => void told.push('ended'),
  });
  return subscription;
}

/** A handler that stays inside its first block of partition 0 until it is let go. */
function stuckInFirst() {
  const entered = Promise.withResolvers<void>();
  const gate = Promise.withResolvers<void>();
  const onBlock = async ({ partition, baseOffset }: RecordBlock) => {
    told.push(`${partition}:${baseOffset}`);
    if (partition === 0 && baseOffset === 0) {
      entered.resolve();
      await gate.promise;
    }
  };
  return { entered: entered.promise, letGo: gate.resolve, fail: gate.reject, onBlock };
}

const has = (entry: string) => expect.poll(() => told).toContain(entry);

describe('a subscription whose partitions come and go', () => {
  beforeEach(() => {
    for (const partition of [0, 1]) for (const value of ['a', 'b', 'c']) brokers.store(partition, batchOf([value]));
  });

  test('gets nothing before it is given a partition', async () => {
    await subscribe();
    await sleep(A_WHILE_MS);
    expect(told).toEqual([]);
    group.onAssigned([1]);
    await has('1:2');
    expect(told).toEqual(['1:0', '1:1', '1:2']);
  });

  test('gets no further block of a partition that was taken away while its handler ran; the others go on', async () => {
    const { entered, letGo, onBlock } = stuckInFirst();
    await subscribe({ onBlock, onRevoked: (partition) => void told.push(`revoked ${partition}`) });
    group.onAssigned([0, 1]);
    await entered;
    group.onRevoked([0]);
    expect(told.at(-1)).toBe('revoked 0');
    letGo();
    await has('1:2');
    await sleep(A_WHILE_MS);
    expect(told.filter((entry) => entry.startsWith('0:'))).toEqual(['0:0']);
  });

  test('gets a partition back only when the handler from before is through', async () => {
    const { entered, letGo, onBlock } = stuckInFirst();
    await subscribe({ onBlock, onAssigned: (partition) => (told.push(`assigned ${partition}`), told.length > 1 ? 1 : 0) });
    group.onAssigned([0]);
    await entered;
    group.onRevoked([0]);
    group.onAssigned([0]);
    await sleep(A_WHILE_MS);
    expect(told).toEqual(['assigned 0', '0:0']);
    letGo();
    await has('0:2');
    expect(told).toEqual(['assigned 0', '0:0', 'assigned 0', '0:1', '0:2']);
  });

  test('gets nothing of a partition that was taken away while it was being taken up', async () => {
    const gate = Promise.withResolvers<number>();
    await subscribe({ onAssigned: (partition) => (partition === 0 ? gate.promise : 0) });
    group.onAssigned([0, 1]);
    await has('1:2');
    group.onRevoked([0]);
    gate.resolve(0);
    await sleep(A_WHILE_MS);
    expect(told).toEqual(['1:0', '1:1', '1:2']);
  });

  test('is not ended by what goes wrong with a partition that was taken away', async () => {
    const { entered, fail, onBlock } = stuckInFirst();
    await subscribe({ onBlock });
    group.onAssigned([0]);
    await entered;
    group.onRevoked([0]);
    fail(new Error('it is not mine any more'));
    group.onAssigned([1]);
    await has('1:2');
    expect(told.some((entry) => entry.startsWith('failed'))).toBe(false);
  });

  test('ends when its membership does, and tells once', async () => {
    await subscribe();
    group.onFailed(new Error('refused') as never);
    group.onFailed(new Error('again') as never);
    group.onAssigned([0]);
    await sleep(A_WHILE_MS);
    expect(told.filter((entry) => entry !== 'left the group')).toEqual(['failed: Error: refused', 'ended']);
    expect(subscription!.owns(0)).toBe(false);
  });

  test('that is stopped leaves its group when the last handler is through', async () => {
    const { entered, letGo, onBlock } = stuckInFirst();
    const started = await subscribe({ onBlock: async (block) => (await onBlock(block), void told.push('through')) });
    group.onAssigned([0]);
    await entered;
    const stopped = started.stop();
    await sleep(A_WHILE_MS);
    expect(told).toEqual(['0:0']);
    letGo();
    await stopped;
    expect(told).toEqual(['0:0', 'through', 'left the group', 'ended']);
  });
});

test('a partition that is ready again is asked for at once, while a request waits for data of the others', async () => {
  brokers.idleMs = 60_000;
  brokers.store(0, batchOf(['a']));
  const { entered, letGo, onBlock } = stuckInFirst();
  await subscribe({ onBlock });
  group.onAssigned([0]);
  await entered;
  const asked: number[] = [];
  brokers.script.onFetch = (partition) => (asked.push(partition), null);
  group.onAssigned([1]);
  await expect.poll(() => asked).toContain(1);
  brokers.store(0, batchOf(['b']));
  letGo();
  await has('0:1');
  expect(asked.filter((partition) => partition === 1)).toEqual([1]);
});

describe('a paused partition', () => {
  beforeEach(() => {
    for (const value of ['a', 'b', 'c']) brokers.store(0, batchOf([value]));
  });

  test('gets no further block of what was fetched already, and then all of them', async () => {
    const started = await subscribe({
      onBlock: ({ partition, baseOffset }) => {
        told.push(`${partition}:${baseOffset}`);
        if (baseOffset === 0) started.pause(0);
      },
    });
    group.onAssigned([0]);
    await has('0:0');
    await sleep(A_WHILE_MS);
    expect(told).toEqual(['0:0']);
    started.resume(0);
    await has('0:2');
    expect(told).toEqual(['0:0', '0:1', '0:2']);
  });

  test('is not asked for', async () => {
    const asked: number[] = [];
    brokers.script.onFetch = (partition) => (asked.push(partition), null);
    const started = await subscribe();
    started.pause(0);
    group.onAssigned([0, 1]);
    await expect.poll(() => asked.length).toBeGreaterThan(3);
    expect(new Set(asked)).toEqual(new Set([1]));
  });

  test('is not paused any more once it was taken away and came back', async () => {
    const started = await subscribe();
    group.onAssigned([0]);
    await has('0:2');
    started.pause(0);
    group.onRevoked([0]);
    group.onAssigned([0]);
    await expect.poll(() => told).toHaveLength(6);
  });
});

test('partitions take turns in being asked for first, as a broker gives a large batch to the first one only', async () => {
  const asked: number[] = [];
  brokers.script.onFetch = (partition) => (asked.push(partition), null);
  await subscribe();
  group.onAssigned([0, 1]);
  await expect.poll(() => asked.length).toBeGreaterThanOrEqual(24);
  const firsts = asked.filter((partition, i) => i % 2 === 0 && partition !== asked[i + 1]);
  expect(new Set(firsts)).toEqual(new Set([0, 1]));
});
