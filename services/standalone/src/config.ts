import { adminKeyProblem, LOG_LEVELS } from '@touchstone/runtime';
import { z } from 'zod';

const whole = (least: number, most: number) =>
  z
    .string()
    .regex(/^\d+$/, `must be a whole number from ${least} to ${most}`)
    .transform(Number)
    .refine((value) => value >= least && value <= most, `must be a whole number from ${least} to ${most}`);

/** The settings, all with defaults; each default says why. */
export const configSchema = z
  .object({
    /** Only this machine, until somebody decides otherwise. */
    HOST: z.string().default('127.0.0.1'),
    /** 0 takes any free port. */
    PORT: whole(0, 65_535).default(8080),
    TOUCHSTONE_DATA: z.string().default('./data'),
    TOUCHSTONE_ADMIN_KEY: z
      .string()
      .superRefine((key, context) => {
        const problem = adminKeyProblem(key);
        if (problem !== null) context.addIssue({ code: 'custom', message: problem });
      })
      .optional(),
    LOG_LEVEL: z.enum(LOG_LEVELS).default('info'),
    /** Fixed once the data directory is made. Eight leave room to spread over processes later and cost nothing in one. */
    PARTITIONS: whole(1, 1024).default(8),
    /** Of receipt; a touch sent again later than this counts again. */
    DEDUPE_HORIZON_HOURS: whole(1, 168).default(48),
    /** How long the log keeps what is stored already. */
    LOG_RETENTION_HOURS: whole(1, 87_600).default(168),
    /** Scores are visible in streams after at most this; below it batches get small and cost more. */
    PUBLISH_INTERVAL_MS: whole(5, 250).default(50),
    /** What a crash has to apply again; each checkpoint costs a few inserts. */
    CHECKPOINT_INTERVAL_MS: whole(50, 5000).default(1000),
    /** Touches applied and not stored yet; beyond it the log is read no further until the store has caught up. */
    PENDING_MEGABYTES_MAX: whole(1, 16_384).default(256),
    /** Below this much free disk nothing more is accepted. */
    FREE_MEGABYTES_MIN: whole(0, 1_048_576).optional(),
    /** A ClickHouse server; without it ClickHouse runs in this process. */
    CLICKHOUSE_URL: z.url({ protocol: /^https?$/ }).optional(),
    CLICKHOUSE_USER: z.string().default('default'),
    CLICKHOUSE_PASSWORD: z.string().default(''),
    CLICKHOUSE_DATABASE: z
      .string()
      .regex(/^\w{1,64}$/)
      .default('default'),
  })
  .superRefine((config, context) => {
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

export const SECRETS = ['TOUCHSTONE_ADMIN_KEY', 'CLICKHOUSE_PASSWORD'] as const;
