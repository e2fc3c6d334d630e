import type { CommittedPosition, PartitionExtent } from '@touchstone/event-log';
import type { StoredPosition } from '@touchstone/store';

/** Why a partition can't be taken up. Each would lose or repeat touches silently if it were passed over. */
export const START_ERRORS = {
  topic_made_anew: 'the log was made anew since the store was written: its offsets mean other records now',
  log_truncated: 'the log ends before what the store already holds: records were lost from it',
  records_lost: 'the log no longer holds the records that come next: they were deleted before they were stored',
} as const;

export type StartErrorCode = keyof typeof START_ERRORS;

export class StartError extends Error {
  readonly code: StartErrorCode;

  constructor(code: StartErrorCode, detail: string) {
    super(`${START_ERRORS[code]}. ${detail}`);
    this.name = 'StartError';
    this.code = code;
  }
}

/**
 * The offset from which a partition's records are applied: the stored position, since the stored touches are the state. The log's own
 * position comes after it in a checkpoint, so it is never ahead, unless the store was restored from an older backup; what the log still
 * holds is then applied again.
 * @throws StartError
 */
export function findStart(extent: PartitionExtent, stored: StoredPosition | undefined, committed: CommittedPosition | undefined): number {
  const { partition, start, end, generation } = extent;
  if (stored !== undefined && stored.generation !== generation) {
    throw new StartError(
      'topic_made_anew',
      `Partition ${partition} is of generation ${generation}, the store of ${stored.generation}. ` +
        'Point the service at the log that belongs to this store. Or begin anew: with an empty store, and without the former topics ' +
        'account-scores and dead-letters.',
    );
  }
  const offset = stored?.offset ?? 0;
  if (offset > end) {
    throw new StartError(
      'log_truncated',
      `Partition ${partition} ends at ${end}, the store is at ${offset}. Restore the log, or start with an empty store and an empty log.`,
    );
  }
  if (offset < start) {
    const handled = committed === undefined ? '' : ` (up to ${committed.offset} they were handled once, but this store does not have them)`;
    throw new StartError(
      'records_lost',
      `Partition ${partition} begins at ${start}, the store is at ${offset}${handled}. Restore a newer backup of the store, ` +
        'or of the log, or start with an empty store and an empty log.',
    );
  }
  return offset;
}
