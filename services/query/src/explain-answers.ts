import {
  CHANGE_CAUSES,
  scoreOf,
  type AccountPast,
  type Explanation,
  type Nearest,
  type PointsDiff,
  type QualificationStanding,
} from '@touchstone/engine';
import { z } from 'zod';
import { time, timeText } from './answers.ts';

/** The shapes of explanations, once: they serialise, and document. */

const capped = z
  .object({ touches: z.int(), worth: z.number(), points: z.number() })
  .describe('What the daily cap of a rule took: these touches count, and bring nothing');

const figures = {
  touches: z.int().describe('Touches that a rule matches; one that two rules match counts for both'),
  worth: z.number().describe('What they are worth by the rules, not faded, without those that a cap took'),
};
const points = z.number().describe('worth x decay x multiplier, with its last digits so that all points add up');

const partSchema = z
  .object({
    contactId: z.string().nullable().optional().describe('null for touches of nobody known'),
    role: z.string().nullable().optional().describe('Role of the contact, as known then'),
    ruleId: z.string().optional(),
    kind: z.string().optional().describe('Kind of touch'),
    campaignId: z.string().nullable().optional(),
    channel: z.string().nullable().optional(),
    ...figures,
    decay: z.number().nullable().describe('Share of the worth that is left, on average; null where nothing is worth anything'),
    multiplier: z.number().nullable().describe('Of the role; null where there are several'),
    points,
    capped,
  })
  .describe('Fields of what is not told apart, by groupBy, are absent')
  .meta({ id: 'ExplainedPart' });

const wouldDoSchema = z
  .object({
    ruleId: z.string(),
    kind: z.string(),
    touches: z.int().nullable().describe('Without minutes; null where such touches bring nothing'),
    lasting: z.object({ minutes: z.number(), touches: z.int() }).nullable().describe('So many if each lasts so long'),
    dailyCap: z.int().nullable().describe('Of one contact and day at most so many count'),
  })
  .describe('Touches of one kind, all at once, by contacts without a role, that would bring what is missing')
  .meta({ id: 'WouldDo' });

const nearestSchema = z
  .object({
    thresholds: z.array(
      z
        .object({
          id: z.string(),
          metric: z.string(),
          value: z.number(),
          enter: z.number().describe('For an account of this tier'),
          exit: z.number(),
          reached: z.boolean(),
          missing: z.number().describe('To enter, in the metric; 0 when it is reached'),
          pointsMissing: z
            .number()
            .nullable()
            .describe('The same in points; null for other metrics than score and points, and for a score that no number of points gives'),
          wouldDo: z.array(wouldDoSchema),
        })
        .meta({ id: 'NearestThreshold' }),
    ),
    qualification: z
      .object({
        qualified: z.boolean(),
        candidate: z.boolean().describe('Whether it can qualify at all: it passes the filter, and is not excluded'),
        actNow: z.boolean().describe('Whether a touch that is to be acted on now qualifies it, whatever else holds'),
        near: z.boolean().describe('It misses one criterion and nothing else, or contacts and nothing else'),
        criteria: z.array(z.object({ id: z.string(), metric: z.string(), value: z.number(), atLeast: z.number(), met: z.boolean() })),
        criteriaMissing: z.int().describe('So many more of the criteria it takes'),
        contactsMissing: z.int().describe('So many more engaged contacts it takes'),
      })
      .nullable()
      .meta({ id: 'NearestQualification' }),
  })
  .describe('What is missing to the thresholds of the model, the nearest first, and to being qualified')
  .meta({ id: 'Nearest' });

const rounding = z.array(z.number()).describe('To be added last: what no part has digits for. Empty but where parts cancel each other out');

export const explanationSchema = z
  .object({
    accountId: z.string(),
    asOf: time,
    version: z.int().describe('Offset of the last touch or fact that was known'),
    modelVersion: z.string().describe('The model that was in force'),
    points: z.number().describe('As served for that instant'),
    score: z.number(),
    touches: z.int().describe('Counted touches that were known'),
    touchesWithoutRule: z.int().describe('Of these, those that no rule of the model matches'),
    parts: z
      .array(partSchema)
      .describe(
        'Those that bring most first. Their points, then those of rest and of rounding, added from left to right, are exactly points',
      ),
    rest: z
      .object({ parts: z.int(), ...figures, points, capped })
      .nullable()
      .describe('The parts beyond the limit, together; null when all are listed'),
    rounding,
    nearest: nearestSchema,
  })
  .meta({
    id: 'Explanation',
    examples: [
      {
        accountId: 'acme.example',
        asOf: '2026-11-27T09:00:00.000Z',
        version: 1742,
        modelVersion: 'default-1',
        points: 43.75,
        score: 26.16,
        touches: 9,
        touchesWithoutRule: 0,
        parts: [
          {
            contactId: 'ada',
            role: 'decision_maker',
            ruleId: 'meeting',
            kind: 'meeting',
            campaignId: null,
            touches: 1,
            worth: 45,
            decay: 0.5,
            multiplier: 1.5,
            points: 33.75,
            capped: { touches: 0, worth: 0, points: 0 },
          },
          {
            contactId: 'bo',
            role: null,
            ruleId: 'ad_click',
            kind: 'ad_click',
            campaignId: 'spring',
            touches: 8,
            worth: 10,
            decay: 1,
            multiplier: 1,
            points: 10,
            capped: { touches: 3, worth: 6, points: 6 },
          },
        ],
        rest: null,
        rounding: [],
        nearest: {
          thresholds: [
            {
              id: 'hot',
              metric: 'points',
              value: 43.75,
              enter: 100,
              exit: 80,
              reached: false,
              missing: 56.25,
              pointsMissing: 56.25,
              wouldDo: [
                { ruleId: 'meeting', kind: 'meeting', touches: 2, lasting: { minutes: 120, touches: 1 }, dailyCap: null },
                { ruleId: 'form_fill', kind: 'form_fill', touches: 4, lasting: null, dailyCap: 2 },
              ],
            },
          ],
          qualification: null,
        },
      },
    ],
  });

