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

const touches = [touch(0, 0, 100), touch(0, 1, 300), touch(0, 2, 900), touch(1, 0, 350), touch(0, 3, 9000)];

describe('recoveriesMs', () => {
  it.each<[string, Message[], number]>([
    ['nothing had to wait', [score(0, 1, 310), score(1, 0, 355), score(0, 2, 905), score(0, 3, 9010)], 10],
    ['the slowest partition decides', [score(0, 1, 310), score(0, 2, 905), score(1, 0, 1350)], 1000],
    ['a later score of the partition will do', [score(1, 0, 360), score(0, 2, 950)], 650],
    ['what came before the fault does not count', [score(0, 0, 200), score(0, 1, 305), score(0, 2, 905), score(1, 0, 355)], 5],
    ['what came long after the fault does not count', [score(0, 2, 1000), score(1, 0, 355), score(0, 3, 99_000)], 700],
    ['an older score that comes late says nothing', [score(1, 0, 360), score(0, 2, 950), score(0, 1, 4000)], 650],
    ['what no score follows waits for nothing', [score(0, 1, 304)], 4],
  ])('%s', (_, scores, expected) => {
    expect(recoveriesMs([250], touches, scores)).toEqual([expected]);
  });
});
