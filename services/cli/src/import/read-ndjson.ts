import { isRecord } from '../api-client.ts';
import { noteTime, refuse, type Item, type Reader, type Reading, type Refusal } from './outcome.ts';
import { parseTime } from './parse-time.ts';
import { readLines, type Line } from './read-lines.ts';

/**
 * Lines of NDJSON, passed on as they are: the server checks them. Only a line that is no JSON is rejected here, and a touch without an id
 * gets one, so that it can be sent again safely.
 */
export function createNdjsonReader({ isTouches, zoneMinutes }: { isTouches: boolean; zoneMinutes: number }): Reader {
  return async function* readNdjson(chunks, reading) {
    const readItem = createItemReader(isTouches, zoneMinutes, reading);
    for await (const lines of readLines(chunks)) {
      const items: Item[] = [];
      const refusals: Refusal[] = [];
      for (const line of lines) {
        const read = readItem(line);
        if (read === null) continue;
        if ('reason' in read) refusals.push(read);
        else items.push(read);
      }
      reading.tally.refused += refusals.length;
      yield { items, refusals };
    }
  };
}

function createItemReader(
  isTouches: boolean,
  zoneMinutes: number,
  { tally, chain, shiftMs }: Reading,
): (line: Line) => Item | Refusal | null {
  return function readItem({ number, text, isTooLong }) {
    tally.lines++;
    const id = chain.next(text);
    const trimmed = text.trim();
    if (trimmed === '') {
      tally.blank++;
      return null;
    }
    if (isTooLong) return refuse('line_too_long', number, text);
    let value: unknown;
    try {
      value = JSON.parse(trimmed);
    } catch {
      return refuse('not_json', number, text);
    }
    tally.items++;
    const fields = isRecord(value) ? value : {};
    const body = isTouches && isRecord(value) ? touchBody(trimmed, value, id) : trimmed;
    const accountId = textOrNull(fields['accountId']);
    if (isTouches && accountId === null) tally.unresolved++;
    return {
      line: number,
      orderKey: accountId ?? textOrNull(fields['contactId']) ?? textOrNull(fields['id']) ?? id,
      body,
      text,
      accountId,
    };
  };

  function touchBody(text: string, touch: Record<string, unknown>, id: string): string {
    const occurredAt = timeOf(touch['occurredAt'], zoneMinutes);
    if (occurredAt !== null) noteTime(tally, occurredAt);
    const shifted = shiftMs !== 0 && occurredAt !== null ? JSON.stringify({ ...touch, occurredAt: occurredAt + shiftMs }) : text;
    if (touch['id'] !== undefined) return shifted;
    const rest = shifted.slice(1).trimStart();
    return `{"id":"${id}"${rest === '}' ? '' : ','}${rest}`;
  }
}

function timeOf(value: unknown, zoneMinutes: number): number | null {
  if (typeof value === 'number') return value;
  return typeof value === 'string' ? parseTime(value, zoneMinutes) : null;
}

function textOrNull(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}
