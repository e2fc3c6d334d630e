import { encodeDeadLetter } from '@touchstone/codec';
import { DEAD_LETTERS_TOPIC, type EventLog } from '@touchstone/event-log';
import type { Checkpoint, DeadLetter } from '@touchstone/store';

/** Resolves once the dead letters of a cut are durable on their topic. */
export type DeadLetterPublisher = (cut: readonly Checkpoint[]) => Promise<void>;

/** A record of the log may be as large as one can be; with what is said about it, it would no longer fit. */
const VALUE_BYTES_MAX = 768 * 1024;

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
    if (records.length > 0) await log.append(DEAD_LETTERS_TOPIC, records);
  };
}

function shortened(deadLetter: DeadLetter): DeadLetter {
  const { detail, value } = deadLetter;
  if (value.length <= VALUE_BYTES_MAX) return deadLetter;
  const note = `only the first ${VALUE_BYTES_MAX} of ${value.length} bytes are here; the store has all`;
  return { ...deadLetter, detail: `${detail} (${note})`, value: value.subarray(0, VALUE_BYTES_MAX) };
}
