import { randomUUID } from 'node:crypto';
import { EventLogError } from '../event-log.ts';
import type { OutgoingRecord } from '../event-log.ts';
import { partitionOfKey } from '../partition-of-key.ts';
import type { BlockFile } from './block-file.ts';
import { Partition } from './partition.ts';

export interface TopicOptions {
  /** Fixed when the topic is made, because the partition of a key depends on it. */
  readonly partitions: number;
  /** How long blocks are kept, in ms; default seven days. */
  readonly retentionMs?: number;
  /** Groups that have to handle every record: blocks they have not committed are kept, also while they have committed nothing yet. */
  readonly keptFor?: readonly string[];
  /** Bytes kept over all partitions of the topic; without it only the age counts. */
  readonly retentionBytes?: number;
}

const RETENTION_MS = 7 * 24 * 60 * 60 * 1000;
/** Kafka's rule for names of topics. Here it keeps keys short and free of the zero bytes that separate their parts. */
const NAME = /^[a-zA-Z0-9._-]{1,249}$/;

export class Topic {
  readonly name: string;
  readonly partitions: readonly Partition[];
  readonly generation: string;
  readonly retentionMs: number;
  readonly retentionBytes: number;
  readonly keptFor: readonly string[];
  #nextWithoutKey = 0;

  constructor(name: string, generation: string, options: TopicOptions) {
    this.name = name;
    this.generation = generation;
    this.partitions = Array.from({ length: options.partitions }, (_, index) => new Partition(name, index));
    this.retentionMs = options.retentionMs ?? RETENTION_MS;
    this.retentionBytes = options.retentionBytes ?? Infinity;
    this.keptFor = options.keptFor ?? [];
  }

  /** The one the record names, else that of its key, else each in turn. */
  partitionFor(record: OutgoingRecord): Partition {
    const count = this.partitions.length;
    const index = record.partition ?? (record.key === null ? this.#nextWithoutKey++ % count : partitionOfKey(record.key, count));
    const partition = this.partitions[index];
    if (partition === undefined) throw new RangeError(`${this.name} has no partition ${index}: it has ${count}`);
    return partition;
  }
}

export function assertName(what: 'topic' | 'group', name: string): void {
  if (!NAME.test(name)) throw new RangeError(`${JSON.stringify(name)} can not be the name of a ${what}: it must match ${NAME}`);
}

/** Finds the topic in the file or makes it, and loads what is known of its partitions. */
export async function openTopic(file: BlockFile, name: string, options: TopicOptions, now: number): Promise<Topic> {
  assertName('topic', name);
  if (!Number.isInteger(options.partitions) || options.partitions < 1) throw new RangeError(`${name} needs at least one partition`);

  let stored = file.topic(name);
  if (stored === undefined) {
    stored = { format: 1, partitions: options.partitions, generation: randomUUID(), madeAt: now };
    await file.saveTopic(name, stored);
  }
  if (stored.format !== 1)
    throw new EventLogError('corrupt', `${name} has format ${String(stored.format)}: a newer version of this program made it`);
  if (stored.partitions !== options.partitions) {
    throw new RangeError(
      `${name} was made with ${stored.partitions} partitions and can not be opened with ${options.partitions}: ` +
        'the partition of a key depends on their number',
    );
  }
  const topic = new Topic(name, stored.generation, options);
  for (const partition of topic.partitions) partition.load(file);
  return topic;
}
