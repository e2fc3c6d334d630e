import type { KafkaConfig, KafkaLogOptions, KafkaTopicOptions } from './kafka-options.ts';
import { kafkaOptionsOf } from './kafka-options.ts';
import { tellKafkaEvents, type Teller } from './tell-kafka-events.ts';
import { ALERTS_TOPIC, DEAD_LETTERS_TOPIC, EVENTS_TOPIC, EXPERIMENTS_TOPIC, SCORES_TOPIC } from '../topics.ts';

const HOUR_MS = 3_600_000;
/** Long enough to mend the cause and send them again; the store keeps them for good. */
export const DEAD_LETTERS_RETENTION_MS = 14 * 24 * HOUR_MS;

/** Longer than a notifier may be away; the store keeps them for good. */
export const ALERTS_RETENTION_MS = 30 * 24 * HOUR_MS;

/** Kafka's word for no limit. */
const KEPT_FOR_GOOD_MS = -1;

/** What of the settings decides how topics are made. */
export interface TopicSettings {
  readonly PARTITIONS: number;
  readonly LOG_RETENTION_HOURS: number;
}

/** Options of a log with all topics of ours, for a process that says who it is. What happens to the log goes to its own log. */
export function kafkaLogOptionsOf(config: KafkaConfig & TopicSettings, service: string, teller: Teller): KafkaLogOptions {
  const shared = { partitions: config.PARTITIONS, replicationFactor: config.KAFKA_REPLICATION_FACTOR };
  const topics: Record<string, KafkaTopicOptions> = {
    [EVENTS_TOPIC]: { ...shared, cleanup: 'delete', retentionMs: config.LOG_RETENTION_HOURS * HOUR_MS },
    [SCORES_TOPIC]: { ...shared, cleanup: 'compact' },
    [ALERTS_TOPIC]: { ...shared, cleanup: 'delete', retentionMs: ALERTS_RETENTION_MS },
    [EXPERIMENTS_TOPIC]: { ...shared, partitions: 1, cleanup: 'delete', retentionMs: KEPT_FOR_GOOD_MS },
    [DEAD_LETTERS_TOPIC]: { ...shared, cleanup: 'delete', retentionMs: DEAD_LETTERS_RETENTION_MS },
  };
  return { ...kafkaOptionsOf(config), clientId: `touchstone-${service}`, topics, onEvent: tellKafkaEvents(teller) };
}
