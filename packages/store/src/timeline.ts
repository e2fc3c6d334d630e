import { decodeUtf8, FIELD } from '@touchstone/engine';
import type { TouchCursor } from '@touchstone/engine';
import { columnList } from './row-transport.ts';
import type { RowTransport } from './row-transport.ts';
import type { TimelineEntry, TimelinePlace } from './store.ts';
import { WHOLE_TOUCH } from './touch-columns.ts';
import { TouchRowReader } from './touch-row-reader.ts';

/** Before every entry: no touch happens later than this. */
const END_OF_TIME: TimelinePlace = { occurredAt: 8.64e15, offset: 0 };

/**
 * ORDER BY and LIMIT alone let ClickHouse find the newest rows in three narrow columns and read the others for just those, which is several
 * times faster for an account with many touches. So rows that are there twice are dropped here, and what that leaves open is read next.
 */
const STATEMENT = `SELECT ${columnList(WHOLE_TOUCH.columns)} FROM touches
  WHERE account_id = {accountId:String}
    AND (occurred_at, offset) < (fromUnixTimestamp64Milli({occurredAt:Int64}, 'UTC'), {offset:UInt64})
  ORDER BY occurred_at DESC, offset DESC LIMIT {rows:UInt32} FORMAT RowBinary`;

export async function readTimeline(
  transport: RowTransport,
  accountId: string,
  limit: number,
  before: TimelinePlace = END_OF_TIME,
): Promise<TimelineEntry[]> {
  const entries: TimelineEntry[] = [];
  let { occurredAt, offset } = before;
  for (;;) {
    const rows = limit - entries.length;
    if (rows <= 0) return entries;
    const reader = new TouchRowReader(WHOLE_TOUCH);
    reader.open(await transport.read(STATEMENT, { accountId, occurredAt, offset, rows }, { mayLag: true }));
    let rowsRead = 0;
    for (; reader.next(); rowsRead++) {
      if (reader.offset === offset && reader.touch.occurredAt === occurredAt) continue;
      ({ offset } = reader);
      ({ occurredAt } = reader.touch);
      entries.push(entryOf(reader));
    }
    if (rowsRead < rows) return entries;
  }
}

function entryOf({ touch, offset, appendedAt }: TouchRowReader): TimelineEntry {
  return {
    id: touch.text(FIELD.id) ?? '',
    offset,
    contactId: touch.text(FIELD.contactId),
    kind: touch.text(FIELD.kind) ?? '',
    occurredAt: touch.occurredAt,
    appendedAt,
    minutes: touch.minutes,
    channel: touch.text(FIELD.channel),
    campaignId: touch.text(FIELD.campaignId),
    creativeId: touch.text(FIELD.creativeId),
    url: touch.text(FIELD.url),
    source: touch.text(FIELD.source),
    properties: propertiesOf(touch),
  };
}

function propertiesOf({ bytes, properties, propertyCount }: TouchCursor): Record<string, string> {
  const pairs: [string, string][] = [];
  for (let at = 0; at < propertyCount * 4; at += 4) {
    pairs.push([decodeUtf8(bytes, properties[at]!, properties[at + 1]!), decodeUtf8(bytes, properties[at + 2]!, properties[at + 3]!)]);
  }
  // Defines own properties, whatever a sender calls them: assigning to `__proto__` would not.
  return Object.fromEntries(pairs);
}
