import { KAFKA_SECRETS, kafkaSettingProblems, kafkaSettings } from '@touchstone/event-log';
import { EDGE_SECRETS, edgeSettings, logSettings } from '@touchstone/runtime';
import { STORE_SECRETS, storeSettings } from '@touchstone/store';
import { z } from 'zod';
import { notifierSettings } from './settings.ts';

/** The settings of the notifier as a process of its own. */
export const configSchema = z
  .object({ ...edgeSettings(8083), ...logSettings, ...notifierSettings, ...kafkaSettings, ...storeSettings })
  .superRefine((config, context) => {
    for (const message of kafkaSettingProblems(config)) context.addIssue({ code: 'custom', message });
  });

export const SECRETS = [...EDGE_SECRETS, ...KAFKA_SECRETS, ...STORE_SECRETS] as const;
