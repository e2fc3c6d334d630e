import { accountFilterSchema, durationSchema } from '@touchstone/engine';
import { z } from 'zod';
import { BUCKETS } from './hash.ts';
import { isShare, OUTCOMES } from './outcome.ts';
import { bucketsByCreative, slicesOf } from './slices.ts';

/** What an experiment with creatives is, as it was created. It never changes after that; what becomes of it is its state. */

const ARMS_MAX = 10;

const idText = z.string().min(1).max(128);
/** Ids stand in paths, and keys of flags in those of OFREP. */
const nameText = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/, 'letters, digits, ., _ and -, at most 128, beginning with a letter or digit');

const armSchema = z.strictObject({
  creativeId: idText.describe('What touches of the arm carry as creativeId, and the value of the flag'),
  weight: z.number().positive().max(1e6).default(1).describe('Its share of the accounts, beside the weights of the other arms'),
});

const targetingSchema = z
  .strictObject({
    bands: z.array(idText).min(1).max(16).optional().describe('Score bands of the model: cold, warm or hot by default'),
    stages: z.array(idText).min(1).max(64).optional().describe('Stages of the model'),
    qualified: z.boolean().optional().describe('Whether it is a marketing qualified account'),
    segment: accountFilterSchema.optional(),
  })
  .describe('Which accounts are in it: all that are given must hold. Without any, every known account is')
  .meta({ id: 'ExperimentTargeting' });

export const EXPERIMENT_MODES = ['observe', 'recommend', 'auto', 'thompson'] as const;

const givenSchema = z
  .strictObject({
    id: nameText,
    name: z.string().min(1).max(256).optional().describe('For people'),
    flagKey: nameText
      .optional()
      .describe(
        'Key under which ad platforms ask; default: the id. Several experiments may share one: the first that takes the account decides',
      ),
    campaignId: idText.describe('Only touches of this campaign count'),
    seed: z
      .string()
      .min(1)
      .max(128)
      .optional()
      .describe('Of the hash that assigns accounts; default: the id. Experiments with one seed assign alike'),
    arms: z.array(armSchema).min(2).max(ARMS_MAX),
    control: idText.optional().describe('Creative that others are compared with, and what accounts outside get; default: the first arm'),
    holdout: z.number().min(0).max(0.9).default(0).describe('Share of accounts that are shown no creative of it'),
    coverage: z
      .number()
      .gt(0)
      .max(1)
      .default(1)
      .describe('Share of accounts that are in it; the others get the control and are not counted'),
    mode: z
      .enum(EXPERIMENT_MODES)
      .default('observe')
      .describe(
        'observe: figures alone; recommend: says what it would swap; auto: swaps under-performers out; thompson: moves weights to what works',
      ),
    alpha: z
      .number()
      .min(0.0001)
      .max(0.5)
      .default(0.05)
      .describe('Level of the evidence: how often at most a difference is found where there is none'),
    leastSample: z
      .int()
      .min(2)
      .max(10_000_000)
      .default(100)
      .describe('Accounts that each arm must have in the comparison before anything is decided'),
    metric: z.enum(OUTCOMES).default('clicked').describe('Outcome of an account'),
    threshold: idText.optional().describe('Id of a threshold of the scoring model; with metric reachedThreshold, and with it alone'),
    outcomeWindow: durationSchema
      .default('7d')
      .describe('For so long after its first exposure what an account does counts: seconds, or 30m, 12h, 7d'),
    grace: durationSchema
      .default('1h')
      .describe('For so long after that late touches are waited for; then the account enters the comparison'),
    expected: z
      .strictObject({
        baseline: z.number().positive().max(1e9).describe('Mean outcome of an account without any lift: 0.02 for one in fifty that clicks'),
        deviation: z
          .number()
          .positive()
          .max(1e9)
          .optional()
          .describe("Standard deviation of one account's outcome; needed for clickRate and pointsGained"),
        lift: z.number().positive().max(100).default(0.2).describe('Relative difference that is to be found: 0.2 is a fifth more'),
        power: z.number().min(0.5).max(0.99).default(0.8).describe('Probability with which it is to be found by then'),
      })
      .optional()
      .describe('For the estimate of how many accounts it takes, and intervals that are narrowest at that number')
      .meta({ id: 'ExpectedOutcome' }),
    targeting: targetingSchema.default({}),
    swapOnCross: z
      .boolean()
      .default(false)
      .describe('An account that leaves the targeting leaves the experiment at once; else it keeps its creative for the exposure window'),
    exposureWindowDays: z
      .number()
      .min(1 / 24)
      .max(366)
      .default(14)
      .describe('For so long after an impression an account keeps its creative'),
  })
  .superRefine(({ arms, control, expected, metric, threshold }, context) => {
    const creatives = arms.map(({ creativeId }) => creativeId);
    if (new Set(creatives).size !== creatives.length)
      context.addIssue({ code: 'custom', path: ['arms'], message: 'no two arms may have one creative' });
    if (control !== undefined && !creatives.includes(control)) {
      context.addIssue({ code: 'custom', path: ['control'], message: 'must be the creative of one of the arms' });
    }
    if ((metric === 'reachedThreshold') !== (threshold !== undefined)) {
      const message = threshold === undefined ? 'is needed with metric reachedThreshold' : 'is of metric reachedThreshold alone';
      context.addIssue({ code: 'custom', path: ['threshold'], message });
    }
    if (expected === undefined) return;
    if (isShare(metric) && expected.baseline >= 1) {
      context.addIssue({
        code: 'custom',
        path: ['expected', 'baseline'],
        message: `must be below 1: ${metric} is a share of the accounts`,
      });
    }
    if (!isShare(metric) && expected.deviation === undefined) {
      context.addIssue({ code: 'custom', path: ['expected', 'deviation'], message: `is needed with metric ${metric}` });
    }
  });

function withDefaults<Given extends z.output<typeof givenSchema>>({ control, flagKey, seed, ...given }: Given) {
  return {
    ...given,
    control: control ?? given.arms[0]!.creativeId,
    flagKey: flagKey ?? given.id,
    seed: seed ?? given.id,
  };
}

/** A definition as its record holds it. What new ones are refused for since it was written must not make an experiment disappear. */
export const recordedExperimentSchema = givenSchema.transform(withDefaults);

/** A new definition. */
export const experimentSchema = givenSchema
  .superRefine(({ arms, coverage }, context) => {
    const buckets = bucketsByCreative(slicesOf(arms, coverage));
    for (const [index, { creativeId }] of arms.entries()) {
      if (buckets.has(creativeId)) continue;
      const parts = BUCKETS.toLocaleString('en');
      const message = `gives ${creativeId} none of the ${parts} parts of the accounts: it takes more weight beside the other arms, or more coverage`;
      context.addIssue({ code: 'custom', path: ['arms', index, 'weight'], message });
    }
  })
  .superRefine(({ expected, metric }, context) => {
    if (expected === undefined || !isShare(metric) || expected.baseline >= 1) return;
    const { baseline, lift } = expected;
    if (baseline * (1 + lift) < 1) return;
    const message = `must lift the baseline to below 1: ${metric} is a share of the accounts, and ${baseline} lifted by ${lift} is ${baseline * (1 + lift)}`;
    context.addIssue({ code: 'custom', path: ['expected', 'lift'], message });
  })
  .transform(withDefaults)
  .meta({ id: 'NewExperiment' });

export type ExperimentDefinition = z.output<typeof experimentSchema>;
export type ExperimentMode = ExperimentDefinition['mode'];
