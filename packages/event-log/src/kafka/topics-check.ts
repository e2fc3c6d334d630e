import { EventLogError } from '../event-log.ts';
import type { Cluster } from './cluster.ts';
import type { KafkaLogEvent } from './kafka-events.ts';
import type { KafkaTopicOptions } from './kafka-options.ts';
import { BrokerError, INVALID_REPLICATION_FACTOR, TOPIC_ALREADY_EXISTS } from './protocol/broker-error.ts';
import { createTopics, describeConfigs } from './protocol/topic-admin.ts';
import type { NewTopic } from './protocol/topic-admin.ts';

/** The largest record and what framing and a batch's head add to it, rounded up. */
const BATCH_BYTES_NEEDED = 1024 * 1024 + 128;
const BATCH_BYTES_MADE_WITH = 2 * 1024 * 1024;
const RETENTION_MS = 7 * 24 * 60 * 60 * 1000;
const CONFIGS = ['cleanup.policy', 'message.timestamp.type', 'max.message.bytes'];

export interface TopicsCheckOptions {
  readonly cluster: Cluster;
  readonly topics: Readonly<Record<string, KafkaTopicOptions>>;
  readonly requestTimeoutMs: number;
  readonly onEvent: (event: KafkaLogEvent) => void;
}

/**
 * Makes the topics that do not exist; the cluster may not know them yet when this resolves. Two processes may do so at the same time.
 * @throws EventLogError `topic_mismatch`, `refused`; BrokerError and `io` for what may be tried again
 */
export async function makeMissingTopics({ cluster, topics, requestTimeoutMs, onEvent }: TopicsCheckOptions): Promise<void> {
  const missing = Object.entries(topics)
    .filter(([name]) => cluster.topic(name) === null)
    .map(([name, options]) => newTopic(name, options));
  if (missing.length === 0) return;
  const request = { topics: missing, timeoutMs: requestTimeoutMs };
  const results = await cluster.control.request(cluster.controller, createTopics, request, requestTimeoutMs * 2);
  for (const { name, errorCode, message } of results) {
    if (errorCode === 0) onEvent({ type: 'topic_created', topic: name, partitions: topics[name]?.partitions ?? 0 });
    else if (errorCode === INVALID_REPLICATION_FACTOR) throw tooFewBrokers(name, topics[name]?.replicationFactor ?? 0, message);
    else if (errorCode !== TOPIC_ALREADY_EXISTS) throw new BrokerError(errorCode, `topic ${name} could not be made (${message})`);
  }
}

/**
 * Compares the topics with what this program needs. Settings that only concern how long or how safely records are kept are left to whoever runs
 * the cluster.
 * @throws EventLogError `topic_mismatch`; BrokerError and `io` for what may be tried again
 */
export async function checkTopics({ cluster, topics, requestTimeoutMs }: TopicsCheckOptions): Promise<void> {
  const names = Object.keys(topics);
  const results = await cluster.control.request(cluster.anyBroker, describeConfigs, { topics: names, names: CONFIGS }, requestTimeoutMs);
  const differences: string[] = [];
  for (const [name, options] of Object.entries(topics)) {
    const state = cluster.topic(name);
    if (state === null) throw new EventLogError('io', `topic ${name} is not there yet`);
    const described = results.find(({ topic }) => topic === name);
    if (described === undefined || described.errorCode !== 0)
      throw new BrokerError(described?.errorCode ?? -1, `settings of topic ${name}`);
    differences.push(...differencesOf(name, options, state.leaders.length, described.configs));
  }
  if (differences.length > 0) throw new EventLogError('topic_mismatch', differences.join('. '));
}

export function differencesOf(
  name: string,
  options: KafkaTopicOptions,
  partitions: number,
  configs: ReadonlyMap<string, string>,
): readonly string[] {
  const differences: string[] = [];
  if (partitions !== options.partitions) {
    differences.push(
      `topic ${name} has ${partitions} partitions, not ${options.partitions}: the partition of a key depends on their number, ` +
        `so start this program with ${partitions} partitions, or with another topic`,
    );
  }
  if (options.isForeign === true) return differences;
  const expect = (config: string, wanted: string, holds: (value: string) => boolean) => {
    const value = configs.get(config) ?? '';
    if (holds(value)) return;
    differences.push(
      `topic ${name} has ${config}=${value}, not ${wanted}: ` +
        `kafka-configs.sh --bootstrap-server ... --alter --entity-type topics --entity-name ${name} --add-config ${config}=${wanted}`,
    );
  };
  expect('cleanup.policy', options.cleanup, (value) => value === options.cleanup);
  expect('message.timestamp.type', 'LogAppendTime', (value) => value === 'LogAppendTime');
  expect('max.message.bytes', `${BATCH_BYTES_MADE_WITH}`, (value) => Number(value) >= BATCH_BYTES_NEEDED);
  return differences;
}

function newTopic(name: string, { partitions, replicationFactor, retentionMs = RETENTION_MS, cleanup }: KafkaTopicOptions): NewTopic {
  const configs = {
    'cleanup.policy': cleanup,
    ...(cleanup === 'delete' ? { 'retention.ms': `${retentionMs}` } : {}),
    // The time of append is the clock that everything is decided by.
    'message.timestamp.type': 'LogAppendTime',
    'max.message.bytes': `${BATCH_BYTES_MADE_WITH}`,
    // What was acknowledged is then on two brokers, and a broker that lacks it never leads.
    'min.insync.replicas': `${Math.min(2, replicationFactor)}`,
    'unclean.leader.election.enable': 'false',
  };
  return { name, partitions, replicationFactor, configs };
}

/** Also while brokers are still starting: whoever waits for them tries again. */
function tooFewBrokers(name: string, replicationFactor: number, message: string): EventLogError {
  return new EventLogError(
    'io',
    `topic ${name} can not have ${replicationFactor} replicas: start more brokers or lower the replication factor (${message})`,
  );
}
