import { ALERT_CAUSES, AccountSteps, type Alert } from '@touchstone/engine';
import { csvOf, prefersCsv } from '@touchstone/runtime';
import { z } from 'zod';
import { time, timeText } from './answers.ts';
import { askInstant } from './ask-instant.ts';
import type { QueryApp, QueryOptions } from './query-options.ts';
import { accountParams } from './query-parameters.ts';

/** Of each list, the newest: nobody reads more changes of one account. */
const CHANGES_MAX = 1000;

const changeSchema = z
  .object({
    at: time,
    from: z.string().nullable().describe('Null for none'),
    to: z.string().nullable().describe('Null for none'),
    cause: z.enum(ALERT_CAUSES),
    late: z.boolean().describe('Caused by a touch that came over an hour after it happened'),
    modelVersion: z.string(),
  })
  .meta({ id: 'StageChange' });

const answerSchema = z
  .object({
    accountId: z.string(),
    asOf: time,
    modelVersion: z.string().describe('The model of now'),
    asKnownThen: z
      .array(changeSchema)
      .describe(`As told, each under the model in force at its time; oldest first, the newest ${CHANGES_MAX}`),
    underModelOfNow: z
      .array(changeSchema)
      .describe(
        `Had that model been in force always: the stored touches and facts in the order they came; oldest first, the newest ${CHANGES_MAX}`,
      ),
  })
  .meta({
    id: 'AccountStages',
    examples: [
      {
        accountId: 'acme.example',
        asOf: '2026-11-27T09:00:00.000Z',
        modelVersion: '2026-11-20.3',
        asKnownThen: [
          { at: '2026-11-20T10:00:00.000Z', from: null, to: 'aware', cause: 'touch', late: false, modelVersion: '2026-09-01.1' },
          { at: '2026-11-21T00:00:00.000Z', from: 'aware', to: 'considering', cause: 'model', late: false, modelVersion: '2026-11-20.3' },
        ],
        underModelOfNow: [
          { at: '2026-11-20T10:00:00.000Z', from: null, to: 'considering', cause: 'touch', late: false, modelVersion: '2026-11-20.3' },
        ],
      },
    ],
  });

type Change = z.input<typeof changeSchema>;

/** The stages of one account, as known then beside as recomputed. */
export function registerAccountStagesRoute(app: QueryApp, options: QueryOptions): void {
  app.get(
    '/v1/accounts/:accountId/stages',
    {
      config: { scope: 'read' },
      schema: {
        operationId: 'listAccountStages',
        summary: 'The stages an account went through, as known then and as under the model of now',
        description:
          'What was told stays as it was; where it differs from what the stored touches give under the model of now, a definition was moved since, or what is known came ' +
          'late to it. With `Accept: text/csv` both as lines.',
        tags: ['alerts'],
        params: accountParams,
        response: {
          200: {
            description: 'Both lists',
            content: {
              'application/json': { schema: answerSchema },
              'text/csv': { schema: z.string(), description: 'One line a change' },
            },
          },
        },
      },
    },
    async (request, reply) => {
      options.assertReady();
      const { accountId } = request.params;
      const asked = askInstant(options, accountId, undefined);
      const { model, partition } = asked.place.ledgers;
      const steps = new AccountSteps(partition, model);
      await options.pasts.replay(asked, [steps], { ids: true });
      // What is applied is stored by now, and so are its changes.
      const told = await options.store.alerts({ accountId, ruleId: 'stages', now: asked.asOf, limit: CHANGES_MAX });
      const answer = {
        accountId,
        asOf: timeText(asked.asOf),
        modelVersion: model.version,
        // Within one instant they are listed by id; each change is an episode of its own.
        asKnownThen: told.toSorted((one, other) => one.alert.episode - other.alert.episode).map(({ alert }) => changeOf(alert)),
        underModelOfNow: steps
          .stepsUntil(asked.asOf)
          .slice(-CHANGES_MAX)
          .map(({ alert }) => changeOf(alert)),
      };
      reply.header('vary', 'accept');
      if (!prefersCsv(request.headers.accept)) return reply.send(answer);
      const lines = [
        ...answer.asKnownThen.map((change) => ({ list: 'asKnownThen', ...change })),
        ...answer.underModelOfNow.map((change) => ({ list: 'underModelOfNow', ...change })),
      ];
      // The schema of the answer covers JSON; CSV is text that no serializer touches.
      return reply
        .type('text/csv; charset=utf-8')
        .serializer(String)
        .send(csvOf(['list', ...Object.keys(changeSchema.shape)], lines));
    },
  );
}

function changeOf({ at, cause, currentStage, late, modelVersion, previousStage }: Alert): Change {
  return { at: timeText(at), from: previousStage, to: currentStage, cause, late, modelVersion };
}
