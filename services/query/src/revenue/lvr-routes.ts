import type { AccountFact, LedgerSet } from '@touchstone/engine';
import { monthPace, monthsUpTo, QUALIFIED_BY, whyUnqualified, type MonthPace } from '@touchstone/kpis';
import { csvOf, prefersCsv } from '@touchstone/runtime';
import { LEAD_SEGMENTS, type LeadSegment, type QualifiedQuery } from '@touchstone/store';
import { z } from 'zod';
import { askedAt, time, timeText } from '../answers.ts';
import type { QueryApp, QueryOptions } from '../query-options.ts';
import { limit } from '../query-parameters.ts';
import type { ConstantModel } from './constant-model.ts';
import type { KeptAnswers } from '../kept-answers.ts';
import {
  type Counted,
  countSpans,
  modelAnswers,
  segmentAnswers,
  SERIES,
  seriesAnswer,
  unknownVelocity,
  velocityAnswer,
} from './lvr-answers.ts';
import { filtersBy, filtersOf, refused, timeZone } from './revenue-query.ts';

const CSV = 'text/csv; charset=utf-8';
const MINUTE_MS = 60_000;

const lvrQuery = z.strictObject({
  month: z
    .string()
    .regex(/^(?:19[7-9]\d|[2-9]\d{3})-(?:0[1-9]|1[0-2])$/, 'must be a month from 1970 on, such as 2026-03')
    .optional()
    .describe('Default: the current one'),
  timeZone,
  qualifiedBy: z
    .enum(QUALIFIED_BY)
    .optional()
    .describe(
      'Who says that a lead is qualified: the CRM, the engine (its account became an MQA), either, or both; default as the settings say',
    ),
  segmentBy: z.enum(LEAD_SEGMENTS).optional().describe('Each value of this, as accounts are now, comes with it as a segment'),
  ...filtersBy(LEAD_SEGMENTS),
  months: limit(36, 12),
  constantModel: z
    .enum(['true', 'false'])
    .default('false')
    .describe(
      'Whether it is told under one constant model besides: the first time it is computed in the background, from the stored touches',
    ),
});

const velocity = {
  thisMonth: z
    .int()
    .nullable()
    .describe('Qualified leads of the month, so far; null where the model in force qualifies nobody and its word is asked for'),
  lastMonth: z.int().nullable().describe('Of the month before, the whole of it'),
  lastMonthToPoint: z.int().nullable().describe('Of the month before up to the same day at the same time'),
  value: z.number().nullable().describe('(thisMonth - lastMonth) / lastMonth x 100'),
  paced: z.number().nullable().describe('(thisMonth - lastMonthToPoint) / lastMonthToPoint x 100'),
  projectedLeads: z.number().nullable().describe('thisMonth / elapsed; null within the first day'),
  projected: z.number().nullable().describe('(projectedLeads - lastMonth) / lastMonth x 100'),
  reasons: z
    .object({ value: z.string().nullable(), paced: z.string().nullable(), projected: z.string().nullable() })
    .describe('Why a figure is null; null where it is not'),
};

const answerSchema = z
  .object({
    month: z.string(),
    from: time,
    to: time.describe('Up to when leads are counted'),
    timeZone: z.string(),
    asOf: askedAt,
    qualifiedBy: z.enum(QUALIFIED_BY),
    elapsed: z.number().min(0).max(1).describe('How much of the month is over, by time'),
    ...velocity,
    models: z
      .array(z.object({ modelVersion: z.string(), thisMonth: z.int(), lastMonth: z.int() }))
      .describe('By the model that qualified the accounts then: where there are several, the definition moved'),
    constantModel: z
      .object({
        modelVersion: z.string().nullable(),
        asOf: time.nullable().describe('Up to when the stored touches were applied'),
        reason: z.string().nullable().describe('Why there are no figures; null where there are'),
        figures: z.object(velocity).nullable(),
        segments: z.array(z.object({ segment: z.string().nullable(), ...velocity })),
      })
      .describe(
        'Had the model in force been in force always: growth that is left here is none of a moved threshold. Of accounts that the engine qualifies',
      ),
    segmentBy: z.enum(LEAD_SEGMENTS).nullable(),
    segments: z
      .array(z.object({ segment: z.string().nullable().describe('Null for what has none'), ...velocity }))
      .describe('They add up to the whole'),
    series: z
      .array(
        z.object({ month: z.string(), qualifiedLeads: z.int().nullable(), value: z.number().nullable(), reason: z.string().nullable() }),
      )
      .describe('The latest month first; the one that goes on as it is so far'),
  })
  .meta({ id: 'LeadVelocity' });

