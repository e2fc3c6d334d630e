import { StoreError } from './store.ts';

/**
 * ClickHouse exceptions after which the same statement may succeed later: it is busy, out of something, starting, stopping or cut off from
 * its peers. Every other exception is about the statement itself.
 */
const TRANSIENT_EXCEPTIONS = new Set([
  'ABORTED',
  'ALL_CONNECTION_TRIES_FAILED',
  'ALL_REPLICAS_ARE_STALE',
  'ASYNC_LOAD_WAIT_FAILED',
  'CANNOT_ALLOCATE_MEMORY',
  'CANNOT_FSYNC',
  'CANNOT_READ_FROM_SOCKET',
  'CANNOT_SCHEDULE_TASK',
  'CANNOT_WRITE_TO_FILE_DESCRIPTOR',
  'CANNOT_WRITE_TO_SOCKET',
  'DEADLOCK_AVOIDED',
  'DNS_ERROR',
  'KEEPER_EXCEPTION',
  'MEMORY_LIMIT_EXCEEDED',
  'NETWORK_ERROR',
  'NOT_ENOUGH_SPACE',
  'NO_ACTIVE_REPLICAS',
  'NO_FREE_CONNECTION',
  'NO_ZOOKEEPER',
  'QUERY_WAS_CANCELLED',
  'QUERY_WAS_CANCELLED_BY_CLIENT',
  'REPLICA_IS_NOT_IN_QUORUM',
  'SERVER_OVERLOADED',
  'SOCKET_TIMEOUT',
  'SYSTEM_ERROR',
  'TABLE_IS_READ_ONLY',
  'TIMEOUT_EXCEEDED',
  'TOO_FEW_LIVE_REPLICAS',
  'TOO_MANY_PARTS',
  'TOO_MANY_SIMULTANEOUS_QUERIES',
  'TOO_SLOW',
  'UNKNOWN_STATUS_OF_INSERT',
  'UNSATISFIED_QUORUM_FOR_PREVIOUS_WRITE',
]);

const MESSAGE_LENGTH_MAX = 300;

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

/** Name of the ClickHouse exception behind an error of the store, as TOO_MANY_PARTS; null when it was none. */
export function exceptionName(error: unknown): string | null {
  return error instanceof StoreError && isException(error.cause) ? error.cause.type : null;
}

/**
 * What the client or chDB threw, as an error of the port. What is no exception of ClickHouse never got a full answer from it, unless it is a
 * fault of the call: a value that can not be bound, say, which no repetition mends.
 */
export function mapStoreError(error: unknown): StoreError {
  if (error instanceof StoreError) return error;
  const message = (error instanceof Error ? error.message : String(error)).trim().slice(0, MESSAGE_LENGTH_MAX);
  if (isException(error)) {
    return new StoreError(TRANSIENT_EXCEPTIONS.has(error.type) ? 'unavailable' : 'rejected', `${error.type}: ${message}`, { cause: error });
  }
  if (isFaultOfCall(error)) return new StoreError('rejected', message, { cause: error });
  return new StoreError('unavailable', `ClickHouse did not answer: ${message}`, { cause: error });
}
