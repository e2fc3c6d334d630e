import { ProblemError } from '@touchstone/runtime';
import { ITEMS_MAX } from './limits.ts';

const DEPTH_MAX = 32;
/** Ten objects and lists an item: the richest item of ours has three. */
const CONTAINERS_MAX = 10 * ITEMS_MAX;

const QUOTE = 0x22;
const COMMA = 0x2c;
const BACKSLASH = 0x5c;
const NEWLINE = 0x0a;
const OPEN_LIST = 0x5b;
const CLOSE_LIST = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

/**
 * Looks over a large JSON body before it is parsed, because parsing can't be interrupted: sixteen megabytes of nested lists keep the process
 * busy for seconds, sixteen of touches for a tenth of one. This costs about a nanosecond a byte. It does not check whether it is JSON.
 * @param isNdjson each line begins anew, whatever the one before left open; items are counted elsewhere
 * @throws ProblemError `too_many_items` or `invalid_request`
 */
export function scanJson(body: Uint8Array, isNdjson: boolean): void {
  let depth = 0;
  let containers = 0;
  let items = 1;
  for (let at = 0; at < body.length; at++) {
    const byte = body[at]!;
    if (byte === QUOTE) {
      at = endOfString(body, at, isNdjson);
    } else if (byte === OPEN_LIST || byte === OPEN_OBJECT) {
      if (++depth > DEPTH_MAX) throw new ProblemError('invalid_request', `the body is nested more than ${DEPTH_MAX} deep`);
      if (++containers > CONTAINERS_MAX)
        throw new ProblemError('too_many_items', `the body has more than ${CONTAINERS_MAX} objects and lists`);
    } else if (byte === CLOSE_LIST || byte === CLOSE_OBJECT) {
      depth--;
    } else if (byte === NEWLINE && isNdjson) {
      depth = 0;
    } else if (byte === COMMA && depth === 1 && !isNdjson && ++items > ITEMS_MAX) {
      throw tooManyItems();
    }
  }
}

export function tooManyItems(): ProblemError {
  return new ProblemError('too_many_items', `a request takes at most ${ITEMS_MAX} items; send the rest in another one`);
}

function endOfString(body: Uint8Array, start: number, isNdjson: boolean): number {
  let at = start + 1;
  for (; at < body.length; at++) {
    const byte = body[at]!;
    if (byte === QUOTE) return at;
    if (byte === NEWLINE && isNdjson) return at - 1;
    if (byte === BACKSLASH) at++;
  }
  return at;
}
