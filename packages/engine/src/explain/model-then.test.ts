import { describe, expect, it } from 'vitest';
import { defaultModel } from '../default-model.ts';
import { modelThen, type ModelRecord, type ScoreShown } from './model-then.ts';

const HOUR_MS = 3_600_000;
/** Half past an hour. */
const AT = Date.UTC(2026, 5, 20, 12, 30);

const named = (version: string) => ({ ...defaultModel, version });
const record = (offset: number, minutes: number, version: string): ModelRecord => ({
  offset,
  appendedAt: AT + minutes * 60_000,
  model: named(version),
});
const shown = (ms: number, modelVersion: string): ScoreShown => ({ asOf: AT + ms, modelVersion });

const A = record(1, -300, 'a');
const rows: [what: string, records: ModelRecord[], before: ScoreShown | null, after: ScoreShown | null, current: string, then: string][] = [
  ['none was ever published', [], shown(-HOUR_MS, 'default-1'), null, 'default-1', 'default-1'],
  ['one that is in force since long before', [A], shown(-HOUR_MS, 'a'), shown(HOUR_MS, 'a'), 'a', 'a'],
  ['the former one, as the next was published later', [A, record(2, 10, 'b')], shown(-HOUR_MS, 'a'), shown(15 * 60_000, 'b'), 'b', 'a'],
  ['the former one, as accounts were still being rescored', [A, record(2, -1, 'b')], shown(-1000, 'a'), shown(HOUR_MS, 'b'), 'b', 'a'],
  ['the next one, which took over within the hour', [A, record(2, -10, 'b')], shown(-HOUR_MS, 'a'), shown(60_000, 'b'), 'b', 'b'],
  ['the former one, of whose successor no score is kept yet', [A, record(2, -1, 'b')], shown(-1000, 'a'), null, 'b', 'a'],
  ['that of the scores around, whatever was ordered', [A, record(2, -10, 'b')], shown(-HOUR_MS, 'a'), shown(HOUR_MS, 'a'), 'a', 'a'],
  ['one that came back', [A, record(2, -200, 'b'), record(3, -100, 'a')], shown(-HOUR_MS, 'a'), shown(HOUR_MS, 'a'), 'a', 'a'],
  [
    'one between two of the same version within the hour',
    [A, record(2, -5, 'b'), record(3, 5, 'a')],
    shown(-HOUR_MS, 'a'),
    shown(10 * 60_000, 'a'),
    'a',
    'b',
  ],
  ['the newest that was ordered, where nothing was ever shown', [A, record(2, -200, 'b')], null, null, 'b', 'b'],
  ['the default, where the first was ordered later', [record(1, 10, 'a')], null, shown(20 * 60_000, 'a'), 'a', 'default-1'],
  ['that of the first score, where none is kept from before', [A, record(2, -1, 'b')], null, shown(10, 'a'), 'a', 'a'],
  ['the newest that is known, where a score names one that is not', [A], shown(-HOUR_MS, 'x'), shown(HOUR_MS, 'x'), 'a', 'a'],
];

describe('the model in force at an instant is', () => {
  it.each(rows)('%s', (_what, records, before, after, current, then) => {
    const { version } = modelThen({ at: AT, records, before, after, current: current === 'default-1' ? defaultModel : named(current) });
    expect(version).toBe(then);
  });
});
