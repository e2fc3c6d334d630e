import { partitionOfKey, RecordBlockBuilder, type CommittedPosition, type OutgoingRecord, type RecordBlock } from '@touchstone/event-log';
import type { Calendar } from './calendar.ts';

interface Batch {
  readonly block: RecordBlock;
  readonly records: readonly OutgoingRecord[];
}

/** One partition as the broker keeps it. */
export class BrokerPartition {
  readonly topic: string;
  readonly index: number;
  generation = 'topic-1';
  start = 0;
  end = 0;
  batches: Batch[] = [];
  /** Called once when there is more to read, or something has changed. */
  readonly waiting = new Set<() => void>();
  #keysWithoutKey = 0;

  constructor(topic: string, index: number) {
    this.topic = topic;
    this.index = index;
  }

  append(records: readonly OutgoingRecord[], appendedAt: number, offsetsSkipped: number): number {
    const baseOffset = this.end + offsetsSkipped;
    builder.reset();
    for (const { key, value } of records) builder.append(key, value);
    const block: RecordBlock = {
      partition: this.index,
      baseOffset,
      nextOffset: baseOffset + records.length,
      count: records.length,
      appendedAt,
      bytes: builder.bytes().slice(),
    };
    this.batches.push({ block, records });
    this.end = block.nextOffset;
    this.wake();
    return baseOffset;
  }

  /** The batch that holds the offset or comes after it, whole, as a broker hands it out; undefined at the end. */
  batchAt(offset: number): Batch | undefined {
    const { batches } = this;
    let low = 0;
    let high = batches.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (batches[middle]!.block.nextOffset <= offset) low = middle + 1;
      else high = middle;
    }
    return batches[low];
  }

  /** What is below the offset is deleted, by whole batches. */
  dropBelow(offset: number): void {
    while (this.batches.length > 0 && this.batches[0]!.block.nextOffset <= offset) {
      this.start = this.batches.shift()!.block.nextOffset;
    }
    this.wake();
  }

  /** What is at the offset or after it is lost, by whole batches. */
  dropFrom(offset: number): void {
    while (this.batches.length > 0 && this.batches.at(-1)!.block.nextOffset > offset) this.end = this.batches.pop()!.block.baseOffset;
    this.wake();
  }

  makeAnew(generation: string): void {
    this.generation = generation;
    this.start = 0;
    this.end = 0;
    this.batches = [];
    this.wake();
  }

  wake(): void {
    const waiting = [...this.waiting];
    this.waiting.clear();
    for (const each of waiting) each();
  }

  /** Records without a key go round. */
  static placeOf(record: OutgoingRecord, partitions: readonly BrokerPartition[]): BrokerPartition {
    const first = partitions[0]!;
    const index =
      record.partition ??
      (record.key === null ? first.#keysWithoutKey++ % partitions.length : partitionOfKey(record.key, partitions.length));
    const partition = partitions[index];
    if (partition === undefined) throw new RangeError(`${first.topic} has no partition ${index}`);
    return partition;
  }
}

const builder = new RecordBlockBuilder();

export interface Appended {
  readonly topic: string;
  readonly partition: BrokerPartition;
  readonly baseOffset: number;
  readonly appendedAt: number;
  readonly records: readonly OutgoingRecord[];
}

/** The log's server side, shared by all hosts: what it holds, and what groups have committed. */
export class Broker {
  readonly topics: ReadonlyMap<string, readonly BrokerPartition[]>;
  readonly committed = new Map<string, Map<number, CommittedPosition>>();
  readonly #calendar: Calendar;

  constructor(calendar: Calendar, topics: Readonly<Record<string, number>>) {
    this.#calendar = calendar;
    this.topics = new Map(
      Object.entries(topics).map(([topic, count]) => [
        topic,
        Array.from({ length: count }, (_, index) => new BrokerPartition(topic, index)),
      ]),
    );
  }

  partitionsOf(topic: string): readonly BrokerPartition[] {
    const partitions = this.topics.get(topic);
    if (partitions === undefined) throw new RangeError(`there is no topic ${topic}`);
    return partitions;
  }

  /** @param appendedAt the time of append; by default now */
  append(topic: string, records: readonly OutgoingRecord[], appendedAt = this.#calendar.now(), offsetsSkipped = 0): Appended[] {
    const partitions = this.partitionsOf(topic);
    const byPartition = new Map<BrokerPartition, OutgoingRecord[]>();
    for (const record of records) {
      const partition = BrokerPartition.placeOf(record, partitions);
      const others = byPartition.get(partition);
      if (others === undefined) byPartition.set(partition, [record]);
      else others.push(record);
    }
    return [...byPartition].map(([partition, own]) => ({
      topic,
      partition,
      appendedAt,
      records: own,
      baseOffset: partition.append(own, appendedAt, offsetsSkipped),
    }));
  }

  committedOf(topic: string, group: string): Map<number, CommittedPosition> {
    const name = `${group} of ${topic}`;
    const known = this.committed.get(name) ?? new Map<number, CommittedPosition>();
    this.committed.set(name, known);
    return known;
  }
}
