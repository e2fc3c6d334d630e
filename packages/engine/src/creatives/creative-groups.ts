import type { Creatives } from '../columns/creatives.ts';
import type { LedgerSet } from '../ledger-set.ts';
import type { PartitionLedgers } from '../ledgers.ts';

/** What names a creative: its id and its campaign's, one of which may be missing. */
export interface CreativeKey {
  readonly campaignId: string | null;
  /** Null also for a whole campaign. */
  readonly creativeId: string | null;
}

type PartOfKey = { readonly [Name in keyof CreativeKey]?: string | null };

/** Creatives whose figures are taken together, by their numbers in each partition. */
export interface CreativeGroup {
  readonly key: CreativeKey;
  readonly creatives: Map<PartitionLedgers, number[]>;
}

/** Names are read from their bytes once: there are as many as there were creatives, ever. */
const keysOf = new WeakMap<Creatives, CreativeKey[]>();

export function keyOf(creatives: Creatives, number: number): CreativeKey {
  let keys = keysOf.get(creatives);
  if (keys === undefined) keysOf.set(creatives, (keys = []));
  return (keys[number - 1] ??= { campaignId: creatives.campaignId(number), creativeId: creatives.creativeId(number) });
}

/** Numbers of the creatives that have these ids; of an id that is not given, all. */
export function find(creatives: Creatives, { campaignId, creativeId }: PartOfKey): number[] {
  const found: number[] = [];
  for (let number = 1; number <= creatives.count; number++) {
    const key = keyOf(creatives, number);
    if (campaignId !== undefined && key.campaignId !== campaignId) continue;
    if (creativeId !== undefined && key.creativeId !== creativeId) continue;
    found.push(number);
  }
  return found;
}

/** The groups that a question is about, partitions in order of their numbers: sums are rounded in one order whoever asks. */
export function groupsOf(
  set: LedgerSet,
  { groupBy = 'creative', ...part }: PartOfKey & { groupBy?: 'campaign' | 'creative' },
): CreativeGroup[] {
  const groups = new Map<string, CreativeGroup>();
  const partitions = [...set.partitions].sort((one, other) => one.partition - other.partition);
  for (const ledgers of partitions) {
    const { creatives } = ledgers;
    if (creatives === null) continue;
    for (const number of find(creatives, part)) {
      const { campaignId, creativeId } = keyOf(creatives, number);
      const key = { campaignId, creativeId: groupBy === 'campaign' ? null : creativeId };
      const text = JSON.stringify([key.campaignId, key.creativeId]);
      const group = groups.get(text) ?? { key, creatives: new Map<PartitionLedgers, number[]>() };
      groups.set(text, group);
      const numbers = group.creatives.get(ledgers) ?? [];
      numbers.push(number);
      group.creatives.set(ledgers, numbers);
    }
  }
  return [...groups.values()];
}
