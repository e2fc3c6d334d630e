import { encodeDeadLetter } from '@touchstone/codec';
import { DEAD_LETTERS_TOPIC, type EventLog, type OutgoingRecord } from '@touchstone/event-log';
import type { Checkpoint, DeadLetter } from '@touchstone/store';

/** Resolves once the dead letters of a cut are durable on their topic. */
export type DeadLetterPublisher = (cut: readonly Checkpoint[]) => Promise<void>;

/** A record of the log may be as large as one can be; with what is said about it, it would no longer fit. */
const KEY_BYTES_MAX = 64 * 1024;
const VALUE_BYTES_MAX = 768 * 1024;
/** In one append: a log far away takes its time. */
const APPEND_BYTES_MAX = 4 * 1024 * 1024;

/**
 * Puts what was set aside on the dead-letter topic. A cut that is repeated puts it there again: the key, which is the record's place on the
 * log, tells that it is the same.
 */
export function createDeadLetterPublisher(log: Pick<EventLog, 'append'>, topic: string): DeadLetterPublisher {
  return async function publishDeadLetters(cut) {
    const records = cut.flatMap(({ deadLetters, generation }) =>
      deadLetters.map((deadLetter) => ({
        key: Buffer.from(`${topic}/${deadLetter.partition}/${deadLetter.offset}`),
        value: encodeDeadLetter({ ...shortened(deadLetter), topic, generation }),
      })),
    );
    for (const some of slicesOf(records)) await log.append(DEAD_LETTERS_TOPIC, some);
  };
}

function shortened(deadLetter: DeadLetter): DeadLetter {
  const { detail, key, value } = deadLetter;
  if (value.length <= VALUE_BYTES_MAX && (key?.length ?? 0) <= KEY_BYTES_MAX) return deadLetter;
  const note = `key and value are cut to ${KEY_BYTES_MAX} and ${VALUE_BYTES_MAX} bytes here; the store has all`;
  const cut = { key: key?.subarray(0, KEY_BYTES_MAX) ?? null, value: value.subarray(0, VALUE_BYTES_MAX) };
  return { ...deadLetter, ...cut, detail: `${detail} (${note})` };
}

function* slicesOf(records: readonly OutgoingRecord[]): Generator<readonly OutgoingRecord[]> {
  let some: OutgoingRecord[] = [];
  let bytes = 0;
  for (const record of records) {
    some.push(record);
    bytes += record.value?.length ?? 0;
    if (bytes < APPEND_BYTES_MAX) continue;
    yield some;
    some = [];
    bytes = 0;
  }
  if (some.length > 0) yield some;
}
