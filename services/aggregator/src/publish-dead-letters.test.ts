import { decodeDeadLetter, isPoison } from '@touchstone/codec';
import { RECORD_BYTES_MAX, type OutgoingRecord } from '@touchstone/event-log';
import type { Checkpoint, DeadLetter } from '@touchstone/store';
import { describe, expect, it } from 'vitest';
import { createDeadLetterPublisher } from './publish-dead-letters.ts';

/** What is appended for a cut of these dead letters, append by append. */
async function published(...letters: (Pick<DeadLetter, 'offset'> & Partial<DeadLetter>)[]): Promise<OutgoingRecord[][]> {
  const appends: OutgoingRecord[][] = [];
  const log = { append: async (_topic: string, records: readonly OutgoingRecord[]) => void appends.push([...records]) };
  const whole = { partition: 3, appendedAt: 1, reason: 'truncated' as const, detail: 'cut off', key: null, value: new Uint8Array(0) };
  const deadLetters = letters.map((letter) => ({ ...whole, ...letter }));
  const cut = { partition: 3, generation: 'g1', offset: 99, facts: [], deadLetters } as unknown as Checkpoint;
  await createDeadLetterPublisher(log, 'events')([cut]);
  return appends;
}

function read({ value }: OutgoingRecord) {
  const letter = decodeDeadLetter(value!, 0, value!.length);
  if (isPoison(letter)) throw new Error(letter.detail);
  return letter;
}

describe('dead letters on their topic', () => {
  it('are keyed by their place, and say the rest', async () => {
    const [[record]] = (await published({ offset: 7, key: Buffer.from('acme'), value: Buffer.from('junk') })) as [[OutgoingRecord]];
    expect(Buffer.from(record.key!).toString()).toBe('events/3/7');
    const { key, value, ...rest } = read(record);
    expect(rest).toEqual({
      topic: 'events',
      partition: 3,
      offset: 7,
      generation: 'g1',
      appendedAt: 1,
      reason: 'truncated',
      detail: 'cut off',
    });
    expect([Buffer.from(key!).toString(), Buffer.from(value).toString()]).toEqual(['acme', 'junk']);
  });

  it.each([
    ['a value as large as a record can be', 0, RECORD_BYTES_MAX],
    ['a key as large as a record can be', RECORD_BYTES_MAX, 0],
    ['both large', 400 * 1024, 700 * 1024],
    ['larger than the log takes from us', RECORD_BYTES_MAX, RECORD_BYTES_MAX],
  ])('fit a record whatever stood there: %s', async (_what, keyBytes, valueBytes) => {
    const [[record]] = (await published({ offset: 1, key: new Uint8Array(keyBytes), value: new Uint8Array(valueBytes) })) as [
      [OutgoingRecord],
    ];
    expect(record.key!.length + record.value!.length).toBeLessThanOrEqual(RECORD_BYTES_MAX);
    expect(read(record).detail).toContain('the store has all');
  });

  it('go in several appends when there are many bytes of them', async () => {
    const appends = await published(...Array.from({ length: 12 }, (_, offset) => ({ offset, value: new Uint8Array(700 * 1024) })));
    expect(appends.length).toBeGreaterThan(1);
    expect(appends.flat().map((record) => read(record).offset)).toEqual(Array.from({ length: 12 }, (_, offset) => offset));
  });

  it('need no append when there are none', async () => {
    expect(await published()).toEqual([]);
  });
});
