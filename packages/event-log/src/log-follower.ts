import { vi } from 'vitest';
import type { EventLog, RecordBlock, SubscribeOptions, Subscription } from './event-log.ts';
import { RecordReader } from './record-block.ts';

/** Long enough for a Kafka group to form; the embedded log needs milliseconds. */
const WAIT_MS = 20_000;

export interface ReadRecord {
  readonly partition: number;
  readonly offset: number;
  readonly appendedAt: number;
  readonly key: string | null;
  readonly value: string | null;
}

export interface FollowOptions {
  readonly topic?: string;
  readonly group?: string;
  /** Where to begin in each partition; default 0. */
  readonly from?: (partition: number) => Promise<number> | number;
  /** Runs inside the handler, before the records count as read. */
  readonly onBlock?: (block: RecordBlock) => Promise<void> | void;
}

/** A subscriber for tests: keeps all it reads, and what ended it. */
export class LogFollower {
  readonly blocks: RecordBlock[] = [];
  readonly records: ReadRecord[] = [];
  readonly failures: unknown[] = [];
  subscription!: Subscription;

  static async start(log: EventLog, { topic = 'events', group, from = () => 0, onBlock }: FollowOptions = {}): Promise<LogFollower> {
    const follower = new LogFollower();
    const options: SubscribeOptions = {
      topic,
      group: group ?? null,
      onAssigned: from,
      onBlock: async (block) => {
        await onBlock?.(block);
        follower.blocks.push(block);
        follower.records.push(...recordsOf(block));
      },
      onFailed: (cause) => void follower.failures.push(cause),
    };
    follower.subscription = await log.subscribe(options);
    return follower;
  }

  values(partition?: number): (string | null)[] {
    return this.records.filter((record) => partition === undefined || record.partition === partition).map(({ value }) => value);
  }

  /** Waits until so many records were read; throws what ended the subscription before that. */
  async read(count: number): Promise<readonly ReadRecord[]> {
    await vi.waitUntil(() => this.records.length >= count || this.failures.length > 0, { timeout: WAIT_MS, interval: 2 });
    if (this.failures.length > 0) throw this.failures[0];
    return this.records;
  }

  async failed(): Promise<unknown> {
    await vi.waitUntil(() => this.failures.length > 0, { timeout: WAIT_MS, interval: 2 });
    return this.failures[0];
  }
}

/** Bytes as text of one character a byte, so that any bytes can be compared and printed. */
export function recordsOf(block: RecordBlock): ReadRecord[] {
  const reader = new RecordReader().open(block);
  const text = (start: number, end: number) => (start < 0 ? null : Buffer.from(block.bytes.subarray(start, end)).toString('latin1'));
  const records = [];
  while (reader.next()) {
    const { offset, keyStart, keyEnd, valueStart, valueEnd } = reader;
    const { partition, appendedAt } = block;
    records.push({ partition, offset, appendedAt, key: text(keyStart, keyEnd), value: text(valueStart, valueEnd) });
  }
  return records;
}

/** All that a topic holds, oldest first in each partition. */
export async function readWhole(log: EventLog, topic = 'events'): Promise<readonly ReadRecord[]> {
  const extents = await log.extents(topic);
  const follower = await LogFollower.start(log, { topic, from: (partition) => extents[partition]!.start });
  const records = await follower.read(extents.reduce((sum, { start, end }) => sum + end - start, 0));
  await follower.subscription.stop();
  return records;
}
