import { scoringModelSchema } from '@touchstone/engine';
import { expect, test } from 'vitest';
import { misfitsOf } from './fits-model.ts';

const plain = scoringModelSchema.parse({ version: 'plain', rules: [] });
const rich = scoringModelSchema.parse({
  version: 'rich',
  rules: [],
  scoreBands: [
    { id: 'low', from: 0 },
    { id: 'high', from: 50 },
  ],
  thresholds: [{ id: 'sure', metric: 'points', enter: 50 }],
  qualification: { atLeast: 1, of: [{ metric: 'points', atLeast: 50 }] },
  stages: [{ id: 'aware' }, { id: 'engaged', metrics: [{ metric: 'points', atLeast: 10 }] }],
});

test.each([
  ['no targeting', plain, {}, []],
  ['its bands', plain, { targeting: { bands: ['warm', 'hot'] } }, []],
  ['a band misspelt', plain, { targeting: { bands: ['hot', 'hott'] } }, ['targeting/bands/1: the scoring model plain has no band "hott": it has cold, warm, hot']], // prettier-ignore
  ['a band of the default', rich, { targeting: { bands: ['hot'] } }, ['targeting/bands/0: the scoring model rich has no band "hot": it has low, high']], // prettier-ignore
  ['stages without any', plain, { targeting: { stages: ['aware'] } }, ['targeting/stages/0: the scoring model plain has no stage "aware": it has none']], // prettier-ignore
  ['all that there is', rich, { threshold: 'sure', targeting: { bands: ['low'], stages: ['aware', 'engaged'], qualified: true } }, []],
  ['a stage of no model', rich, { targeting: { stages: ['aware', 'lost'] } }, ['targeting/stages/1: the scoring model rich has no stage "lost": it has aware, engaged']], // prettier-ignore
  ['an unknown threshold', rich, { threshold: 'hot' }, ['threshold: the scoring model rich has no threshold "hot": it has sure']],
  ['qualified accounts where none are', plain, { targeting: { qualified: false } }, ['targeting/qualified: the scoring model plain qualifies no account']], // prettier-ignore
])('an experiment with %s', (_, model, given, misfits) => {
  expect(misfitsOf({ targeting: {}, ...given }, model).map(({ detail, path }) => `${path.join('/')}: ${detail}`)).toEqual(misfits);
});
