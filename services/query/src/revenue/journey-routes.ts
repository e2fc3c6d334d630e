import { csvOf, linkToNext, prefersCsv } from '@touchstone/runtime';
import { JOURNEY_DIMENSIONS, JOURNEYS, type Journey, type JourneyDimension, type StageFigures, type StageQuery } from '@touchstone/store';
import { z } from 'zod';
import { askedAt, time, timeText } from '../answers.ts';
import { decodeCursor, encodeCursor } from '../cursors.ts';
import type { QueryApp, QueryOptions } from '../query-options.ts';
import { days, limit, TIME_MAX } from '../query-parameters.ts';
import type { KeptAnswers } from '../kept-answers.ts';
import { flowFields, flowOf, stagesInOrder } from '../stage-flow.ts';
import { filtersBy, filtersOf, period, periodOf, refused } from './revenue-query.ts';

const CSV = 'text/csv; charset=utf-8';
const DAY_MS = 86_400_000;
const STALLED_DAYS = 30;
/** Of groups, the largest: more rows are more than anybody compares. */
const GROUPS_MAX = 200;

const UNSTAGED = 'of opportunities that were told of only once they were closed nobody knows which stages they were in';

const scope = {
  journey: z
    .enum(JOURNEYS)
    .default('accounts')
    .describe('accounts in the stages of the scoring model, or opportunities in those of the CRM'),
  ...period,
  stalledDays: days(3660).default(STALLED_DAYS).describe(`In a stage for so many days it stalls; ${STALLED_DAYS} by default`),
  ...filtersBy(JOURNEY_DIMENSIONS),
};
const journeyQuery = z.strictObject({
  ...scope,
  by: z
    .enum(JOURNEY_DIMENSIONS)
    .optional()
    .describe('Compared by this besides, as account and opportunity are now; source is that of opportunities'),
});
const stalledQuery = z.strictObject({
  ...scope,
  stage: z.string().max(128).optional().describe('Only of this stage'),
  limit: limit(1000, 100),
  cursor: z.string().max(500).optional().describe('nextCursor of the page before; keep the other parameters'),
});

const stageSchema = z.object({
  stage: z.string(),
  name: z.string().nullable(),
  ...flowFields,
  previous: z.object(flowFields).describe('The same of the equally long period before'),
});

const answerSchema = z
  .object({
    journey: z.enum(JOURNEYS),
    from: time,
    to: time,
    stalledDays: z.number(),
    asOf: askedAt,
    by: z.enum(JOURNEY_DIMENSIONS).nullable(),
    data: z.array(stageSchema).describe('In the order of the journey'),
    unstaged: z
      .object({ opportunities: z.int(), reason: z.string().nullable().describe('Null where there are none') })
      .nullable()
      .describe('Closed in the period, and in no figure: told of only once they were closed. Null in the journey of accounts'),
    groups: z.array(z.object({ group: z.string().nullable().describe('Null for what has none'), data: z.array(stageSchema) })),
  })
  .meta({ id: 'Journey' });

const stalledSchema = z
  .object({
    data: z.array(
      z.object({
        stage: z.string(),
        accountId: z.string(),
        opportunityId: z.string().nullable().describe('Null in the journey of accounts'),
        since: time,
        days: z.number(),
      }),
    ),
    nextCursor: z.string().nullable().describe('Give it back as `cursor` for the next page; null on the last'),
  })
  .meta({ id: 'StalledPage' });

const place = z.object({ since: z.int().min(0).max(TIME_MAX), id: z.string().max(128) });

const EXAMPLE_FLOW = { balanceAtStart: 12, entered: 30, left: 25, balance: 17, conversion: 0.6, meanDays: 9.5, medianDays: 14, stalled: 4 };
const EXAMPLE = {
  journey: 'accounts',
  from: '2026-01-01T00:00:00.000Z',
  to: '2026-04-01T00:00:00.000Z',
  stalledDays: 30,
  asOf: '2026-04-02T00:00:00.000Z',
  by: null,
  data: [
    {
      stage: 'engaged',
      name: 'Engaged',
      ...EXAMPLE_FLOW,
      previous: { ...EXAMPLE_FLOW, balanceAtStart: 10, entered: 24, left: 22, balance: 12 },
    },
  ],
  unstaged: null,
  groups: [],
} satisfies z.input<typeof answerSchema>;

interface Options extends Pick<QueryOptions, 'clock' | 'modelStatus' | 'store'> {
  readonly kept: KeptAnswers;
}

