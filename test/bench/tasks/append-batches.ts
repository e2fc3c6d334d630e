import { TouchWriter } from '@touchstone/codec';
import { openEmbeddedLog, type OutgoingRecord } from '@touchstone/event-log';
import { Traffic, type World } from '../workload/traffic.ts';

const TOPIC = 'events';

export interface AppendArgs extends World {
  readonly directory: string;
  readonly partitions: number;
  readonly touches: number;
  readonly touchesPerAppend: number;
  /** Appends that wait for the disk at the same time. */
  readonly inFlight: number;
  readonly runs: number;
}

/** Durable touches per second of the event log alone, one figure a run. */
export async function appendBatches(args: AppendArgs): Promise<readonly number[]> {
  const { directory, inFlight, partitions, runs, touches, touchesPerAppend } = args;
  const log = await openEmbeddedLog({ directory, topics: { [TOPIC]: { partitions, retentionMs: Number.MAX_SAFE_INTEGER } } });
  const batches = makeBatches(args);
  const rates: number[] = [];
  for (let run = 0; run <= runs; run++) {
    const startedAt = performance.now();
    let next = 0;
    const append = async (): Promise<void> => {
      while (next < batches.length) await log.append(TOPIC, batches[next++]!);
    };
    await Promise.all(Array.from({ length: inFlight }, append));
    if (run > 0) rates.push((Math.floor(touches / touchesPerAppend) * touchesPerAppend * 1000) / (performance.now() - startedAt));
  }
  await log.close();
  return rates;
}

type BatchArgs = World & Pick<AppendArgs, 'touches' | 'touchesPerAppend'>;

/** Records ready to be appended, by append. */
export function makeBatches(args: BatchArgs): OutgoingRecord[][] {
  return [...eachBatch(args)];
}

/** The same, one after another, where all would be too many to keep. */
export function* eachBatch({ touches, touchesPerAppend, ...world }: BatchArgs): Generator<OutgoingRecord[]> {
  const traffic = new Traffic(world);
  const writer = new TouchWriter();
  const now = Date.now();
  for (let made = 0; made + touchesPerAppend <= touches; made += touchesPerAppend) {
    yield Array.from({ length: touchesPerAppend }, () => {
      writer.write(traffic.next(now));
      return { key: writer.key(), value: writer.value() };
    });
  }
}