const EXAMPLE_VELOCITY = {
  thisMonth: 24,
  lastMonth: 40,
  lastMonthToPoint: 20,
  value: -40,
  paced: 20,
  projectedLeads: 48,
  projected: 20,
  reasons: { value: null, paced: null, projected: null },
};
const EXAMPLE = {
  month: '2026-04',
  from: '2026-04-01T00:00:00.000Z',
  to: '2026-04-16T00:00:00.000Z',
  timeZone: 'UTC',
  asOf: '2026-04-16T00:00:00.000Z',
  qualifiedBy: 'mqa',
  elapsed: 0.5,
  ...EXAMPLE_VELOCITY,
  models: [{ modelVersion: '2026-02', thisMonth: 24, lastMonth: 40 }],
  constantModel: { modelVersion: null, asOf: null, reason: 'not asked for', figures: null, segments: [] },
  segmentBy: null,
  segments: [],
  series: [{ month: '2026-04', qualifiedLeads: 24, value: -40, reason: null }],
} satisfies z.input<typeof answerSchema>;

type Month = ReturnType<typeof monthsUpTo>[number];

interface Options extends Pick<QueryOptions, 'kpiSettings' | 'ledgers' | 'modelStatus' | 'store'> {
  readonly kept: KeptAnswers;
  readonly constantModel: ConstantModel;
}

/** Growth of qualified leads from month to month. */
export function registerLvrRoutes(app: QueryApp, options: Options): void {
  const { constantModel, kept, kpiSettings, ledgers, modelStatus, store } = options;

  app.get(
    '/v1/lvr',
    {
      config: { scope: 'read' },
      schema: {
        operationId: 'getLeadVelocity',
        summary: 'Lead velocity rate: this month against the last, paced and projected',
        description:
          'Qualified leads of the month so far against the whole month before, against the month before up to the same day at the same time, and as projected to the end of the month. An account ' +
          'that qualifies several times in a month counts once. Each qualification stands under the model of its time; `constantModel=true` tells besides what it had been under the one in ' +
          'force. With `Accept: text/csv`: the month, then the segments, as lines.',
        tags: ['kpis'],
        querystring: lvrQuery,
        response: {
          200: {
            description: 'The rate',
            content: {
              'application/json': { schema: answerSchema, example: EXAMPLE } as { schema: typeof answerSchema },
              'text/csv': { schema: z.string(), description: 'The month, then the segments' },
            },
          },
        },
      },
    },
    async (request, reply) => {
      const { months: count, timeZone: zone } = request.query;
      const qualifiedBy = request.query.qualifiedBy ?? kpiSettings.qualifiedBy;
      const by = request.query.segmentBy ?? null;
      const filters = filtersOf<LeadSegment>(request.query);
      const {
        answer: { months, pace, rows, spans },
        asOf,
      } = await kept.get(['lvr', request.query.month, zone, count, qualifiedBy, by, filters], async (now) => {
        const pace = paceOf(request.query.month, zone, now);
        const months = monthsUpTo(pace.month, count + 1, zone);
        const spans = [pace.toDate, pace.lastMonth, pace.lastMonthToPoint, ...months].map(({ from, to }) => ({ from, to }));
        spans[SERIES] = pace.toDate;
        const asked: QualifiedQuery = { spans, qualifiedBy, qualifiedStatuses: kpiSettings.qualifiedStatuses, by, filters };
        return { months, pace, spans, rows: await store.qualifiedLeads(asked) };
      });
      const { elapsed } = pace;
      const { model } = modelStatus();
      const unqualified = whyUnqualified(qualifiedBy, { hasQualification: model.qualification !== undefined });
      const whole = unqualified === null ? knownAnswer(rows, pace, months, by) : unknownAnswer(unqualified, months);
      const constant = request.query.constantModel === 'true' ? constantModel.ask(model) : NOT_ASKED;
      const answer = {
        month: pace.month,
        from: timeText(pace.toDate.from),
        to: timeText(pace.toDate.to),
        timeZone: zone,
        asOf: timeText(asOf),
        qualifiedBy,
        elapsed,
        ...whole,
        constantModel: constantAnswer(
          constant,
          (qualifications) => countSpans(qualifications, spans, segmentOf(ledgers, by, filters)),
          elapsed,
        ),
        segmentBy: by,
      };
      reply.header('vary', 'accept');
      if (!prefersCsv(request.headers.accept)) return reply.send(answer);
      const lines = [
        { ...answer, segment: '' },
        ...answer.segments.map(({ segment, ...rest }) => ({ ...rest, segment: segment ?? '(none)' })),
      ];
      return reply
        .type(CSV)
        .serializer(String)
        .send(
          csvOf(
            COLUMNS,
            lines.map((line) => ({ ...line, month: pace.month })),
          ),
        );
    },
  );
}