const side = z.object({ asOf: time, points: z.number(), score: z.number(), version: z.int().nullable(), modelVersion: z.string() });

export const diffSchema = z
  .object({
    accountId: z.string(),
    from: side.describe('version is null where nothing was known of the account'),
    to: side,
    change: z.number().describe('Points at `to` less those at `from`. The parts in their order, then rounding, add up to exactly this'),
    parts: z
      .object({
        touches: z.number().describe('Touches appended in between, late ones too, with what they have faded since'),
        decay: z.number().describe('What was there has faded'),
        identity: z.number().describe('Roles that became known in between'),
        model: z.number().describe('Another model took over in between'),
        correction: z.number().describe('Touches that were taken back; none are yet'),
      })
      .describe('What the change comes from'),
    rounding,
    newTouches: z.int().describe('Counted touches that were appended in between'),
    lateTouches: z.int().describe('Of these, those that had occurred before `from`'),
  })
  .meta({
    id: 'ExplainedChange',
    examples: [
      {
        accountId: 'acme.example',
        from: { asOf: '2026-11-20T09:00:00.000Z', points: 60, score: 34.02, version: 1200, modelVersion: 'default-1' },
        to: { asOf: '2026-11-27T09:00:00.000Z', points: 67.5, score: 37.37, version: 1742, modelVersion: 'default-1' },
        change: 7.5,
        parts: { touches: 15, decay: -17.5, identity: 10, model: 0, correction: 0 },
        rounding: [],
        newTouches: 3,
        lateTouches: 0,
      },
    ],
  });

export const partColumns = {
  part: ['contactId', 'role', 'ruleId', 'kind', 'campaignId'],
  contact: ['contactId', 'role'],
  rule: ['ruleId', 'kind'],
  campaign: ['campaignId'],
  kind: ['kind'],
  channel: ['channel'],
} as const;
export const figureColumns = ['touches', 'worth', 'decay', 'multiplier', 'points', 'cappedTouches', 'cappedWorth', 'cappedPoints'] as const;

/** The parts as flat rows; the rest and the rounding are rows of their own, so that the column of points adds up as well. */
export function partRows({ parts, rest, rounding }: Explanation): object[] {
  const flat = <Row extends { capped: Explanation['parts'][number]['capped'] }>({ capped: took, ...row }: Row) => ({
    ...row,
    cappedTouches: took.touches,
    cappedWorth: took.worth,
    cappedPoints: took.points,
  });
  return [...parts.map(flat), ...(rest === null ? [] : [flat(rest)]), ...rounding.map((more) => ({ points: more }))];
}

export function explanationAnswer(past: AccountPast, explanation: Explanation, nearest: Nearest): z.input<typeof explanationSchema> {
  const { modelVersion, score, version } = past.view!;
  const { parts, rounding, ...rest } = explanation;
  return {
    accountId: past.accountId,
    asOf: timeText(past.asOf),
    version,
    modelVersion,
    score,
    ...rest,
    parts: [...parts],
    rounding: [...rounding],
    nearest: nearestAnswer(nearest),
  };
}

function nearestAnswer({ qualification, thresholds }: Nearest): z.input<typeof nearestSchema> {
  return {
    thresholds: thresholds.map(({ isReached, wouldDo, ...threshold }) => ({ ...threshold, reached: isReached, wouldDo: [...wouldDo] })),
    qualification: qualification && qualificationAnswer(qualification),
  };
}

function qualificationAnswer({ criteria, ...standing }: QualificationStanding): z.input<typeof nearestSchema>['qualification'] {
  const { contactsMissing, criteriaMissing, isActNow, isCandidate, isNear, isQualified } = standing;
  return {
    qualified: isQualified,
    candidate: isCandidate,
    actNow: isActNow,
    near: isNear,
    criteria: criteria.map(({ isMet, ...criterion }) => ({ ...criterion, met: isMet })),
    criteriaMissing,
    contactsMissing,
  };
}

export function diffAnswer(before: AccountPast, after: AccountPast, diff: PointsDiff): z.input<typeof diffSchema> {
  const { change, lateTouches, newTouches, parts, rounding } = diff;
  const sideOf = (past: AccountPast) => ({
    asOf: timeText(past.asOf),
    points: past.points,
    score: scoreOf(past.points, past.model.halfScorePoints),
    version: past.view?.version ?? null,
    modelVersion: past.model.version,
  });
  return {
    accountId: after.accountId,
    from: sideOf(before),
    to: sideOf(after),
    change,
    parts: Object.fromEntries(CHANGE_CAUSES.map((cause) => [cause, parts[cause]])) as Record<(typeof CHANGE_CAUSES)[number], number>,
    rounding: [...rounding],
    newTouches,
    lateTouches,
  };
}
