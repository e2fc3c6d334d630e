import { z } from 'zod';
import { scoreBandsSchema } from './score-bands.ts';
import { alertRuleFields, problemsOfAlertRules } from './alerts/alert-rules.ts';

/** Scoring models: versioned documents of rules, published as control records in every partition. */

const idText = z.string().min(1).max(128);
const glob = z.string().min(1).max(2048).describe('Equal text, or with `*` for any run of characters');

const where = z
  .strictObject({
    channel: glob.optional(),
    campaignId: glob.optional(),
    creativeId: glob.optional(),
    url: glob.optional(),
    source: glob.optional(),
    properties: z.record(z.string().min(1).max(128), glob).optional(),
  })
  .describe('All given patterns must match; a touch without the field does not match');

const rule = z
  .strictObject({
    id: idText.describe('Names the rule in explanations; unique within the model'),
    kind: z.string().regex(/^[a-z][a-z0-9_]{0,63}$/),
    where: where.optional(),
    points: z.number().min(-1e6).max(1e6).default(0),
    pointsPerMinute: z.number().min(-1e6).max(1e6).default(0),
    maxMinutes: z.number().min(0).max(1440).default(1440).describe('Minutes beyond this add nothing'),
    dailyCap: z.int().min(1).max(65_535).optional().describe('Per contact and UTC day of occurredAt, only this many touches get the worth'),
  })
  .describe('What a touch of a kind is worth');

const exponential = z.strictObject({
  kind: z.literal('exponential'),
  halfLifeDays: z
    .number()
    .min(1 / 24, 'must be at least 1/24, an hour')
    .max(36_500)
    .describe('Days after which a touch is worth half'),
});

export const scoringModelSchema = z
  .strictObject({
    version: z
      .string()
      .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, 'letters, digits, ., _ and -, at most 64, beginning with a letter or digit'),
    decay: z.discriminatedUnion('kind', [exponential]).default({ kind: 'exponential', halfLifeDays: 14 }),
    halfScorePoints: z.number().positive().max(1e12).default(100).describe('This many points give a score of 50, twice as many 75'),
    rules: z.array(rule).max(255),
    roles: z
      .record(idText, z.number().min(0).max(1000))
      .default({})
      .describe("Multiplier of a contact's points by role; other roles count 1"),
    wantedRoles: z.array(idText).max(32).optional().describe('Roles of a complete buying committee; by default those with a multiplier'),
    reachWindowDays: z.int().min(1).max(90).default(30),
    retentionDays: z.int().min(1).max(3660).default(400).describe('Older touches are rejected on arrival'),
    scoreBands: scoreBandsSchema.optional(),
    ...alertRuleFields,
  })
  .superRefine((model, context) => {
    const seen = new Set<string>();
    for (const [index, { id }] of model.rules.entries()) {
      if (seen.has(id)) context.addIssue({ code: 'custom', path: ['rules', index, 'id'], message: `rule id '${id}' is used twice` });
      seen.add(id);
    }
    for (const { message, path } of problemsOfAlertRules(model)) context.addIssue({ code: 'custom', path, message });
  })
  .meta({ id: 'ScoringModel' });

export type ScoringModel = z.output<typeof scoringModelSchema>;
export type Rule = ScoringModel['rules'][number];
