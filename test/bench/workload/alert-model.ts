import { defaultModel } from '@touchstone/engine';

/** A model as a revenue team has it: the default one with thresholds, qualification, stages and surge. A meeting of an hour makes an account hot. */
export const ALERT_MODEL = {
  ...defaultModel,
  version: 'with-alerts',
  thresholds: [
    { id: 'hot', metric: 'points', enter: 50, exit: 40 },
    { id: 'busy', metric: 'minutes.7d', enter: 300 },
  ],
  qualification: {
    atLeast: 2,
    of: [
      { metric: 'points', atLeast: 150 },
      { metric: 'contacts.30d', atLeast: 3 },
      { metric: 'kind.meeting.30d', atLeast: 1 },
    ],
  },
  stages: [
    { id: 'aware', engaged: true },
    { id: 'considering', metrics: [{ metric: 'points', atLeast: 60 }] },
    { id: 'sales', qualified: true },
  ],
  surge: {},
};
