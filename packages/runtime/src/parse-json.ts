import { isUtf8 } from 'node:buffer';
import { findJsonError } from './find-json-error.ts';
import { ProblemError } from './problem.ts';

/**
 * Bytes of a request as text. A byte order mark is dropped: RFC 8259 lets a reader ignore it.
 * @throws ProblemError `malformed_body` when the bytes are not UTF-8, which a lenient decoder would turn into other ids in silence
 */
export function decodeBody(body: Buffer): string {
  if (!isUtf8(body)) throw new ProblemError('malformed_body', 'the body is not valid UTF-8');
  const marked = body.length >= 3 && body[0] === 0xef && body[1] === 0xbb && body[2] === 0xbf;
  return body.toString('utf8', marked ? 3 : 0);
}

/** @throws ProblemError `malformed_json`, saying at which position */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new ProblemError('malformed_json', describeJsonError(text), { cause });
  }
}

/** Says where a text stops being JSON. V8's own message names no position in some cases, and quotes the text. */
export function describeJsonError(text: string): string {
  const at = findJsonError(text) ?? text.length;
  const before = text.slice(0, at);
  const line = before.split('\n').length;
  const column = at - before.lastIndexOf('\n');
  const found = at >= text.length ? 'the text ends too early' : `unexpected ${JSON.stringify(String.fromCodePoint(text.codePointAt(at)!))}`;
  return `not valid JSON at position ${at} (line ${line}, column ${column}): ${found}`;
}
