import { KAFKA_SECRETS, kafkaSettingProblems, kafkaSettings } from '@touchstone/event-log';
import { EDGE_SECRETS, edgeSettings, ledgerSettings, logSettings } from '@touchstone/runtime';
import { STORE_SECRETS, storeSettings } from '@touchstone/store';
import { z } from 'zod';
import { kpiSettingsSchema } from './kpis/kpi-settings.ts';

/** The settings of query as a process of its own. */
export const configSchema = z
  .object({ ...edgeSettings(8081), ...logSettings, ...ledgerSettings, ...kafkaSettings, ...storeSettings, ...kpiSettingsSchema })
  .superRefine((config, context) => {
    for (const message of kafkaSettingProblems(config)) context.addIssue({ code: 'custom', message });
  });

export const SECRETS = [...EDGE_SECRETS, ...KAFKA_SECRETS, ...STORE_SECRETS] as const;
