import { describe, expect, test } from 'vitest';
import { differencesOf } from './topics-check.ts';

const OPTIONS = { partitions: 8, replicationFactor: 1, cleanup: 'compact' } as const;
const RIGHT = { 'cleanup.policy': 'compact', 'message.timestamp.type': 'LogAppendTime', 'max.message.bytes': '2097152' };

describe('a topic that exists', () => {
  test('is taken when it is as it must be', () => {
    expect(differencesOf('scores', OPTIONS, 8, new Map(Object.entries(RIGHT)))).toEqual([]);
  });

  test.each([
    { what: 'fewer partitions', partitions: 4, configs: {}, message: /has 4 partitions, not 8.*start this program with 4 partitions/ },
    { what: 'another clean-up', partitions: 8, configs: { 'cleanup.policy': 'delete' }, message: /--add-config cleanup\.policy=compact/ },
    {
      what: 'the time of its producers',
      partitions: 8,
      configs: { 'message.timestamp.type': 'CreateTime' },
      message: /--entity-name scores --add-config message\.timestamp\.type=LogAppendTime/,
    },
    {
      what: 'room for smaller batches only',
      partitions: 8,
      configs: { 'max.message.bytes': '1048588' },
      message: /max\.message\.bytes=2097152/,
    },
    { what: 'a setting that it does not tell', partitions: 8, configs: { 'cleanup.policy': '' }, message: /has cleanup\.policy=,/ },
  ])('is refused with $what, and what to do', ({ partitions, configs, message }) => {
    const differences = differencesOf('scores', OPTIONS, partitions, new Map(Object.entries({ ...RIGHT, ...configs })));
    expect(differences).toEqual([expect.stringMatching(message)]);
  });

  test('is refused with all that is wrong at once', () => {
    expect(differencesOf('scores', OPTIONS, 1, new Map()).length).toBe(4);
  });
});