type Whole = Pick<z.input<typeof answerSchema>, keyof typeof velocity | 'models' | 'segments' | 'series'>;

function knownAnswer(rows: readonly Counted[], { elapsed }: MonthPace, months: readonly Month[], by: LeadSegment | null): Whole {
  return {
    ...velocityAnswer(rows, elapsed),
    models: modelAnswers(rows),
    segments: by === null ? [] : segmentAnswers(rows, elapsed),
    series: seriesAnswer(
      rows,
      months.map(({ month }) => month),
    ),
  };
}

function unknownAnswer(reason: string, months: readonly Month[]): Whole {
  const series = months.slice(0, -1).map(({ month }) => ({ month, qualifiedLeads: null, value: null, reason }));
  return { ...unknownVelocity(reason), models: [], segments: [], series };
}

const COLUMNS = ['month', 'segment', ...Object.keys(velocity).filter((column) => column !== 'reasons')];

/** The month asked for as it is now, or as it was at its end. */
function paceOf(month: string | undefined, zone: string, now: number): MonthPace {
  // As of the end of the minute, so that questions within it have the same answer.
  const current = monthPace((Math.floor(now / MINUTE_MS) + 1) * MINUTE_MS, zone);
  if (month === undefined || month === current.month) return current;
  if (month > current.month) throw refused('month', `must not be after ${current.month}, the current one there`);
  const { to } = monthsUpTo(month, 1, zone)[0]!;
  const past = monthPace(to - 1, zone);
  return { ...past, toDate: past.whole, lastMonthToPoint: past.lastMonth, elapsed: 1 };
}

const NOT_ASKED = { qualifications: null, reason: 'not asked for' } as const;

function constantAnswer(
  constant: ReturnType<ConstantModel['ask']>,
  count: (qualifications: Parameters<typeof countSpans>[0]) => ReturnType<typeof countSpans>,
  elapsed: number,
): z.input<typeof answerSchema>['constantModel'] {
  if (constant.qualifications === null) return { modelVersion: null, asOf: null, reason: constant.reason, figures: null, segments: [] };
  const rows = count(constant.qualifications);
  return {
    modelVersion: constant.modelVersion,
    asOf: timeText(constant.asOf),
    reason: null,
    figures: velocityAnswer(rows, elapsed),
    segments: segmentAnswers(rows, elapsed),
  };
}

/** The segment of an account, '' for none; null where a filter leaves it out. */
function segmentOf(
  ledgers: LedgerSet,
  by: LeadSegment | null,
  filters: Partial<Record<LeadSegment, readonly string[]>>,
): (accountId: string) => string | null {
  return (accountId) => {
    const found = ledgers.find(accountId);
    const fact = found === null ? undefined : found.ledgers.accounts.facts.get(found.account);
    for (const [segment, values] of Object.entries(filters) as [LeadSegment, readonly string[]][]) {
      if (!values.includes(valueOf(fact, segment))) return null;
    }
    return by === null ? '' : valueOf(fact, by);
  };
}

function valueOf(fact: AccountFact | undefined, segment: LeadSegment): string {
  if (segment === 'targetList') return String(fact?.targetList === true);
  return fact?.[segment] ?? '';
}
