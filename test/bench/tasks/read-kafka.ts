import { LogRun, recordTypeOf, type RecordSchema } from '@touchstone/codec';
import { openKafkaLog, RecordReader, type RecordBlock } from '@touchstone/event-log';
import kafkajs from 'kafkajs';

/** Of the single-object encoding: two bytes of a mark and eight of a fingerprint. */
const HEADER_BYTES = 10;
const DAY_MS = 86_400_000;
const { Kafka, logLevel } = kafkajs;

export interface ReadKafkaArgs {
  readonly brokers: readonly string[];
  readonly topic: string;
  readonly partitions: number;
  /** That the topic holds. */
  readonly touches: number;
  readonly runs: number;
  /** `kafkajs`: its consumer, record by record, and avsc. `ours`: our adapter's blocks, walked in place. */
  readonly client: 'kafkajs' | 'ours';
}

export interface ReadKafkaRun {
  readonly touchesPerSecond: number;
  readonly cpuMicrosPerTouch: number;
}

/** Reads every touch of a topic from its beginning, and does nothing with it. The time begins with the first record, after the group is made. */
export async function readKafka(args: ReadKafkaArgs): Promise<readonly ReadKafkaRun[]> {
  const results: ReadKafkaRun[] = [];
  for (let run = 0; run <= args.runs; run++) {
    const result = await (args.client === 'ours' ? readByOurs(args) : readByKafkajs(args));
    if (run > 0) results.push(result);
  }
  return results;
}

/** Counts records until all are there. */
class Watch {
  readonly done = Promise.withResolvers<ReadKafkaRun>();
  readonly #touches: number;
  #seen = 0;
  #startedAt = 0;
  #usedBefore = process.cpuUsage();

  constructor(touches: number) {
    this.#touches = touches;
  }

  begin(): void {
    if (this.#startedAt > 0) return;
    this.#startedAt = performance.now();
    this.#usedBefore = process.cpuUsage();
  }

  add(count: number): void {
    this.#seen += count;
    if (this.#seen < this.#touches) return;
    const { system, user } = process.cpuUsage(this.#usedBefore);
    this.done.resolve({
      touchesPerSecond: (this.#touches * 1000) / (performance.now() - this.#startedAt),
      cpuMicrosPerTouch: (system + user) / this.#touches,
    });
  }
}

async function readByOurs({ brokers, partitions, topic, touches }: ReadKafkaArgs): Promise<ReadKafkaRun> {
  const topics = { [topic]: { partitions, replicationFactor: 1, cleanup: 'delete', retentionMs: DAY_MS } } as const;
  const log = await openKafkaLog({ brokers, clientId: 'bench-ours', topics });
  const runs = Array.from({ length: partitions }, (_, partition) => new LogRun<RecordBlock>(partition, new RecordReader()));
  const watch = new Watch(touches);
  const subscription = await log.subscribe({
    topic,
    group: null,
    onAssigned: () => 0,
    onBlock(block) {
      watch.begin();
      const run = runs[block.partition]!;
      run.open(block);
      while (run.next()) if (run.poison !== null) throw new Error(run.poison.detail);
      watch.add(block.count);
    },
    onFailed: watch.done.reject,
  });
  const result = await watch.done.promise;
  await subscription.stop();
  await log.close();
  return result;
}

async function readByKafkajs({ brokers, partitions, topic, touches }: ReadKafkaArgs): Promise<ReadKafkaRun> {
  const consumer = new Kafka({ brokers: [...brokers], clientId: 'bench-kafkajs', logLevel: logLevel.NOTHING }).consumer({
    groupId: `bench-${topic}-${Date.now()}`,
  });
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  const watch = new Watch(touches);
  let type: RecordSchema['type'] | null = null;
  await consumer.run({
    partitionsConsumedConcurrently: partitions,
    eachBatchAutoResolve: true,
    async eachBatch({ batch: { messages } }) {
      watch.begin();
      type ??= typeOf(messages[0]!.value!);
      for (const { value } of messages) type.decode(value!, HEADER_BYTES);
      watch.add(messages.length);
    },
  });
  const result = await watch.done.promise;
  await consumer.disconnect();
  return result;
}

function typeOf(value: Uint8Array): RecordSchema['type'] {
  const schema = recordTypeOf(value, 0, value.length);
  if (!('type' in schema)) throw new Error(schema.detail);
  return schema.type;
}
