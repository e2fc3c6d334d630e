export { openEmbeddedLog } from './embedded/embedded-log.ts';
export type { EmbeddedLog, EmbeddedLogEvent, EmbeddedLogOptions } from './embedded/embedded-log.ts';
export type { StatFs } from './embedded/free-space.ts';
export type { TopicOptions } from './embedded/topic.ts';
export { EVENT_LOG_ERRORS, EventLogError } from './event-log.ts';
export type {
  CommittedPosition,
  EventLog,
  EventLogErrorCode,
  OutgoingRecord,
  PartitionExtent,
  RecordBlock,
  SubscribeOptions,
  Subscription,
} from './event-log.ts';
export { lockDirectory } from './lock-directory.ts';
export type { DirectoryLock } from './lock-directory.ts';
export { murmur2, partitionOfKey } from './partition-of-key.ts';
export { RecordBlockBuilder, RecordReader } from './record-block.ts';
