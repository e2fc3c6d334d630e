import { EventLogError } from '../event-log.ts';

/** What lmdb or the file system threw, as the `io` that the port promises; our own errors stay what they are. */
export function asEventLogError(cause: unknown, what: string): EventLogError {
  if (cause instanceof EventLogError) return cause;
  return new EventLogError('io', `${what}: ${String(cause)}`, { cause });
}
