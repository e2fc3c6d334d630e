import { encodeAccountScore } from '@touchstone/codec';
import { describe, expect, it } from 'vitest';
import type { Message } from './kafka-client.ts';
import { recoveriesMs } from './recoveries.ts';

function touch(partition: number, offset: number, appendedAt: number): Message {
  return { partition, offset, appendedAt, key: null, value: null };
}

function score(partition: number, version: number, appendedAt: number): Message {
  const value = Buffer.from(
    encodeAccountScore({
      accountId: `account-${version}`,
      version,
      modelVersion: 'default-1',
      asOf: appendedAt,
      points: 1,
      score: 1,
      engaged: false,
      contacts: 0,
      lastTouchAt: null,
    }),
  );
  return { partition, offset: version, appendedAt, key: null, value };
}

const touches = [touch(0, 0, 100), touch(0, 1, 200), touch(0, 2, 900), touch(1, 0, 150)];

describe('recoveriesMs', () => {
  it.each<[string, number, Message[], number]>([
    ['nothing stood unscored', 250, [score(0, 0, 110), score(0, 1, 210), score(1, 0, 160)], 0],
    ['the slowest partition decides', 250, [score(0, 1, 700), score(1, 0, 1200)], 950],
    ['a later score of the partition will do', 250, [score(1, 0, 160), score(0, 2, 950)], 700],
    ['what came after the fault does not count', 250, [score(1, 0, 160), score(0, 1, 300), score(0, 2, 5000)], 50],
    ['an older score that comes late says nothing', 250, [score(1, 0, 160), score(0, 0, 600), score(0, 1, 650)], 400],
  ])('%s', (_, fault, scores, expected) => {
    expect(recoveriesMs([fault], touches, scores)).toEqual([expected]);
  });
});
