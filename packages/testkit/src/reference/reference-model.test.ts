import { defaultModel, scoringModelSchema } from '@touchstone/engine';
import { expect, it } from 'vitest';
import { MODEL_DEFAULTS, referenceModel } from './reference-model.ts';

it("the engine's default model is the one written down here", () => {
  const { qualification: _q, retentionDays, stages: _s, thresholds: _t, watches: _w, ...model } = defaultModel;
  const { halfLifeDays, halfScorePoints, reachWindowDays, ...ruleDefaults } = MODEL_DEFAULTS;
  const rules = referenceModel.rules.map((rule) => ({ ...ruleDefaults, ...rule }));
  expect(model).toEqual({ ...referenceModel, decay: { kind: 'exponential', halfLifeDays }, halfScorePoints, reachWindowDays, rules });
  expect(retentionDays).toBe(400);
});

it('what a model leaves out is the same for the engine', () => {
  const parsed = scoringModelSchema.parse({ version: 'bare', rules: [{ id: 'r', kind: 'call' }] });
  const { halfLifeDays, halfScorePoints, reachWindowDays, ...rule } = MODEL_DEFAULTS;
  expect(parsed).toMatchObject({ decay: { halfLifeDays }, halfScorePoints, reachWindowDays, roles: {}, rules: [rule] });
});
