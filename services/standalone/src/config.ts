import { KAFKA_SECRETS, kafkaSettingProblems, kafkaSettings } from '@touchstone/event-log';
import { notifierSettings } from '@touchstone/notifier';
import { kpiSettingsSchema } from '@touchstone/query';
import {
  aggregatorSettings,
  creativeSettings,
  EDGE_SECRETS,
  edgeSettings,
  ledgerSettings,
  logSettings,
  wholeNumber,
} from '@touchstone/runtime';
import { STORE_SECRETS, storeSettings } from '@touchstone/store';
import { z } from 'zod';

const edge = edgeSettings(8080);

/** The settings, all with defaults; each default says why. */
export const configSchema = z
  .object({
    ...edge,
    /** Without one the first start makes one, prints it once and keeps its hash. */
    TOUCHSTONE_ADMIN_KEY: edge.TOUCHSTONE_ADMIN_KEY.optional(),
    TOUCHSTONE_DATA: z.string().default('./data'),
    ...logSettings,
    ...ledgerSettings,
    ...creativeSettings,
    ...aggregatorSettings,
    ...notifierSettings,
    /** As of the notifier; where this process listens, by default. */
    PUBLIC_URL: notifierSettings.PUBLIC_URL.unwrap().optional(),
    ...kpiSettingsSchema,
    /** Below this much free disk nothing more is accepted. */
    FREE_MEGABYTES_MIN: wholeNumber(0, 1_048_576).optional(),
    ...kafkaSettings,
    /** Kafka's brokers; without them the log is a part of this process. */
    KAFKA_BROKERS: kafkaSettings.KAFKA_BROKERS.optional(),
    ...storeSettings,
    /** A ClickHouse server; without it ClickHouse runs in this process. */
    CLICKHOUSE_URL: storeSettings.CLICKHOUSE_URL.optional(),
  })
  .superRefine((config, context) => {
    const { KAFKA_BROKERS } = config;
    const problems = KAFKA_BROKERS === undefined ? [] : kafkaSettingProblems({ ...config, KAFKA_BROKERS });
    for (const message of problems) context.addIssue({ code: 'custom', message });
    const isPublic = !['127.0.0.1', '::1', 'localhost'].includes(config.HOST);
    if (isPublic && config.TOUCHSTONE_ADMIN_KEY === undefined) {
      context.addIssue({
        code: 'custom',
        path: ['TOUCHSTONE_ADMIN_KEY'],
        message: `is needed when HOST (${config.HOST}) is reachable from other machines; TOUCHSTONE_ADMIN_KEY_FILE works too`,
      });
    }
  });

export type Config = z.output<typeof configSchema>;

export const SECRETS = [...EDGE_SECRETS, ...KAFKA_SECRETS, ...STORE_SECRETS] as const;
