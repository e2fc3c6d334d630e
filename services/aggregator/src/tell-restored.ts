import type { LedgerSet } from '@touchstone/engine';
import type { Logger, Metrics } from '@touchstone/runtime';

interface RestoredAll {
  /** Stored records that were replayed. */
  readonly records: number;
  readonly seconds: number;
  /** All that are held now. */
  readonly ledgers: LedgerSet;
  readonly modelVersion: string;
}

/** Every partition that was assigned is restored. */
export function tellRestored(
  { ledgers, modelVersion, records, seconds }: RestoredAll,
  { logger, metrics }: { logger: Logger; metrics: Metrics },
): void {
  metrics.set('recovery_seconds', {}, seconds);
  metrics.set('recovered_records', {}, records);
  const { accountCount: accounts, contactCount: contacts } = ledgers;
  const positions = Object.fromEntries([...ledgers.partitions].map(({ partition, position }) => [partition, position]));
  logger.info(
    { records, seconds, accounts, contacts, modelVersion, positions },
    records === 0 ? 'took up the partitions: nothing of them had to be restored' : 'recovered from the stored touches',
  );
}
