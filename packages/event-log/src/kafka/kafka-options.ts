import { readFileSync } from 'node:fs';
import type { ConnectionOptions as TlsOptions } from 'node:tls';
import type { SASLOptions } from 'kafkajs';
import { z } from 'zod';
import type { KafkaLogEvent } from './kafka-events.ts';

export interface KafkaTopicOptions {
  /** Fixed when the topic is made, because the partition of a key depends on it. */
  readonly partitions: number;
  readonly replicationFactor: number;
  /** How long records are kept, in ms; default seven days. Of a compacted topic it says nothing. */
  readonly retentionMs?: number;
  /** Whether records go by their age, or once a newer one of their key is there. */
  readonly cleanup: 'delete' | 'compact';
  /** Others made it and set it up, and whoever uses it knows how: of what exists only the number of partitions is checked. Default false. */
  readonly isForeign?: boolean;
}

/** How to reach the brokers: what `kafkaSettings` give. */
export interface KafkaConnectionOptions {
  /** `host:port` of some brokers; the others are learnt from them. */
  readonly brokers: readonly string[];
  /** Null for connections that are not encrypted, as is the default. */
  readonly ssl?: TlsOptions | null;
  readonly sasl?: SASLOptions | null;
  /** After so long without a sign of life the group gives a member's partitions to others, in ms; default 10,000. */
  readonly sessionTimeoutMs?: number;
}

export interface KafkaLogOptions extends KafkaConnectionOptions {
  /** What the brokers call us in their logs and quotas. */
  readonly clientId: string;
  /** Made where they do not exist, and checked where they do. */
  readonly topics: Readonly<Record<string, KafkaTopicOptions>>;
  /** How long opening waits for brokers that are not up yet, in ms; default 10,000. */
  readonly waitForBrokersMs?: number;
  /** How long an append is tried before it fails with `io`, in ms; default 15,000. */
  readonly deliveryTimeoutMs?: number;
  /** How long nothing at all may come from a broker that owes an answer, in ms; default 5,000. */
  readonly requestTimeoutMs?: number;
  /** How long a connection may take to come about, in ms; default 2,000. */
  readonly connectTimeoutMs?: number;
  /** How often it is looked whether topics are still the same, in ms; default 5,000. */
  readonly metadataIntervalMs?: number;
  /** Bytes that may wait to be acknowledged before `append` answers `backlogged`; default 64 MiB. */
  readonly backlogBytesMax?: number;
  /** Wall clock, epoch ms; default `Date.now`. */
  readonly clock?: () => number;
  /** Called with what happened, for metrics and logs. Must not throw. */
  readonly onEvent?: (event: KafkaLogEvent) => void;
}

const SESSION_TIMEOUT_MS = 10_000;
const BROKER = /^(\[[0-9a-fA-F:.]+\]|[a-zA-Z0-9._-]+):\d{1,5}$/;
const SASL_MECHANISMS = ['plain', 'scram-sha-256', 'scram-sha-512'] as const;

const brokerList = z
  .string()
  .transform((text) => text.split(',').map((broker) => broker.trim()))
  .refine((brokers) => brokers.every((broker) => BROKER.test(broker)), 'must be host:port, several separated by commas');
const flag = z.enum(['true', 'false']).transform((text) => text === 'true');
const count = (min: number, max: number) => z.coerce.number().int().min(min).max(max);

/**
 * Settings of a Kafka cluster, for the schema of a service's settings. KAFKA_SASL_PASSWORD is a secret: it may be given as
 * KAFKA_SASL_PASSWORD_FILE.
 */
export const kafkaSettings = {
  KAFKA_BROKERS: brokerList.describe('host:port of some brokers, separated by commas'),
  KAFKA_SSL: flag.default(false).describe('Whether connections are encrypted'),
  KAFKA_SSL_CA_FILE: z.string().optional().describe('PEM file of the authorities to trust; without it those that Node knows'),
  KAFKA_SSL_CERT_FILE: z.string().optional().describe('PEM file of our certificate, where brokers ask for one'),
  KAFKA_SSL_KEY_FILE: z.string().optional().describe('PEM file of the key to it'),
  KAFKA_SASL_MECHANISM: z.enum(SASL_MECHANISMS).optional(),
  KAFKA_SASL_USERNAME: z.string().optional(),
  KAFKA_SASL_PASSWORD: z.string().optional(),
  KAFKA_REPLICATION_FACTOR: count(1, 32_767).default(1).describe('Copies of each partition of topics that are made'),
  KAFKA_SESSION_TIMEOUT_MS: count(1_000, 300_000).default(SESSION_TIMEOUT_MS),
};

/** Settings that a file may hold instead. */
export const KAFKA_SECRETS = ['KAFKA_SASL_PASSWORD'] as const;

export type KafkaConfig = z.output<z.ZodObject<typeof kafkaSettings>>;

/** Every way in which the settings do not go together, in words for whoever set them. */
export function kafkaSettingProblems(config: KafkaConfig): string[] {
  const problems: string[] = [];
  const { KAFKA_SASL_MECHANISM: mechanism, KAFKA_SASL_USERNAME: username, KAFKA_SASL_PASSWORD: password } = config;
  if (mechanism !== undefined && (username === undefined || password === undefined)) {
    problems.push('KAFKA_SASL_MECHANISM needs KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD');
  }
  if (mechanism === undefined && (username !== undefined || password !== undefined)) {
    problems.push(`KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD need KAFKA_SASL_MECHANISM: ${SASL_MECHANISMS.join(', ')}`);
  }
  const files = [config.KAFKA_SSL_CA_FILE, config.KAFKA_SSL_CERT_FILE, config.KAFKA_SSL_KEY_FILE];
  if (!config.KAFKA_SSL && files.some((file) => file !== undefined)) problems.push('KAFKA_SSL_..._FILE need KAFKA_SSL=true');
  if ((config.KAFKA_SSL_CERT_FILE === undefined) !== (config.KAFKA_SSL_KEY_FILE === undefined)) {
    problems.push('KAFKA_SSL_CERT_FILE and KAFKA_SSL_KEY_FILE need each other');
  }
  return problems;
}

/** What the settings say, read from their files. @throws Error for settings that do not go together, or a file that can not be read */
export function kafkaOptionsOf(config: KafkaConfig): KafkaConnectionOptions {
  const problems = kafkaSettingProblems(config);
  if (problems.length > 0) throw new Error(problems.join('; '));
  const { KAFKA_SASL_MECHANISM: mechanism, KAFKA_SASL_USERNAME: username, KAFKA_SASL_PASSWORD: password } = config;
  const sasl = mechanism === undefined || username === undefined || password === undefined ? null : { mechanism, username, password };
  return {
    brokers: config.KAFKA_BROKERS,
    ssl: config.KAFKA_SSL ? tlsOptionsOf(config) : null,
    sasl,
    sessionTimeoutMs: config.KAFKA_SESSION_TIMEOUT_MS,
  };
}

function tlsOptionsOf({ KAFKA_SSL_CA_FILE: ca, KAFKA_SSL_CERT_FILE: cert, KAFKA_SSL_KEY_FILE: key }: KafkaConfig): TlsOptions {
  return {
    ...(ca === undefined ? {} : { ca: readFileSync(ca) }),
    ...(cert === undefined ? {} : { cert: readFileSync(cert) }),
    ...(key === undefined ? {} : { key: readFileSync(key) }),
  };
}
