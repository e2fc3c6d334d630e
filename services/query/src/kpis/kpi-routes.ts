import { PERIOD, SERIES_MAX, type KpiAnswer } from '@touchstone/kpis';
import { csvOf, prefersCsv, ProblemError } from '@touchstone/runtime';
import { KPIS, type StoredKpi } from '@touchstone/store';
import { z } from 'zod';
import { timeText } from '../answers.ts';
import type { QueryApp, QueryOptions } from '../query-options.ts';
import { KpiBook } from './kpi-book.ts';
import { keepKpiGauges } from './kpi-gauges.ts';
import { kpiListQuery, kpiQuery, questionOf, type KpiQueryInput, type QuestionSurroundings } from './kpi-query.ts';
import { ELSEWHERE, KPI_COLUMNS, KPI_EXAMPLES, kpiAnswer, kpiListSchema, kpiSchema, LIST_COLUMNS, summaryAnswer } from './kpi-schemas.ts';
import { registerKpiTargetRoute } from './kpi-target-route.ts';

const CSV = 'text/csv; charset=utf-8';
const NAMES = KPIS.map(({ name }) => name) as [string, ...string[]];
const params = z.object({
  name: z
    .enum([...NAMES, ...ELSEWHERE.map(({ name }) => name)])
    .describe('404 for those under `elsewhere` of the list, with where they are served'),
});

const KPI_LIST = KPIS.map(({ formula, name, title }) => `- \`${name}\`, ${title}: ${formula}`).join('\n');

/** The numbers a revenue team is judged by. */
export function registerKpiRoutes(
  app: QueryApp,
  options: Pick<QueryOptions, 'clock' | 'kpiSettings' | 'metrics' | 'modelStatus' | 'store'>,
): void {
  const { clock, kpiSettings, metrics, store } = options;
  const book = new KpiBook({ store, clock });

  async function surroundings(): Promise<QuestionSurroundings> {
    const { qualification, roles, wantedRoles } = options.modelStatus().model;
    const settings = { ...kpiSettings, rolesWanted: wantedRoles ?? Object.keys(roles), hasQualification: qualification !== undefined };
    return { now: clock(), settings, targets: await book.targets() };
  }

  async function ask(kpi: StoredKpi, query: KpiQueryInput) {
    const around = await surroundings();
    const question = questionOf(kpi, query, around);
    const { plan, settings, target } = question.asked;
    const key = [kpi.name, query, plan.spans[PERIOD]!.from, target, settings.rolesWanted, settings.hasQualification];
    return { question, ...(await book.answer(key, (now) => questionOf(kpi, query, { ...around, now }))) };
  }

  registerKpiTargetRoute(app, { book, clock, store });
  keepKpiGauges({
    app,
    metrics,
    ask: async (kpi) => (await ask(kpi, kpiQuery.parse({}))).answer,
    // The stored touches are being read then, which somebody waits for.
    isHeldUp: () => options.modelStatus().rescoringTo !== null,
  });

  app.get(
    '/v1/kpis',
    {
      config: { scope: 'read' },
      schema: {
        operationId: 'listKpis',
        summary: 'All KPIs of a period, each with the period before',
        description: `Each with its value, numerator and denominator, or the reason why there is none. With \`Accept: text/csv\` as CSV.\n\n${KPI_LIST}`,
        tags: ['kpis'],
        querystring: kpiListQuery,
        response: {
          200: {
            description: 'The KPIs',
            content: {
              'application/json': { schema: kpiListSchema },
              'text/csv': { schema: z.string(), description: 'One line a KPI' },
            },
          },
        },
      },
    },
    async (request, reply) => {
      const answers = [];
      for (const kpi of KPIS) answers.push(await ask(kpi, request.query));
      const [{ from, timeZone, to }] = answers.map(({ answer }) => answer) as [KpiAnswer];
      const asOf = timeText(Math.min(...answers.map((one) => one.asOf)));
      reply.header('vary', 'accept');
      const data = answers.map(({ answer }) => summaryAnswer(answer));
      if (!prefersCsv(request.headers.accept))
        return reply.send({ from: timeText(from), to: timeText(to), timeZone, asOf, data, elsewhere: [...ELSEWHERE] });
      const lines = data.map((one) => ({ ...one, previous: one.previous.value, change: one.change.absolute }));
      return reply.type(CSV).serializer(String).send(csvOf(LIST_COLUMNS, lines));
    },
  );

  app.get(
    '/v1/kpis/:name',
    {
      config: { scope: 'read' },
      schema: {
        operationId: 'getKpi',
        summary: 'One KPI: value, series, segments and benchmark',
        description:
          `Value, numerator and denominator of the period, or the reason why there is none; the same of the period before, of each interval (at most ` +
          `${SERIES_MAX}) and of each segment. All amounts of an answer are in one currency. With \`Accept: text/csv\`: period, series and segments as lines.\n\n${KPI_LIST}`,
        tags: ['kpis'],
        params,
        querystring: kpiQuery,
        response: {
          200: {
            description: 'The KPI',
            content: {
              'application/json': { schema: kpiSchema, examples: KPI_EXAMPLES } as { schema: typeof kpiSchema },
              'text/csv': { schema: z.string(), description: 'The period, then the series, then the segments' },
            },
          },
        },
      },
    },
    async (request, reply) => {
      const kpi = KPIS.find(({ name }) => name === request.params.name);
      if (kpi === undefined) {
        const { name, url } = ELSEWHERE.find((one) => one.name === request.params.name)!;
        throw new ProblemError('not_found', `${name} is no single number: it is served at ${url}`);
      }
      const { answer, asOf, question } = await ask(kpi, request.query);
      const told = kpiAnswer(kpi, answer, { asOf, computedFrom: 'store', parameters: question.asked.parameters });
      reply.header('vary', 'accept');
      if (!prefersCsv(request.headers.accept)) return reply.send(told);
      const { from, to } = told;
      const lines = [
        told,
        ...told.series,
        ...told.segments.map((segment) => ({ from, to, ...segment, segment: segment.segment ?? '(none)' })),
      ];
      return reply.type(CSV).serializer(String).send(csvOf(KPI_COLUMNS, lines));
    },
  );
}
