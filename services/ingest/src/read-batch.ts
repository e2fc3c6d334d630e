import { isAscii } from 'node:buffer';
import { decodeBody, describeJsonError, parseJson, ProblemError } from '@touchstone/runtime';
import { ITEMS_MAX, LINE_UNITS_MAX } from './limits.ts';
import type { Refusal } from './reject-codes.ts';
import { scanJson, tooManyItems } from './scan-json.ts';

/** Up to this size no body can keep the process busy for long, whatever it holds. */
const SCANNED_FROM_BYTES = 256 * 1024;

const BACKSLASH = 0x5c;
const DEL = 0x7f;

/** A line of NDJSON that gives no item. */
export class BrokenLine {
  readonly refusal: Refusal;

  constructor(refusal: Refusal) {
    this.refusal = refusal;
  }
}

export interface Batch {
  /** Items in the order of the request, parsed but not looked at; `BrokenLine` for lines that could not be. */
  readonly items: readonly unknown[];
  /** No text of any item holds a control character or a lone surrogate. */
  readonly clean: boolean;
}

/**
 * The items of a body: one object, an array, or NDJSON.
 * @throws ProblemError `empty_body`, `malformed_body`, `malformed_json`, `too_many_items`, `invalid_request`
 */
export function readBatch(body: Buffer, isNdjson: boolean): Batch {
  if (body.length === 0) throw nothingSent();
  if (body.length > SCANNED_FROM_BYTES) scanJson(body, isNdjson);
  const items = isNdjson ? readLines(body) : readDocument(body);
  if (items.length === 0) throw nothingSent();
  return { items, clean: isClean(body) };
}

function readDocument(body: Buffer): readonly unknown[] {
  const value = parseJson(decodeBody(body));
  if (!Array.isArray(value)) return [value];
  if (value.length > ITEMS_MAX) throw tooManyItems();
  return value as unknown[];
}

function readLines(body: Buffer): readonly unknown[] {
  const items: unknown[] = [];
  const text = decodeBody(body);
  let lineNumber = 0;
  for (let start = 0; start < text.length;) {
    const newline = text.indexOf('\n', start);
    const end = newline < 0 ? text.length : newline;
    const line = text.slice(start, end);
    start = end + 1;
    lineNumber++;
    if (line.length === 0) continue;
    const item = readLine(line, lineNumber);
    if (item === BLANK) continue;
    if (items.length === ITEMS_MAX) throw tooManyItems();
    items.push(item);
  }
  return items;
}

const BLANK = Symbol('blank line');

function readLine(line: string, lineNumber: number): unknown {
  if (line.length > LINE_UNITS_MAX) {
    return new BrokenLine({ code: 'too_large_item', message: `line ${lineNumber} has more than ${LINE_UNITS_MAX} characters` });
  }
  try {
    return JSON.parse(line);
  } catch {
    if (line.trim() === '') return BLANK;
    return new BrokenLine({
      code: 'malformed_json',
      message: `line ${lineNumber} is ${describeJsonError(line.trimEnd()).replace('(line 1, ', '(')}`,
    });
  }
}

/**
 * JSON itself keeps control characters and lone surrogates out of texts, but for escapes, DEL and what is beyond ASCII. A body without any
 * of those needs no look at its single texts; three passes over the bytes, each faster than memory, tell.
 */
export function isClean(body: Buffer): boolean {
  return isAscii(body) && !body.includes(BACKSLASH) && !body.includes(DEL);
}

function nothingSent(): ProblemError {
  return new ProblemError('empty_body', 'the body holds no item; send an object, a list of objects, or NDJSON');
}
