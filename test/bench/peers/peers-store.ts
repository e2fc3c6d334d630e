import type { AggregatorStore } from '@touchstone/aggregator';
import { openStore, type Store, type StoredModel } from '@touchstone/store';
import { peersModel } from './peers-job.ts';

/** Before the first record: the comparison's topic has no control record, so the model is in force from the beginning. */
const BEFORE_ALL = -1;

/** Our store for the comparison's touches; its scores go to their topic only. */
export async function openPeersStore(directory: string, partitions: number): Promise<Store> {
  const store = await openStore({ kind: 'chdb', directory });
  await store.migrate();
  return Object.assign(store, peersDifferences(partitions));
}

/** A store that keeps nothing: the log is the only one, and a start reads all of it again. */
export function logOnlyStore(partitions: number): AggregatorStore & Pick<Store, 'close'> {
  const nothing = () => Promise.resolve();
  return {
    touchRows: () => ({ count: 0, byteLength: 0, add() {} }),
    checkpoint: nothing,
    positions: () => Promise.resolve(new Map()),
    async *replay() {},
    async *ruleStates() {},
    async *transitions() {},
    touchTotals: () => Promise.resolve({ touches: 0, minutes: 0 }),
    close: nothing,
    ...peersDifferences(partitions),
  };
}

function peersDifferences(partitions: number): Pick<Store, 'models' | 'saveScores'> {
  const models = Array.from({ length: partitions }, (_, partition): StoredModel => ({
    partition,
    offset: BEFORE_ALL,
    appendedAt: 0,
    model: peersModel,
  }));
  return { models: () => Promise.resolve(models), saveScores: () => Promise.resolve() };
}
