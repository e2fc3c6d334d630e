/** What to do about an error code of a broker. */
export type BrokerErrorKind =
  /** The same request may succeed a little later. */
  | 'retry'
  /** The same, once it is known anew who leads what. */
  | 'refresh'
  /** The broker does not let us in, or not do this. */
  | 'refused'
  /** The request will never succeed. */
  | 'final';

const KINDS: Readonly<Record<number, readonly [name: string, kind: BrokerErrorKind]>> = {
  [-1]: ['UNKNOWN_SERVER_ERROR', 'retry'],
  1: ['OFFSET_OUT_OF_RANGE', 'final'],
  2: ['CORRUPT_MESSAGE', 'retry'],
  3: ['UNKNOWN_TOPIC_OR_PARTITION', 'refresh'],
  5: ['LEADER_NOT_AVAILABLE', 'refresh'],
  6: ['NOT_LEADER_OR_FOLLOWER', 'refresh'],
  7: ['REQUEST_TIMED_OUT', 'retry'],
  8: ['BROKER_NOT_AVAILABLE', 'refresh'],
  9: ['REPLICA_NOT_AVAILABLE', 'refresh'],
  10: ['MESSAGE_TOO_LARGE', 'final'],
  13: ['NETWORK_EXCEPTION', 'refresh'],
  14: ['COORDINATOR_LOAD_IN_PROGRESS', 'retry'],
  15: ['COORDINATOR_NOT_AVAILABLE', 'retry'],
  16: ['NOT_COORDINATOR', 'retry'],
  17: ['INVALID_TOPIC_EXCEPTION', 'final'],
  18: ['RECORD_LIST_TOO_LARGE', 'final'],
  19: ['NOT_ENOUGH_REPLICAS', 'retry'],
  20: ['NOT_ENOUGH_REPLICAS_AFTER_APPEND', 'retry'],
  29: ['TOPIC_AUTHORIZATION_FAILED', 'refused'],
  30: ['GROUP_AUTHORIZATION_FAILED', 'refused'],
  31: ['CLUSTER_AUTHORIZATION_FAILED', 'refused'],
  33: ['UNSUPPORTED_SASL_MECHANISM', 'refused'],
  34: ['ILLEGAL_SASL_STATE', 'refused'],
  35: ['UNSUPPORTED_VERSION', 'refused'],
  36: ['TOPIC_ALREADY_EXISTS', 'final'],
  37: ['INVALID_PARTITIONS', 'final'],
  38: ['INVALID_REPLICATION_FACTOR', 'final'],
  40: ['INVALID_CONFIG', 'final'],
  41: ['NOT_CONTROLLER', 'refresh'],
  44: ['POLICY_VIOLATION', 'refused'],
  56: ['KAFKA_STORAGE_ERROR', 'refresh'],
  58: ['SASL_AUTHENTICATION_FAILED', 'refused'],
  72: ['LISTENER_NOT_FOUND', 'refresh'],
  74: ['FENCED_LEADER_EPOCH', 'refresh'],
  75: ['UNKNOWN_LEADER_EPOCH', 'refresh'],
  76: ['UNSUPPORTED_COMPRESSION_TYPE', 'final'],
  78: ['OFFSET_NOT_AVAILABLE', 'retry'],
  87: ['INVALID_RECORD', 'final'],
  89: ['THROTTLING_QUOTA_EXCEEDED', 'retry'],
  100: ['UNKNOWN_TOPIC_ID', 'refresh'],
  103: ['INCONSISTENT_TOPIC_ID', 'refresh'],
};

export const OFFSET_OUT_OF_RANGE = 1;
export const MESSAGE_TOO_LARGE = 10;
export const RECORD_LIST_TOO_LARGE = 18;
export const TOPIC_ALREADY_EXISTS = 36;
export const INVALID_REPLICATION_FACTOR = 38;

/** An error code that a broker answered with. */
export class BrokerError extends Error {
  readonly code: number;
  readonly kind: BrokerErrorKind;

  constructor(code: number, what: string) {
    const [name, kind] = KINDS[code] ?? [`error code ${code}`, 'final'];
    super(`${what}: ${name}`);
    this.name = 'BrokerError';
    this.code = code;
    this.kind = kind;
  }
}

/** @throws BrokerError for any code but 0 */
export function assertNoError(code: number, what: string): void {
  if (code !== 0) throw new BrokerError(code, what);
}
