import {
  fieldsAsked,
  fieldsUsed,
  replay,
  type PartitionLedgers,
  type ReplayTarget,
  type ScoringModel,
  type UsedField,
} from '@touchstone/engine';
import type { ReplayRange, Store } from '@touchstone/store';

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
export function restoreLedgers(ledgers: PartitionLedgers, before: number, options: RestoreOptions): Promise<number> {
  return catchUp(ledgers, before, { fields: withCreatives(fieldsUsed(ledgers.model), ledgers) }, options);
}

/** As `restoreLedgers`, of points alone: neither ids nor what no rule asks for are read. */
export function restoreSums(
  sums: ReplayTarget & { readonly model: ScoringModel; readonly creatives: object | null },
  before: number,
  options: RestoreOptions,
): Promise<number> {
  return catchUp(sums, before, { fields: withCreatives(fieldsAsked(sums.model), sums), ids: false }, options);
}

/** What names a creative is read too where their figures are kept. */
function withCreatives(fields: readonly UsedField[], { creatives }: { readonly creatives: object | null }): UsedField[] {
  return creatives === null ? [...fields] : [...new Set<UsedField>([...fields, 'campaignId', 'creativeId'])];
}

async function catchUp(target: ReplayTarget, before: number, what: ReplayRange, { breathe, store }: RestoreOptions): Promise<number> {
  if (target.position >= before) return 0;
  const records = await replay(store.replay(target.partition, before, { ...what, from: target.position }), target, { breathe });
  // Records that left nothing in the store, such as duplicates, are passed over.
  target.position = before;
  return records;
}
