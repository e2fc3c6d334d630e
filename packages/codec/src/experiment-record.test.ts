import { expect, test } from 'vitest';
import { decodeExperimentRecord, encodeExperimentRecord, type ExperimentRecord } from './experiment-record.ts';
import { isPoison } from './poison.ts';
import { encodeClockTick } from './tick-record.ts';

const record: ExperimentRecord = {
  id: 'r-1',
  experimentId: 'hero',
  action: 'weights',
  expectedRevision: 3,
  by: 'auto',
  at: 1_764_000_000_000,
  definition: null,
  creativeId: null,
  weights: [
    { creativeId: 'a', weight: 0.25 },
    { creativeId: 'b', weight: 0.75 },
  ],
  reason: 'b is better',
  evidence: '{"p":0.01}',
};

function decode(value: Uint8Array) {
  return decodeExperimentRecord(value, 0, value.length);
}

test('what was written is what is read', () => {
  expect(decode(encodeExperimentRecord(record))).toEqual(record);
  const start = { ...record, action: 'start' as const, weights: null, reason: null, evidence: null };
  expect(decode(encodeExperimentRecord(start))).toEqual(start);
});

test.each<[string, Partial<Record<keyof ExperimentRecord, unknown>>]>([
  ['no experiment', { experimentId: '' }],
  ['an action that is none', { action: 'delete' }],
  ['a revision below 0', { expectedRevision: -1 }],
  ['an instant before 1970', { at: -1 }],
  ['a weight below 0', { weights: [{ creativeId: 'a', weight: -0.5 }] }],
  ['a weight that is no number', { weights: [{ creativeId: 'a', weight: Number.NaN }] }],
])('%s is set aside', (_, change) => {
  expect(isPoison(decode(encodeExperimentRecord({ ...record, ...change } as ExperimentRecord)))).toBe(true);
});

test('another record is told by its name', () => {
  const tick = encodeClockTick({ writtenAt: 1, fleetGrowth: null });
  expect(decode(tick)).toMatchObject({ detail: expect.stringContaining('clock-tick') as string });
});
