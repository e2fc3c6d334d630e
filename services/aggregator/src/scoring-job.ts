import { encodeAccountScore, LogRun } from '@touchstone/codec';
import { engagementOf, pointsOf, scoreOf, type LedgerPlace, type RecordRun } from '@touchstone/engine';
import { AGGREGATOR_GROUP, EVENTS_TOPIC, RecordReader, SCORES_TOPIC, type RecordBlock } from '@touchstone/event-log';
import type { ScoreRow } from '@touchstone/store';

/** The records of a partition's blocks, with their bytes for dead letters. */
export interface BlockRun extends RecordRun {
  /** Goes to the beginning of a block; `next()` reaches its first record. */
  open(block: RecordBlock): void;
  readonly key: Uint8Array | null;
  readonly value: Uint8Array;
}

/** What is said of an account when it has changed. */
export interface Publication {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
  /** What the store keeps of it; null for nothing. */
  readonly row: ScoreRow | null;
}

/** Where an aggregator reads and publishes, and in which form: all that ties its pipeline to these topics and encodings. */
export interface ScoringJob {
  readonly eventsTopic: string;
  readonly scoresTopic: string;
  /** Consumer group; its members share the partitions. */
  readonly group: string;
  readonly openRun: (partition: number) => BlockRun;
  /** @param now wall clock, epoch ms */
  readonly publicationOf: (place: LedgerPlace, now: number) => Publication;
  /**
   * Whether the scores of a group that has never committed go out while its first backlog is worked off. Without, nothing goes out before the
   * end of what was there: see `Intake.heldUntil`.
   */
  readonly publishesFirstBacklog: boolean;
}

/** Touches and facts in our schemas, to scores of accounts. */
export const accountScoring: ScoringJob = {
  eventsTopic: EVENTS_TOPIC,
  scoresTopic: SCORES_TOPIC,
  group: AGGREGATOR_GROUP,
  openRun: (partition) => new LogRun(partition, new RecordReader()),
  publicationOf({ account, ledgers }, now) {
    const { accounts, model, partition } = ledgers;
    const asOf = Math.max(now, ledgers.now);
    const points = pointsOf(ledgers, account, asOf);
    const { contacts, engaged } = engagementOf(ledgers, account, asOf);
    const row: ScoreRow = {
      accountId: accounts.names.text(account),
      partition,
      version: accounts.version[account]!,
      modelVersion: model.version,
      asOf,
      points,
      score: scoreOf(points, model.halfScorePoints),
      engaged,
    };
    const value = encodeAccountScore({ ...row, contacts, lastTouchAt: accounts.lastTouch(account) });
    return { key: accounts.names.bytes(account), value, row };
  },
  publishesFirstBacklog: false,
};
