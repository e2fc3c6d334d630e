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
