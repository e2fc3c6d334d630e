import { defaultModel, type ScoringModel } from '@touchstone/engine';
import { describe, expect, it } from 'vitest';
import { readStartState, StartState } from './start-state.ts';

const named = (version: string): ScoringModel => ({ ...defaultModel, version });
const extents = [0, 1].map((partition) => ({ partition, start: 0, end: 100, generation: 'g1' }));
const published = (...places: [partition: number, offset: number, version: string][]) =>
  places.map(([partition, offset, version]) => ({ partition, offset, appendedAt: offset, model: named(version) }));
const stored = (...offsets: number[]) =>
  new Map(offsets.map((offset, partition) => [partition, { partition, offset, generation: 'g1' }] as const));
const committed = (offset: number, generation = 'g1') => new Map([[0, { offset, generation }]]);

describe('up to where effects are out', () => {
  it.each([
    ['nothing was committed', new Map(), [], 'default-1', 0],
    ['everything stored was committed', committed(50), [], 'default-1', 50],
    ['a part of what is stored was committed', committed(30), [], 'default-1', 30],
    ['the position was set ahead of the store by somebody else', committed(51), [], 'default-1', 0],
    ['the position is of another topic', committed(30, 'g0'), [], 'default-1', 0],
    ['scores went out under the model of now', committed(30), published([0, 10, 'b']), 'b', 30],
    ['the model of now came after what was committed', committed(30), published([0, 40, 'b']), 'b', 0],
    ['the partition was ahead with a model that is not in force', committed(30), published([0, 10, 'b']), 'default-1', 0],
    ['the model of now has not arrived in this partition', committed(30), published([1, 10, 'b']), 'b', 0],
  ])('%s', (_what, inLog, models, version, expected) => {
    expect(new StartState(extents, stored(50, 50), inLog, models).publishedBelow(0, named(version))).toBe(expected);
  });
});

describe('the model in force', () => {
  it.each([
    ['is the default one while none was published', [], 'default-1'],
    ['is what all partitions have got below what is stored', published([0, 10, 'b'], [1, 20, 'b']), 'b'],
    ['is the former one while a partition has not stored the new one', published([0, 10, 'b'], [1, 50, 'b']), 'default-1'],
  ])('%s', (_what, models, expected) => {
    expect(new StartState(extents, stored(50, 50), new Map(), models).modelInForce().version).toBe(expected);
  });
});

describe('a start', () => {
  it('is refused when any partition does not belong to the store', () => {
    expect(() => new StartState(extents, stored(50, 101), new Map(), []).assertAllStart()).toThrow('Partition 1 ends at 100');
  });

  it('knows no partition that the log does not have', () => {
    expect(() => new StartState(extents, stored(), new Map(), []).extentOf(2)).toThrow('no partition 2');
  });

  it('is judged by what was read in an order in which a former owner that still writes does not look like a cut-off log', async () => {
    let end = 0;
    /** Between any two reads more is appended, stored and committed. */
    const after = async <Value>(value: () => Value): Promise<Value> => {
      end += 10;
      await Promise.resolve();
      return value();
    };
    const state = await readStartState({
      topic: 'events',
      group: 'g',
      log: {
        committed: () => after(() => committed(end)),
        extents: () => after(() => [{ partition: 0, start: 0, end, generation: 'g1' }]),
      },
      store: { positions: () => after(() => stored(end)), models: () => after(() => []) },
    });
    expect(state.startOf(0)).toBe(20);
    expect(state.publishedBelow(0, defaultModel)).toBe(10);
  });
});
