import { jsonRows } from './json-rows.ts';
import type { Params, RowTransport } from './row-transport.ts';
import type { DeadLetterPlace, DeadLetterQuery, StoredDeadLetter } from './store.ts';

interface DeadLetterRow {
  readonly partition: number;
  readonly offset: number | string;
  readonly appendedAt: number | string;
  readonly reason: string;
  readonly detail: string;
  readonly key64: string | null;
  readonly value64: string;
  readonly valueBytes: number | string;
  readonly replayedAt: number | string | null;
}

/** No record is as long; and a list of some without their values reads none. */
const WHOLE = 2 ** 31;

/**
 * A page of dead letters. Its places are found in the narrow columns first, so that values, which may be large, are read of just those.
 * Rows that are there twice are the same.
 */
export function findDeadLetters(transport: RowTransport, query: DeadLetterQuery): Promise<StoredDeadLetter[]> {
  const { before, limit, oldestFirst = false, partition, reason, replayed, valueBytesMax = WHOLE } = query;
  const conditions = ['1'];
  const params: Record<string, string | number> = { rows: limit };
  if (reason !== undefined) {
    conditions.push('reason = {reason:String}');
    params['reason'] = reason;
  }
  if (partition !== undefined) {
    conditions.push('partition = {partition:UInt16}');
    params['partition'] = partition;
  }
  if (before !== undefined) {
    conditions.push(
      `(appended_at, partition, offset) < (fromUnixTimestamp64Milli({beforeTime:Int64}, 'UTC'), {beforePartition:UInt16}, {beforeOffset:UInt64})`,
    );
    Object.assign(params, { beforeTime: before.appendedAt, beforePartition: before.partition, beforeOffset: before.offset });
  }
  if (replayed !== undefined) {
    conditions.push(`(partition, offset) ${replayed ? 'IN' : 'NOT IN'} (SELECT partition, offset FROM dead_letter_replays)`);
  }
  const order = orderBy('appended_at', oldestFirst);
  const places = `SELECT partition, offset FROM dead_letters WHERE ${conditions.join(' AND ')} ${order}
    LIMIT 1 BY partition, offset LIMIT {rows:UInt32}`;
  return read(transport, places, { ...params, valueBytesMax }, orderBy('appendedAt', oldestFirst));
}

/** The dead letters at these places, with their whole values, by place; those that are not there are left out. */
export async function readDeadLetters(transport: RowTransport, places: readonly DeadLetterPlace[]): Promise<StoredDeadLetter[]> {
  if (places.length === 0) return [];
  const list = `[${places.map(({ partition, offset }) => `(${partition},${offset})`).join(',')}]`;
  const selected = 'SELECT arrayJoin({places:Array(Tuple(UInt16, UInt64))}) AS place';
  return read(transport, selected, { places: list, valueBytesMax: WHOLE }, 'ORDER BY partition, offset');
}

function orderBy(time: string, oldestFirst: boolean): string {
  const direction = oldestFirst ? 'ASC' : 'DESC';
  return `ORDER BY ${time} ${direction}, partition ${direction}, offset ${direction}`;
}

/** Key and value go through base64: an answer in JSON would replace what is not valid UTF-8. */
async function read(transport: RowTransport, places: string, params: Params, order: string): Promise<StoredDeadLetter[]> {
  const answer = await transport.read(
    `SELECT partition, offset, appendedAt, reason, detail, key64, value64, valueBytes, replayedAt FROM
       (SELECT partition, offset, toUnixTimestamp64Milli(appended_at) AS appendedAt, reason, detail, base64Encode(key) AS key64,
          base64Encode(substring(value, 1, {valueBytesMax:UInt32})) AS value64, length(value) AS valueBytes
        FROM dead_letters WHERE (partition, offset) IN (${places}) LIMIT 1 BY partition, offset) AS letters
     LEFT JOIN
       (SELECT partition, offset, toUnixTimestamp64Milli(max(replayed_at)) AS replayedAt FROM dead_letter_replays GROUP BY partition, offset) AS replays
     USING (partition, offset) ${order} FORMAT JSONEachRow`,
    params,
  );
  return jsonRows<DeadLetterRow>(answer).map(({ key64, value64, ...row }) => ({
    ...row,
    offset: Number(row.offset),
    appendedAt: Number(row.appendedAt),
    key: key64 === null ? null : Buffer.from(key64, 'base64'),
    value: Buffer.from(value64, 'base64'),
    valueBytes: Number(row.valueBytes),
    // Where the join finds nothing the server gives 0, or null if it is set so.
    replayedAt: Number(row.replayedAt) || null,
  }));
}
