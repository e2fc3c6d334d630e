import type { EventLog } from '@touchstone/event-log';
import type { Logger, Metrics, Scheduler } from '@touchstone/runtime';
import type { AggregatorStore } from './aggregator-store.ts';
import type { ScoringJob } from './scoring-job.ts';

export interface AggregatorOptions {
  readonly log: EventLog;
  readonly store: AggregatorStore;
  readonly metrics: Metrics;
  readonly logger: Logger;
  readonly scheduler: Scheduler;
  /** The process can't go on; it should leave with an error. */
  readonly onFatal: (cause: unknown) => void;
  readonly publishIntervalMs: number;
  readonly checkpointIntervalMs: number;
  readonly dedupeHorizonMs: number;
  /** For how many days figures of creatives are kept; 0 for none. */
  readonly creativeDays: number;
  /** Bytes that may wait for a checkpoint before partitions are held. */
  readonly pendingBytesMax: number;
  /**
   * Bytes of blocks that are kept per partition while another model is about to take over, to be applied under it without the store. When more
   * come, the store is asked for all of them, and blocks wait for its answer. Default: 1 MB, which is some seconds at a usual load, and applied
   * again in some ten milliseconds.
   */
  readonly tailBytesMax?: number | undefined;
  /** Where ledgers are kept for the next start; none are when it is absent. */
  readonly snapshotsDirectory?: string | undefined;
  /** Default: our events, to scores of accounts. */
  readonly job?: ScoringJob;
}
