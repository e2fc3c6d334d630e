import { join } from 'node:path';
import { EVENTS_TOPIC } from '@touchstone/event-log';
import { LogRun } from '@touchstone/codec';
import { FIELD, RECORD, type TextField, type TouchCursor } from '@touchstone/engine';
import { openEmbeddedLog, RecordReader, type EmbeddedLog, type RecordBlock } from '@touchstone/event-log';
import type { LogEntry, TouchRecord } from '@touchstone/testkit';
import { TEST_PARTITIONS } from './partitions.ts';

/** The embedded log of a data directory whose server has ended, as the server opens it. */
export function openLogOf(data: string, partitions = TEST_PARTITIONS): Promise<EmbeddedLog> {
  return openEmbeddedLog({ directory: join(data, 'log'), topics: { [EVENTS_TOPIC]: { partitions } }, sweepIntervalMs: 0 });
}

/**
 * Everything a server has ever taken, in log order within each partition, for the reference: order and times of append are known to the
 * log alone. The server must have ended; nothing may have been dropped from the log.
 */
export async function readEvents(data: string): Promise<LogEntry[]> {
  const log = await openLogOf(data);
  try {
    const extents = await log.extents(EVENTS_TOPIC);
    const unread = new Set(extents.filter(({ start, end }) => start < end).map(({ partition }) => partition));
    const entries: LogEntry[] = [];
    if (unread.size === 0) return entries;
    const done = Promise.withResolvers<void>();
    const subscription = await log.subscribe({
      topic: EVENTS_TOPIC,
      group: null,
      onAssigned: (partition) => extents[partition]!.start,
      onBlock(block) {
        for (const entry of entriesOf(block)) entries.push(entry);
        if (block.nextOffset === extents[block.partition]!.end) unread.delete(block.partition);
        if (unread.size === 0) done.resolve();
      },
      onFailed: done.reject,
    });
    await done.promise;
    await subscription.stop();
    return entries;
  } finally {
    await log.close();
  }
}

function entriesOf(block: RecordBlock): LogEntry[] {
  const { partition, appendedAt } = block;
  const run = new LogRun(partition, new RecordReader());
  run.open(block);
  const entries: LogEntry[] = [];
  while (run.next()) {
    const record = recordOf(run);
    if (record !== null) entries.push({ partition, offset: run.offset, appendedAt, record });
  }
  return entries;
}

/** Null for what can not be read: it counts for nobody. */
export function recordOf(run: Pick<LogRun<RecordBlock>, 'kind' | 'touch' | 'fact' | 'model' | 'tick'>): LogEntry['record'] | null {
  switch (run.kind) {
    case RECORD.touch:
      return touchOf(run.touch);
    case RECORD.fact:
      return run.fact;
    case RECORD.model:
      return { type: 'model', model: run.model! };
    case RECORD.tick:
      return { type: 'tick', tick: run.tick! };
    default:
      return null;
  }
}

function touchOf(cursor: TouchCursor): TouchRecord {
  const text = (field: TextField): string | null => cursor.text(FIELD[field]);
  return {
    id: text('id')!,
    accountId: text('accountId'),
    contactId: text('contactId'),
    kind: text('kind')!,
    occurredAt: cursor.occurredAt,
    minutes: cursor.minutes,
    channel: text('channel'),
    campaignId: text('campaignId'),
    creativeId: text('creativeId'),
    url: text('url'),
    source: text('source'),
    properties: propertiesOf(cursor),
  };
}

const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });

function propertiesOf({ bytes, properties, propertyCount }: TouchCursor): Record<string, string> {
  const pairs: [string, string][] = [];
  for (let at = 0; at < propertyCount * 4; at += 4) {
    const text = (from: number, to: number): string => utf8.decode(bytes.subarray(from, to));
    pairs.push([text(properties[at]!, properties[at + 1]!), text(properties[at + 2]!, properties[at + 3]!)]);
  }
  return Object.fromEntries(pairs);
}
