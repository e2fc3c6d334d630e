import { z } from 'zod';
import { adminKeyProblem } from './key-ring.ts';
import { LOG_LEVELS } from './logger.ts';

/** The settings that several processes have in common: each is defined here once, with the reason for its default. */

/** A whole number as a variable gives it: decimal digits only, within bounds. */
export function wholeNumber(least: number, most: number) {
  const message = `must be a whole number from ${least} to ${most}`;
  return z
    .string()
    .regex(/^\d+$/, message)
    .transform(Number)
    .refine((value) => value >= least && value <= most, message);
}

const adminKey = z
  .string({ error: 'is needed: processes share no first key that one of them could make; TOUCHSTONE_ADMIN_KEY_FILE works too' })
  .superRefine((key, context) => {
    const problem = adminKeyProblem(key);
    if (problem !== null) context.addIssue({ code: 'custom', message: problem });
  });

/** Where a process listens, who may do everything, and how much it tells. Each service has a default port of its own, so that all run on one machine. */
export function edgeSettings(port: number) {
  return {
    /** Only this machine, until somebody decides otherwise. */
    HOST: z.string().default('127.0.0.1'),
    /** 0 takes any free port. */
    PORT: wholeNumber(0, 65_535).default(port),
    /** In force beside the stored keys, also while these can not be read. */
    TOUCHSTONE_ADMIN_KEY: adminKey,
    LOG_LEVEL: z.enum(LOG_LEVELS).default('info'),
  };
}

/** Of the log, where a process may be the one that makes its topics. */
export const logSettings = {
  /** Fixed once the log is made: an account stays in its partition. Eight leave room to spread over processes and cost nothing in one. */
  PARTITIONS: wholeNumber(1, 1024).default(8),
  /** How long the log keeps what is stored already. */
  LOG_RETENTION_HOURS: wholeNumber(1, 87_600).default(168),
};

/** Of whoever applies the log: ledgers are a function of it and of these, so they are alike in all processes. */
export const ledgerSettings = {
  /** Of receipt; a touch sent again later than this counts again. */
  DEDUPE_HORIZON_HOURS: wholeNumber(1, 168).default(48),
};

/** Of whoever answers what creatives did. Others leave it out, as it costs memory: some 70 bytes for each creative, contact and day. */
export const creativeSettings = {
  /** A quarter, as the longest window of an account has; 0 keeps none. Older touches still count for accounts. */
  CREATIVE_DAYS: wholeNumber(0, 400).default(90),
};

/** Of whoever publishes scores and stores touches. */
export const aggregatorSettings = {
  /** Scores are published this often, or less so where there are thousands at a time; below it batches get small and cost more. */
  PUBLISH_INTERVAL_MS: wholeNumber(5, 250).default(25),
  /** What a crash has to apply again; each checkpoint costs a few inserts. */
  CHECKPOINT_INTERVAL_MS: wholeNumber(50, 5000).default(1000),
  /** Touches applied and not stored yet; beyond it the log is read no further until the store has caught up. */
  PENDING_MEGABYTES_MAX: wholeNumber(1, 16_384).default(256),
};

/** Settings that a file may hold instead. */
export const EDGE_SECRETS = ['TOUCHSTONE_ADMIN_KEY'] as const;
