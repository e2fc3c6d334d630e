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

function makeBatches({ touches, touchesPerAppend, ...world }: AppendArgs): OutgoingRecord[][] {
  const traffic = new Traffic(world);
  const writer = new TouchWriter();
  const now = Date.now();
  return Array.from({ length: Math.floor(touches / touchesPerAppend) }, () =>
    Array.from({ length: touchesPerAppend }, () => {
      writer.write(traffic.next(now));
      return { key: writer.key(), value: writer.value() };
    }),
  );
}