/** What flows through the stages, and where it stays. */
export function registerJourneyRoutes(app: QueryApp, options: Options): void {
  const { clock, kept, store } = options;

  app.get(
    '/v1/journey',
    {
      config: { scope: 'read' },
      schema: {
        operationId: 'getJourney',
        summary: 'Per stage: balance, flow, conversion, days and what stalls, of accounts or of opportunities',
        description:
          'Accounts by the changes of stage as they were known then, each under the model in force at its time; opportunities by the versions of their facts, where a correction ' +
          'moves what it corrects. An opportunity that is closed is in no stage. Stages of opportunities come in the order in which these go through them on average. With ' +
          '`Accept: text/csv` as lines.',
        tags: ['kpis'],
        querystring: journeyQuery,
        response: {
          200: {
            description: 'The stages',
            content: {
              'application/json': { schema: answerSchema, example: EXAMPLE } as { schema: typeof answerSchema },
              'text/csv': { schema: z.string(), description: 'One line a stage and group' },
            },
          },
        },
      },
    },
    async (request, reply) => {
      const { by = null, stalledDays } = request.query;
      const {
        answer: { asked, grouped, unstaged, whole },
        asOf,
      } = await kept.get(['journey', request.query], (now) => askJourney(store, queryOf(request.query, now), by));
      const stages = stagesInOrder(whole[0], asked.journey === 'accounts' ? options.modelStatus().model : undefined);
      const tell = (now: readonly StageFigures[], then: readonly StageFigures[]) =>
        stages.map(({ name, stage }) => ({ stage, name, ...flowOf(now, stage), previous: flowOf(then, stage) }));
      const groups =
        by === null ? [] : [...Map.groupBy(grouped[0], ({ group }) => group)].toSorted(([, one], [, other]) => sizeOf(other) - sizeOf(one));
      const answer = {
        journey: asked.journey,
        from: timeText(asked.since),
        to: timeText(asked.until),
        stalledDays,
        asOf: timeText(asOf),
        by,
        data: tell(whole[0], whole[1]),
        unstaged: unstaged === null ? null : { opportunities: unstaged, reason: unstaged === 0 ? null : UNSTAGED },
        groups: groups.slice(0, GROUPS_MAX).map(([group, now]) => {
          const then = grouped[1].filter((one) => one.group === group);
          return { group: group || null, data: tell(now, then) };
        }),
      };
      reply.header('vary', 'accept');
      if (!prefersCsv(request.headers.accept)) return reply.send(answer);
      const lines = [{ group: '', data: answer.data }, ...answer.groups].flatMap(({ data, group }) =>
        data.map((one) => ({ group: group ?? '(none)', ...one })),
      );
      return reply
        .type(CSV)
        .serializer(String)
        .send(csvOf(['group', 'stage', 'name', ...Object.keys(flowFields)], lines));
    },
  );

  app.get(
    '/v1/journey/stalled',
    {
      config: { scope: 'read' },
      schema: {
        operationId: 'listStalled',
        summary: 'What has been in its stage for long, the longest first',
        description: 'With `Accept: text/csv` the page comes as CSV.',
        tags: ['kpis'],
        querystring: stalledQuery,
        response: {
          200: {
            description: 'A page of accounts or opportunities',
            content: {
              'application/json': { schema: stalledSchema },
              'text/csv': { schema: z.string(), description: 'The same as CSV' },
            },
          },
        },
      },
    },
    async (request, reply) => {
      const { cursor, limit: most, stage } = request.query;
      const query = queryOf(request.query, clock());
      const found = await store.stalledStays({
        ...query,
        limit: most + 1,
        ...(stage !== undefined && { stage }),
        ...(cursor !== undefined && { after: decodeCursor(cursor, place) }),
      });
      const page = found.slice(0, most);
      const last = found.length > most ? page.at(-1)! : null;
      const nextCursor = last && encodeCursor({ since: last.since, id: last.id });
      const data = page.map(({ accountId, id, since, stage: own }) => ({
        stage: own,
        accountId,
        opportunityId: query.journey === 'opportunities' ? id : null,
        since: timeText(since),
        days: (query.until - since) / DAY_MS,
      }));
      reply.header('vary', 'accept');
      if (!prefersCsv(request.headers.accept)) return reply.send({ data, nextCursor });
      if (nextCursor !== null) reply.header('link', linkToNext(request.url, nextCursor));
      return reply
        .type(CSV)
        .serializer(String)
        .send(csvOf(['stage', 'accountId', 'opportunityId', 'since', 'days'], data));
    },
  );
}

interface ScopeInput {
  readonly journey: Journey;
  readonly from?: number | undefined;
  readonly to?: number | undefined;
  readonly stalledDays: number;
  readonly by?: JourneyDimension | undefined;
}

type JourneyQuery = StageQuery & { readonly journey: Journey };

function queryOf(query: ScopeInput, now: number): JourneyQuery {
  const filters = filtersOf(query);
  if (query.journey === 'accounts') {
    if (query.by === 'source') throw refused('by', 'must be another than source in the journey of accounts: only opportunities have one');
    if (filters.source !== undefined) throw refused('filter.source', 'is of opportunities: accounts have none');
  }
  const { from, to } = periodOf(query, now);
  return {
    journey: query.journey,
    since: from,
    until: to,
    stalledSince: Math.max(0, Math.floor(to - query.stalledDays * DAY_MS)),
    filters,
  };
}

/** The figures of the period and of the one before, of everything and by group. */
async function askJourney(
  store: Pick<QueryOptions['store'], 'stageFigures' | 'unstagedOpportunities'>,
  asked: JourneyQuery,
  by: JourneyDimension | null,
) {
  const length = asked.until - asked.since;
  const back = (instant: number): number => Math.max(0, instant - length);
  const before = { ...asked, since: back(asked.since), until: asked.since, stalledSince: back(asked.stalledSince) };
  // Not at once: the embedded store answers one after the other anyway.
  const whole = [await store.stageFigures(asked), await store.stageFigures(before)] as const;
  const grouped =
    by === null ? whole : ([await store.stageFigures({ ...asked, by }), await store.stageFigures({ ...before, by })] as const);
  const { filters = {}, since: from, until: to } = asked;
  const unstaged = asked.journey === 'opportunities' ? await store.unstagedOpportunities({ from, to, filters }) : null;
  return { asked, whole, grouped, unstaged };
}

function sizeOf(figures: readonly StageFigures[]): number {
  return figures.reduce((sum, { balance, entered }) => sum + balance + entered, 0);
}
