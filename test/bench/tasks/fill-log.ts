import { TouchWriter } from '@touchstone/codec';
import { openEmbeddedLog, type OutgoingRecord } from '@touchstone/event-log';
import { Traffic, type World } from '../workload/traffic.ts';

const DAY_MS = 86_400_000;
const TOUCHES_PER_APPEND = 4000;
const KEPT_FOR_EVER_MS = Number.MAX_SAFE_INTEGER;

export interface FillArgs extends World {
  /** Of the log itself. */
  readonly directory: string;
  readonly topic: string;
  readonly partitions: number;
  readonly touches: number;
  /** The log's clock goes through so many days, and ends now. */
  readonly days: number;
  /** The first touches go to one account after the other, so that each has at least one. */
  readonly isEachTouched?: boolean;
}

/** Writes touches into a log that no server has open, as though they had come in over many days. */
export async function fillLog(args: FillArgs): Promise<{ bytes: number }> {
  const { accounts, days, directory, isEachTouched = false, partitions, topic, touches } = args;
  const end = Date.now();
  const begin = end - days * DAY_MS;
  let now = begin;
  const log = await openEmbeddedLog({
    directory,
    topics: { [topic]: { partitions, retentionMs: KEPT_FOR_EVER_MS } },
    clock: () => now,
    sweepIntervalMs: 0,
  });
  const traffic = new Traffic(args);
  const writer = new TouchWriter();
  let bytes = 0;
  // Touches are made while those before are being written.
  let appended = Promise.resolve();
  for (let made = 0; made < touches;) {
    const appendedAt = begin + Math.floor(((end - begin) * made) / touches);
    const records: OutgoingRecord[] = [];
    for (; records.length < TOUCHES_PER_APPEND && made < touches; made++) {
      writer.write(isEachTouched && made < accounts ? traffic.next(appendedAt, made) : traffic.next(appendedAt));
      bytes += writer.end - writer.start;
      records.push({ key: writer.key(), value: writer.value() });
    }
    await appended;
    now = appendedAt;
    appended = log.append(topic, records);
  }
  await appended;
  await log.close();
  return { bytes };
}
