import { DENIALS, PASSING_EXCEPTIONS } from './click-house-exceptions.ts';
import { StoreError } from './store-error.ts';
import type { StoreErrorCode } from './store-error.ts';

const MESSAGE_LENGTH_MAX = 300;

/** An answer with another status than success that ClickHouse did not write: of a proxy, or of who else lives at the address. */
export class HttpAnswerError extends Error {
  readonly status: number;

  constructor(status: number, body: string) {
    super(`status ${status}: ${body}`);
    this.name = 'HttpAnswerError';
    this.status = status;
  }
}

interface ClickHouseException {
  readonly code: string;
  readonly type: string;
  readonly message: string;
}

/** By shape, not class: the client and chDB each bring a ClickHouseError of their own. */
function isException(error: unknown): error is ClickHouseException {
  if (!(error instanceof Error) || !('type' in error) || !('code' in error)) return false;
  return typeof error.type === 'string' && typeof error.code === 'string';
}

function isFaultOfCall(error: unknown): boolean {
  if (error instanceof TypeError || error instanceof RangeError) return true;
  // chDB's connection throws an error of its own about the one that says why.
  return error instanceof Error && error.cause instanceof Error && 'code' in error.cause && error.cause.code === 'CHDB_BIND';
}

/** A certificate that does not prove who answers, or an end that speaks no TLS: OpenSSL's names for it, as Node gives them. */
const TLS_FAULT =
  /^(ERR_TLS_|ERR_SSL_|CERT_|EPROTO$|HOSTNAME_MISMATCH$|DEPTH_ZERO_SELF_SIGNED|SELF_SIGNED_|UNABLE_TO_(GET_ISSUER|VERIFY_LEAF))/;

/** Name of the ClickHouse exception behind an error of the store, as TOO_MANY_PARTS; null when it was none. */
export function exceptionName(error: unknown): string | null {
  return error instanceof StoreError && isException(error.cause) ? error.cause.type : null;
}

/** Whether the connection ended without an answer, as when the server closes a kept one in the moment it is used again. */
export function isBrokenConnection(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = codeOf(error);
  return code === 'ECONNRESET' || code === 'EPIPE' || error.message === 'socket hang up';
}

/**
 * What the client or chDB threw, as an error of the port. What is no exception of ClickHouse never got a full answer from it, unless it is a
 * fault of the call: a value that can not be bound, say, which no repetition mends.
 */
export function mapStoreError(error: unknown): StoreError {
  if (error instanceof StoreError) return error;
  const message = (error instanceof Error ? error.message : String(error)).trim().slice(0, MESSAGE_LENGTH_MAX);
  if (isException(error)) return new StoreError(codeOfException(error.type), `${error.type}: ${message}`, { cause: error });
  if (error instanceof HttpAnswerError) {
    return new StoreError(codeOfStatus(error.status), `What answered in place of ClickHouse said ${message}`, { cause: error });
  }
  if (error instanceof Error && TLS_FAULT.test(codeOf(error))) {
    return new StoreError('denied', `No secure connection to ClickHouse: ${codeOf(error)}: ${message}`, { cause: error });
  }
  if (isFaultOfCall(error)) return new StoreError('rejected', message, { cause: error });
  return new StoreError('unavailable', `ClickHouse did not answer: ${message}`, { cause: error });
}

function codeOfException(type: string): StoreErrorCode {
  if (PASSING_EXCEPTIONS.has(type)) return 'unavailable';
  return DENIALS.has(type) ? 'denied' : 'rejected';
}

/** 408, 421, 425 and 429 ask to come again, as do faults of a gateway; another 4xx or a redirect means a wrong address. */
function codeOfStatus(status: number): StoreErrorCode {
  if (status >= 500 || [408, 421, 425, 429].includes(status)) return 'unavailable';
  return [401, 403, 407].includes(status) ? 'denied' : 'rejected';
}

function codeOf(error: Error): string {
  return 'code' in error && typeof error.code === 'string' ? error.code : '';
}
