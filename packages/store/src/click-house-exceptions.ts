/**
 * The exceptions of ClickHouse that are not about the statement itself, by name. Every other one is: the same statement fails again, so it
 * stops whoever sent it, loudly.
 */

/** The server can not right now; the same statement may succeed later. */
export const PASSING_EXCEPTIONS: ReadonlySet<string> = new Set([
  // Busy, or out of something that comes back: merges, queries, threads and quotas move on, space is freed.
  'CANNOT_ALLOCATE_MEMORY',
  'CANNOT_SCHEDULE_TASK',
  'HTTP_CONNECTION_LIMIT_REACHED',
  'MEMORY_LIMIT_EXCEEDED',
  'MEMORY_RESERVATION_FAILED',
  'MEMORY_RESERVATION_KILLED',
  'NOT_ENOUGH_SPACE',
  'QUOTA_EXCEEDED',
  'RECEIVED_ERROR_TOO_MANY_REQUESTS',
  'RESOURCE_LIMIT_EXCEEDED',
  'SERVER_OVERLOADED',
  'TCP_CONNECTION_LIMIT_REACHED',
  'TIMEOUT_EXCEEDED',
  'TOO_MANY_PARTS',
  'TOO_MANY_SIMULTANEOUS_QUERIES',
  'TOO_SLOW',
  'USER_SESSION_LIMIT_EXCEEDED',
  // Its disk or system failed it; a repeated insert replaces what half succeeded.
  'CANNOT_FSYNC',
  'CANNOT_WRITE_TO_FILE_DESCRIPTOR',
  'DEADLOCK_AVOIDED',
  'SYSTEM_ERROR',
  // It starts, stops, or somebody ended the query.
  'ABORTED',
  'ASYNC_LOAD_CANCELED',
  'ASYNC_LOAD_WAIT_FAILED',
  'QUERY_WAS_CANCELLED',
  'QUERY_WAS_CANCELLED_BY_CLIENT',
  'QUERY_WITH_SAME_ID_IS_ALREADY_RUNNING',
  'TABLE_IS_BEING_RESTARTED',
  // It was cut off from us in the middle of a body.
  'CANNOT_READ_FROM_SOCKET',
  'CANNOT_WRITE_TO_SOCKET',
  'NETWORK_ERROR',
  'SOCKET_TIMEOUT',
  'UNEXPECTED_END_OF_FILE',
  // It is cut off from its peers or from Keeper; a replicated table is read-only meanwhile.
  'ALL_CONNECTION_TRIES_FAILED',
  'ALL_REPLICAS_ARE_STALE',
  'DNS_ERROR',
  'KEEPER_EXCEPTION',
  'NO_ACTIVE_REPLICAS',
  'NO_AVAILABLE_REPLICA',
  'NO_FREE_CONNECTION',
  'NO_REPLICA_HAS_PART',
  'NO_ZOOKEEPER',
  'REPLICA_STATUS_CHANGED',
  'TABLE_IS_READ_ONLY',
  'TOO_MANY_UNAVAILABLE_SHARDS',
  'UNFINISHED',
  // Too few replicas have the rows, or this one lacks some: whether an insert counts is not known, and to repeat it is safe.
  'REPLICA_IS_NOT_IN_QUORUM',
  'TOO_FEW_LIVE_REPLICAS',
  'UNKNOWN_STATUS_OF_INSERT',
  'UNSATISFIED_QUORUM_FOR_PREVIOUS_WRITE',
  // Two processes migrated at once: every statement says IF NOT EXISTS, so only a race ends so.
  'CANNOT_ASSIGN_ALTER',
  'DATABASE_ALREADY_EXISTS',
  'REPLICA_ALREADY_EXISTS',
  'TABLE_ALREADY_EXISTS',
]);

/**
 * The user may not: wrong settings when it is so from the start; but a password or a grant that changed under a running process is mended
 * without a restart, and until then what the process holds is worth keeping.
 */
export const DENIALS: ReadonlySet<string> = new Set([
  'ACCESS_DENIED',
  'AUTHENTICATION_FAILED',
  'DATABASE_ACCESS_DENIED',
  'IP_ADDRESS_NOT_ALLOWED',
  // Of the user's profile. A table that is read-only for a while says TABLE_IS_READ_ONLY.
  'READONLY',
  'REQUIRED_PASSWORD',
  'SESSION_REFUSED',
  'UNKNOWN_USER',
  'USER_EXPIRED',
  'WRONG_PASSWORD',
]);

/** The user may not change a setting. */
export const SETTING_REFUSALS: ReadonlySet<string> = new Set(['READONLY', 'SETTING_CONSTRAINT_VIOLATION', 'READONLY_SETTING']);
