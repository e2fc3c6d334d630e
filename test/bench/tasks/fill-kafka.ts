import { openKafkaLog } from '@touchstone/event-log';
import type { World } from '../workload/traffic.ts';
import { eachBatch } from './append-batches.ts';

const TOUCHES_PER_APPEND = 4000;
const APPENDS_IN_FLIGHT = 4;
const DAY_MS = 86_400_000;

export interface FillKafkaArgs extends World {
  readonly brokers: readonly string[];
  /** Made by this. */
  readonly topic: string;
  readonly partitions: number;
  /** A multiple of 4,000. */
  readonly touches: number;
}

/** Touches into a topic of its own, by our own adapter. */
export async function fillKafka({ brokers, topic, partitions, ...rest }: FillKafkaArgs): Promise<void> {
  const topics = { [topic]: { partitions, replicationFactor: 1, cleanup: 'delete', retentionMs: DAY_MS } } as const;
  const log = await openKafkaLog({ brokers, clientId: 'bench-fill', topics });
  const batches = eachBatch({ ...rest, touchesPerAppend: TOUCHES_PER_APPEND });
  const append = async (): Promise<void> => {
    for (const batch of batches) await log.append(topic, batch);
  };
  await Promise.all(Array.from({ length: APPENDS_IN_FLIGHT }, append));
  await log.close();
}
