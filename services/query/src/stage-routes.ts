import { csvOf, prefersCsv, ProblemError } from '@touchstone/runtime';
import type { StalledStay } from '@touchstone/store';
import { z } from 'zod';
import { time, timeText } from './answers.ts';
import type { QueryApp, QueryOptions } from './query-options.ts';
import { days, instant } from './query-parameters.ts';
import { flowFields, flowOf, stagesInOrder } from './stage-flow.ts';

const DAY_MS = 86_400_000;
const DAYS = 90;
const STALLED_DAYS = 30;
/** Of a stage: `GET /v1/accounts?stage=` has the rest. */
const STALLED_MAX = 20;

const stageSchema = z
  .object({
    stage: z.string(),
    name: z.string().nullable(),
    inModel: z.boolean().describe('False for a stage of a former model'),
    ...flowFields,
    stalledAccounts: z
      .array(z.object({ accountId: z.string(), since: time, days: z.number() }))
      .describe(`Those of them that have been in it longest, at most ${STALLED_MAX}`),
  })
  .meta({ id: 'StageFigures' });

const answerSchema = z.object({ from: time, to: time, stalledDays: z.number(), data: z.array(stageSchema) }).meta({ id: 'Stages' });

const stagesQuery = z.strictObject({
  from: instant.optional(),
  to: instant.optional(),
  stalledDays: days(3660).default(STALLED_DAYS).describe(`In a stage for so many days an account stalls; ${STALLED_DAYS} by default`),
});

/** The journey of accounts through the stages. */
export function registerStageRoutes(app: QueryApp, options: Pick<QueryOptions, 'assertReady' | 'clock' | 'modelStatus' | 'store'>): void {
  const { clock, store } = options;

  app.get(
    '/v1/stages',
    {
      config: { scope: 'read' },
      schema: {
        operationId: 'listStages',
        summary: 'Per stage: accounts in it, entered, left, conversion, days, stalled',
        description:
          'From the changes of stage as they were known then, each under the model in force at its time: a later model, a late touch or a changed role ' +
          `moves none of them. In the order of the model; then stages of former models. Default: the last ${DAYS} days. With \`Accept: text/csv\` the ` +
          'figures come as CSV.',
        tags: ['alerts'],
        querystring: stagesQuery,
        response: {
          200: {
            description: 'The stages',
            content: {
              'application/json': { schema: answerSchema },
              'text/csv': { schema: z.string(), description: 'The figures as CSV' },
            },
          },
        },
      },
    },
    async (request, reply) => {
      options.assertReady();
      const { stalledDays } = request.query;
      const to = request.query.to ?? clock() + 1;
      const from = request.query.from ?? Math.max(0, to - DAYS * DAY_MS);
      if (to <= from) {
        const detail = 'to must be after from';
        throw new ProblemError('invalid_request', detail, { errors: [{ in: 'query', pointer: '#/to', detail }] });
      }
      const query = { since: from, until: to, stalledSince: Math.max(0, Math.floor(to - stalledDays * DAY_MS)) };
      const [figures, stalled] = await Promise.all([store.stageFigures(query), store.stalledAccounts(query, STALLED_MAX)]);
      const data = stagesInOrder(figures, options.modelStatus().model).map(({ inModel, name, stage }) => ({
        stage,
        name,
        inModel,
        ...flowOf(figures, stage),
        stalledAccounts: stalled.filter((one) => one.stage === stage).map((one) => stalledAnswer(one, to)),
      }));
      reply.header('vary', 'accept');
      if (!prefersCsv(request.headers.accept)) return reply.send({ from: timeText(from), to: timeText(to), stalledDays, data });
      const columns = Object.keys(stageSchema.shape).filter((column) => column !== 'stalledAccounts');
      // The schema of the answer covers JSON; CSV is text that no serializer touches.
      return reply.type('text/csv; charset=utf-8').serializer(String).send(csvOf(columns, data));
    },
  );
}

function stalledAnswer({ accountId, since }: StalledStay, to: number) {
  return { accountId, since: timeText(since), days: (to - since) / DAY_MS };
}
