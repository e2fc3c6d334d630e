import { fieldsUsed, replay, type PartitionLedgers } from '@touchstone/engine';
import type { Store } from '@touchstone/store';

export interface RestoreOptions {
  readonly store: Pick<Store, 'replay'>;
  /** Lets others have their turn. It may throw, to give up. */
  readonly breathe: () => Promise<void>;
}

/**
 * Brings a partition's ledgers up to `before` from the stored touches. When it fails, what is applied stays so, and the same call goes on from
 * there.
 * @returns how many stored records were applied by this call
 */
export async function restoreLedgers(ledgers: PartitionLedgers, before: number, { breathe, store }: RestoreOptions): Promise<number> {
  if (ledgers.position >= before) return 0;
  const range = { from: ledgers.position, fields: fieldsUsed(ledgers.model) };
  const records = await replay(store.replay(ledgers.partition, before, range), ledgers, { breathe });
  // Records that left nothing in the store, such as duplicates, are passed over.
  ledgers.position = before;
  return records;
}
