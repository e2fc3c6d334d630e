import { z } from 'zod';

/** What of a scoring model says when an account is news: thresholds, qualification, stages, surge, watches of the committee. */

const idText = z.string().min(1).max(128);
const some = z.union([z.string().max(2048), z.array(z.string().max(2048)).min(1).max(1000)]);

/** A number of seconds, or a number with its unit: `90`, `30m`, `12h`, `7d`. */
export const durationSchema = z
  .union([
    z
      .number()
      .min(0)
      .max(366 * 86_400),
    z.string().regex(/^\d{1,8}[smhd]$/, 'a number with s, m, h or d'),
  ])
  .describe('Seconds, or a number with its unit: 30m, 12h, 7d');

export function durationMs(duration: z.output<typeof durationSchema>): number {
  if (typeof duration === 'number') return Math.round(duration * 1000);
  const unit = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }[duration.at(-1) as 's' | 'm' | 'h' | 'd'];
  return Number(duration.slice(0, -1)) * unit;
}

const METRIC_WINDOWS = ['24h', '7d', '30d', '90d'] as const;
const WINDOW = METRIC_WINDOWS.join('|');
export const metricSchema = z
  .string()
  .regex(
    new RegExp(
      `^(score|points|reach|coverage|(touches|minutes|contacts|newContacts)\\.(${WINDOW})|kind\\.[a-z][a-z0-9_]{0,63}\\.(${WINDOW}))$`,
    ),
    'score, points, reach, coverage, touches.7d, minutes.7d, contacts.30d, newContacts.30d or kind.meeting.30d, with 24h, 7d, 30d or 90d',
  )
  .describe('score, points, reach (engaged contacts), coverage (0 to 1), or a figure of a window: contacts.30d, kind.meeting.30d');

export const accountFilterSchema = z
  .strictObject({
    accountId: some.optional(),
    tier: some.optional(),
    industry: some.optional(),
    owner: some.optional(),
    targetList: z.boolean().optional(),
    employees: z.strictObject({ min: z.number().optional(), max: z.number().optional() }).optional(),
    attributes: z.record(idText, some).optional(),
  })
  .describe('What the CRM says of the account must be one of these; all that are given must hold. An account nobody described meets none');

const touchPattern = z.strictObject({
  kind: z.string().regex(/^[a-z][a-z0-9_]{0,63}$/),
  where: z
    .strictObject({
      channel: z.string().min(1).max(2048).optional(),
      campaignId: z.string().min(1).max(2048).optional(),
      creativeId: z.string().min(1).max(2048).optional(),
      url: z.string().min(1).max(2048).optional(),
      source: z.string().min(1).max(2048).optional(),
      properties: z.record(idText, z.string().min(1).max(2048)).optional(),
    })
    .optional(),
  minMinutes: z.number().min(0).max(1440).default(0),
});

const level = z.strictObject({ enter: z.number(), exit: z.number().optional() });

const threshold = z
  .strictObject({
    id: idText,
    metric: metricSchema,
    enter: z.number().describe('At this value or above the account is in'),
    exit: z.number().optional().describe('Below this it is out again; default enter'),
    cooldown: durationSchema.default(0).describe('After an alert `up`, further ones are held back and counted for so long'),
    filter: accountFilterSchema.optional(),
    byTier: z.record(idText, level).optional().describe('Other values for accounts of these tiers'),
  })
  .describe('Alerts when a metric of an account crosses a value');

const criterion = z.strictObject({
  id: idText.optional().describe('Default: the metric'),
  metric: metricSchema,
  atLeast: z.number(),
  byTier: z.record(idText, z.number()).optional().describe('Other values for accounts of these tiers'),
});

const qualification = z
  .strictObject({
    filter: accountFilterSchema.optional().describe('Ideal customers: only these can qualify'),
    exclude: accountFilterSchema.optional().describe('These never qualify'),
    atLeast: z.int().min(1).max(32).describe('So many of the criteria must be met'),
    of: z.array(criterion).min(1).max(32),
    minContacts: z.int().min(1).max(1000).default(2).describe('Engaged contacts that it takes: one alone cannot qualify an account'),
    actNow: z.array(touchPattern).max(32).default([]).describe('A touch like these qualifies at once, whatever else holds'),
    actNowDays: z.int().min(1).max(90).default(30).describe('Days for which such a touch counts'),
  })
  .refine(({ atLeast, of }) => atLeast <= of.length, { path: ['atLeast'], message: 'must not be more than there are criteria' })
  .describe('When an account is a marketing qualified account (MQA)');

const stage = z
  .strictObject({
    id: idText,
    name: z.string().max(128).optional(),
    engaged: z.literal(true).optional(),
    qualified: z.literal(true).optional(),
    opportunity: z.enum(['any', 'open', 'won', 'lost']).optional(),
    metrics: z.array(criterion).max(32).optional().describe('All of them must be met'),
  })
  .describe('An account is in the last stage of the list whose conditions all hold');

