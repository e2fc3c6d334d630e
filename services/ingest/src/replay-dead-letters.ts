import { ProblemError } from '@touchstone/runtime';
import { RECORD_BYTES_MAX } from '@touchstone/event-log';
import { StoreError, type DeadLetterPlace, type Store, type StoredDeadLetter } from '@touchstone/store';
import { appendRecords, type AppendTarget } from './append-records.ts';

/** What of the store a replay uses. */
export type DeadLetterStore = Pick<Store, 'deadLetters' | 'deadLettersAt' | 'saveReplays'>;

export interface ReplayTarget extends AppendTarget {
  readonly store: DeadLetterStore;
}

type SkipCode = 'not_found' | 'already_replayed' | 'too_large';

interface Skipped extends DeadLetterPlace {
  readonly code: SkipCode;
}

interface ReplayResult {
  readonly replayed: readonly DeadLetterPlace[];
  readonly skipped: readonly Skipped[];
}

interface ReplayOptions {
  /** Those replayed before too. */
  readonly force: boolean;
  /** Epoch ms. */
  readonly now: number;
}

/** Values are in memory for so many at a time; a record of the log has a megabyte at most. */
const AT_ONCE = 20;

/**
 * Appends the records as they were, bytes and key, to the partitions they stood on, and remembers that it did. In this order, because a
 * record appended twice counts once by its id, while one that is only marked would be forgotten: whoever gets an error may call again.
 * @throws ProblemError `unavailable`
 */
export async function replayDeadLetters(
  target: ReplayTarget,
  places: readonly DeadLetterPlace[],
  { force, now }: ReplayOptions,
): Promise<ReplayResult> {
  const { metrics, store } = target;
  const replayed: DeadLetterPlace[] = [];
  const skipped: Skipped[] = [];
  const wanted = [...new Map(places.map((place) => [keyOf(place), place])).values()];
  for (let from = 0; from < wanted.length; from += AT_ONCE) {
    const group = wanted.slice(from, from + AT_ONCE);
    const found = new Map((await answered(target, store.deadLettersAt(group))).map((letter) => [keyOf(letter), letter]));
    const letters: StoredDeadLetter[] = [];
    for (const { partition, offset } of group) {
      const letter = found.get(keyOf({ partition, offset }));
      if (letter === undefined) skipped.push({ partition, offset, code: 'not_found' });
      else if (letter.replayedAt !== null && !force) skipped.push({ partition, offset, code: 'already_replayed' });
      else if (letter.value.length + (letter.key?.length ?? 0) > RECORD_BYTES_MAX) skipped.push({ partition, offset, code: 'too_large' });
      else letters.push(letter);
    }
    if (letters.length === 0) continue;
    await appendRecords(
      target,
      letters.map(({ key, partition, value }) => ({ key, partition, value })),
    );
    await answered(target, store.saveReplays(letters, now));
    for (const { partition, offset, reason } of letters) {
      replayed.push({ partition, offset });
      metrics.count('dead_letters_replayed_total', { reason });
    }
  }
  return { replayed, skipped };
}

/** What is asked of the store; that it can't answer right now is told so that the client may ask again. */
export async function answered<Answer>({ metrics }: ReplayTarget, answer: Promise<Answer>): Promise<Answer> {
  try {
    return await answer;
  } catch (cause) {
    if (!(cause instanceof StoreError)) throw cause;
    metrics.count('store_errors_total', { code: cause.code });
    if (!cause.retriable) throw cause;
    throw new ProblemError('unavailable', 'the store does not answer right now', { cause, headers: { 'retry-after': '2' } });
  }
}

function keyOf({ partition, offset }: DeadLetterPlace): string {
  return `${partition}/${offset}`;
}
