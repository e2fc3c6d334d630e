import { defaultModel } from '@touchstone/engine';
import { ProblemError } from '@touchstone/runtime';
import { StoreError, type StoredModel } from '@touchstone/store';
import { describe, expect, it } from 'vitest';
import { KnownModels } from './known-models.ts';

/** Versions by partition, oldest first, as the store gives them. */
const storedOf = (...versions: readonly (readonly string[])[]): StoredModel[] =>
  versions.flatMap((ofPartition, partition) =>
    ofPartition.map((version, offset) => ({ partition, offset, appendedAt: offset, model: { ...defaultModel, version } })),
  );

describe('the models as ingest knows them', () => {
  it.each([
    ['none was published', [[], []], 'default-1'],
    ['all partitions have it', [['a'], ['a']], 'a'],
    ['one partition has it already', [['a', 'b'], ['a']], 'a'],
    ['one partition has none yet', [['a'], []], 'default-1'],
    [
      'a former one was published again',
      [
        ['a', 'b', 'a'],
        ['a', 'b', 'a'],
      ],
      'a',
    ],
    [
      'one came twice in one partition, as its sender did not know that it was there',
      [
        ['a', 'a', 'b'],
        ['a', 'b'],
      ],
      'b',
    ],
  ])('in force when %s', async (_description, versions, inForce) => {
    const models = new KnownModels({ loadModels: async () => storedOf(...versions), partitionCount: () => 2 });
    await models.refresh();
    expect(models.inForce.version).toBe(inForce);
    const published = versions.flat();
    expect([...(await models.versions()).keys()].toSorted()).toEqual([...new Set(['default-1', ...published])].toSorted());
  });

  it('is none before they were read: the default one could reject what is welcome', () => {
    const models = new KnownModels({ loadModels: async () => [], partitionCount: () => 2 });
    expect(() => models.inForce).toThrow(expect.objectContaining({ code: 'not_ready' }));
  });

  it('stays what it was while the store is away; what is taken can not be told then', async () => {
    let isAway = false;
    const loadModels = async (): Promise<StoredModel[]> => {
      if (isAway) throw new StoreError('unavailable', 'nobody is there');
      return storedOf(['a'], ['a']);
    };
    const models = new KnownModels({ loadModels, partitionCount: () => 2 });
    await models.refresh();
    isAway = true;
    await expect(models.refresh()).rejects.toBeInstanceOf(StoreError);
    expect(models.inForce.version).toBe('a');
    const refusal = await models.versions().catch((thrown: unknown) => thrown);
    expect(refusal).toBeInstanceOf(ProblemError);
    expect(refusal).toMatchObject({ code: 'unavailable', headers: { 'retry-after': '2' } });
  });
});