const surge = z
  .strictObject({
    metric: z.enum(['touches', 'minutes']).default('touches'),
    ratio: z.number().min(1).max(1000).default(3).describe("This week against the mean of the account's own three weeks before"),
    minimum: z.number().min(0).default(10).describe('Less than this in a week is no surge'),
    fleetRatio: z.number().min(0).max(1000).default(1.5).describe('Its growth must also be so many times that of all accounts together'),
    cooldown: durationSchema.default('7d'),
    filter: accountFilterSchema.optional(),
  })
  .describe('When an account does far more than it usually does, and than all accounts do');

const watch = z.discriminatedUnion('kind', [
  z.strictObject({
    id: idText,
    kind: z.literal('role_silent'),
    role: idText,
    days: z.int().min(1).max(90).default(21),
    filter: accountFilterSchema.optional(),
  }),
  z.strictObject({
    id: idText,
    kind: z.literal('single_threaded'),
    minTouches: z.int().min(1).default(5),
    filter: accountFilterSchema.optional(),
  }),
  z.strictObject({ id: idText, kind: z.literal('role_engaged'), role: idText, filter: accountFilterSchema.optional() }),
]);

/** The fields of a scoring model that alerts come from. */
export const alertRuleFields = {
  thresholds: z.array(threshold).max(64).default([]),
  qualification: qualification.optional(),
  stages: z.array(stage).max(32).default([]),
  surge: surge.optional(),
  watches: z.array(watch).max(32).default([]).describe('What of the buying committee is watched'),
};

export type Threshold = z.output<typeof threshold>;
export type Criterion = z.output<typeof criterion>;
export type Qualification = z.output<typeof qualification>;
export type Stage = z.output<typeof stage>;
export type Surge = z.output<typeof surge>;
export type Watch = z.output<typeof watch>;
export type AlertFilter = z.output<typeof accountFilterSchema>;
export type TouchPattern = z.output<typeof touchPattern>;

interface AlertRules {
  readonly thresholds: readonly Threshold[];
  readonly qualification?: Qualification | undefined;
  readonly stages: readonly Stage[];
  readonly watches: readonly Watch[];
}

/** Every metric that rules of a model name. */
function* metricsOf({ qualification, stages, thresholds }: Pick<AlertRules, 'qualification' | 'stages' | 'thresholds'>): Generator<string> {
  for (const { metric } of thresholds) yield metric;
  for (const { metric } of qualification?.of ?? []) yield metric;
  for (const { metrics = [] } of stages) for (const { metric } of metrics) yield metric;
}

/** The kinds of touches that alerts ask for by name: these are always told apart. */
export function kindsWatched(rules: Pick<AlertRules, 'qualification' | 'stages' | 'thresholds'>): string[] {
  const ofMetrics = [...metricsOf(rules)].filter((metric) => metric.startsWith('kind.')).map((metric) => metric.split('.')[1]!);
  return [...new Set([...ofMetrics, ...(rules.qualification?.actNow ?? []).map(({ kind }) => kind)])];
}

/** The roles that are watched. */
export function rolesWatched({ watches }: Pick<AlertRules, 'watches'>): string[] {
  return watches.flatMap((each) => ('role' in each ? [each.role] : []));
}

/** What alerts name the rules by of which a model has one. */
const NAMED: ReadonlySet<string> = new Set(['qualification', 'stages', 'surge']);

/** Ids that alerts are told apart by must not repeat; what is wrong, with its path. */
export function* problemsOfAlertRules({
  stages,
  thresholds,
  watches,
}: AlertRules): Generator<{ path: (string | number)[]; message: string }> {
  const rules = new Set<string>();
  for (const [name, list] of [
    ['thresholds', thresholds],
    ['watches', watches],
  ] as const) {
    for (const [index, { id }] of list.entries()) {
      if (NAMED.has(id)) yield { path: [name, index, 'id'], message: `id '${id}' is taken: alerts name the rule ${id} of the model by it` };
      if (rules.has(id)) yield { path: [name, index, 'id'], message: `id '${id}' is taken: thresholds and watches share their ids` };
      rules.add(id);
    }
  }
  const seen = new Set<string>();
  for (const [index, { id }] of stages.entries()) {
    if (seen.has(id)) yield { path: ['stages', index, 'id'], message: `stage id '${id}' is used twice` };
    seen.add(id);
  }
  for (const [index, { byTier = {}, enter, exit = enter }] of thresholds.entries()) {
    if (exit > enter) yield { path: ['thresholds', index, 'exit'], message: 'must not be above enter' };
    for (const [tier, one] of Object.entries(byTier)) {
      if ((one.exit ?? one.enter) > one.enter)
        yield { path: ['thresholds', index, 'byTier', tier, 'exit'], message: 'must not be above enter' };
    }
  }
}
