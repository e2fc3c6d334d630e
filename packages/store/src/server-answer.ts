import type { Readable } from 'node:stream';
import { EXCEPTION_TAG_HEADER_NAME, extractErrorAtTheEndOfChunk, parseError } from '@clickhouse/client';
import { HttpAnswerError } from './map-store-error.ts';
import { collect } from './row-transport.ts';

type Headers = Readonly<Record<string, string | string[] | undefined>>;

interface ServerAnswer {
  readonly stream: Readable;
  readonly response_headers: Headers;
  readonly http_status_code?: number | undefined;
}

/** ClickHouse gives at least one of these with every answer. */
const SIGNATURES = ['x-clickhouse-query-id', 'x-clickhouse-summary', 'x-clickhouse-server-display-name'];
const EXCEPTION_MARK = '__exception__';

/**
 * The bytes of a good answer, once all of it is here; what else came is thrown. A success that is not signed by ClickHouse is none: a gateway's
 * page about maintenance must not pass for the acknowledgement of an insert.
 */
export async function readAnswer({ stream, response_headers: headers, http_status_code: status = 0 }: ServerAnswer, signal: AbortSignal) {
  const bytes = await collect(stream, signal);
  if (status < 200 || status > 299 || headers['x-clickhouse-exception-code'] !== undefined) throw failureOf(bytes, status);
  if (!SIGNATURES.some((name) => headers[name] !== undefined)) throw new Error('what answered is not ClickHouse');
  const tag = headers[EXCEPTION_TAG_HEADER_NAME];
  if (typeof tag === 'string' && endsInException(bytes, tag)) throw extractErrorAtTheEndOfChunk(bytes, tag);
  return bytes;
}

function failureOf(bytes: Uint8Array, status: number): Error {
  const text = new TextDecoder().decode(bytes.subarray(0, 65_536)).trim();
  const error = parseError(text);
  return 'type' in error ? error : new HttpAnswerError(status, text);
}

/** By a mark with a tag that is made for this answer, so that no stored text can pass for it. */
function endsInException(bytes: Uint8Array, tag: string): boolean {
  const end = `${tag}\r\n${EXCEPTION_MARK}\r\n`;
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).subarray(-end.length).toString('latin1') === end;
}
