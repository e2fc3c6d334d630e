import { defaultModel } from '@touchstone/engine';
import { describe, expect, it } from 'vitest';
import { modelInForce } from './choose-model.ts';

const named = (...versions: string[]) => versions.map((version) => ({ ...defaultModel, version }));

describe('the model in force', () => {
  it.each([
    ['no model was published', [[], []], 'default-1'],
    ['all have got the same', [named('a'), named('a')], 'a'],
    ['all have got two', [named('a', 'b'), named('a', 'b')], 'b'],
    ['one partition has not got the second yet', [named('a', 'b'), named('a')], 'a'],
    ['one partition has got none yet', [named('a'), []], 'default-1'],
    ['one was sent again, as it had not reached all', [named('a', 'a', 'b'), named('a', 'b')], 'b'],
    ['one has reached some partitions only, the next all', [named('a', 'b'), named('b')], 'b'],
    ['a former one was published again and is on its way', [named('a', 'b', 'a'), named('a', 'b')], 'b'],
    ['a former one was published again', [named('a', 'b', 'a'), named('a', 'b', 'a')], 'a'],
    ['two came in another order', [named('a', 'b', 'c'), named('a', 'c', 'b')], 'a'],
  ])('%s', (_what, published, version) => {
    expect(modelInForce(published).version).toBe(version);
  });
});
