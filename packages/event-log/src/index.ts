export { openEmbeddedLog } from './embedded/embedded-log.ts';
export type { EmbeddedLog, EmbeddedLogEvent, EmbeddedLogOptions } from './embedded/embedded-log.ts';
export type { StatFs } from './embedded/free-space.ts';
export type { TopicOptions } from './embedded/topic.ts';
export { EVENT_LOG_ERRORS, EventLogError, RECORD_BYTES_MAX } from './event-log.ts';
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
export type { KafkaLogEvent } from './kafka/kafka-events.ts';
export { openKafkaLog } from './kafka/kafka-log.ts';
export type { KafkaLog } from './kafka/kafka-log.ts';
export { KAFKA_SECRETS, kafkaOptionsOf, kafkaSettingProblems, kafkaSettings } from './kafka/kafka-options.ts';
export type { KafkaConfig, KafkaConnectionOptions, KafkaLogOptions, KafkaTopicOptions } from './kafka/kafka-options.ts';
export { ALERTS_RETENTION_MS, DEAD_LETTERS_RETENTION_MS, kafkaLogOptionsOf } from './kafka/kafka-log-options.ts';
export type { TopicSettings } from './kafka/kafka-log-options.ts';
export {
  AGGREGATOR_GROUP,
  ALERTS_TOPIC,
  DEAD_LETTERS_TOPIC,
  EVENTS_TOPIC,
  EXPERIMENTS_TOPIC,
  NOTIFIER_GROUP,
  SCORES_TOPIC,
} from './topics.ts';
export { lockDirectory } from './lock-directory.ts';
export type { DirectoryLock } from './lock-directory.ts';
export { murmur2, partitionOfKey } from './partition-of-key.ts';
export { RecordBlockBuilder, RecordReader } from './record-block.ts';
