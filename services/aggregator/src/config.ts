import { KAFKA_SECRETS, kafkaSettingProblems, kafkaSettings } from '@touchstone/event-log';
import { aggregatorSettings, edgeSettings, ledgerSettings, logSettings } from '@touchstone/runtime';
import { STORE_SECRETS, storeSettings } from '@touchstone/store';
import { z } from 'zod';

const { HOST, LOG_LEVEL, PORT } = edgeSettings(8082);

/** The settings of an aggregator as a process of its own. It serves health and metrics only, so it needs no keys. */
export const configSchema = z
  .object({
    HOST,
    PORT,
    LOG_LEVEL,
    /** On a disk that outlives the process, a start replays only what came after the last snapshot. Without one it replays everything. */
    SNAPSHOTS_DIRECTORY: z.string().optional(),
    ...logSettings,
    ...ledgerSettings,
    ...aggregatorSettings,
    ...kafkaSettings,
    ...storeSettings,
  })
  .superRefine((config, context) => {
    for (const message of kafkaSettingProblems(config)) context.addIssue({ code: 'custom', message });
  });

export const SECRETS = [...KAFKA_SECRETS, ...STORE_SECRETS] as const;
