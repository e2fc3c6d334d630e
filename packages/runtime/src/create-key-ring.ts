import type { ApiKey } from './api-keys.ts';
import { KeyRing } from './key-ring.ts';
import type { Logger } from './logger.ts';
import type { Metrics } from './metrics.ts';

/** What of a store the keys of a process are read from, and the first one written to. */
export interface KeyStore {
  apiKeys(): Promise<readonly ApiKey[]>;
  saveApiKey(row: ApiKey): Promise<void>;
}

interface KeyRingParts {
  readonly adminKey: string | undefined;
  /** Whether this process makes the first key where there is none: of several that share a store at most one may. */
  readonly makesFirst: boolean;
  readonly metrics: Metrics;
  readonly logger: Logger;
}

/** The keys of a process, as it reads them from the store. It is not started: that may have to wait for the store. */
export function createKeyRing(store: KeyStore, { adminKey, logger, makesFirst, metrics }: KeyRingParts): KeyRing {
  return new KeyRing({
    loadKeys: () => store.apiKeys(),
    ...(makesFirst && { saveKey: (row: ApiKey) => store.saveApiKey(row) }),
    adminKey,
    onRefreshFailed: (err) => {
      metrics.count('key_refresh_failures_total', {});
      logger.warn({ err }, 'the API keys could not be read again; the last known ones stay in force');
    },
  });
}
