import {
  EXPERIMENT_STATUSES,
  experimentSchema,
  startEvidence,
  type ExperimentDefinition,
  type ExperimentState,
} from '@touchstone/experiments';
import type { ModelStatus } from '@touchstone/recovery';
import { csvOf, type DeclaredResponse, linkToNext, pointerOf, prefersCsv, ProblemError, problemResponse } from '@touchstone/runtime';
import { z } from 'zod';
import { decodeCursor, encodeCursor } from '../cursors.ts';
import type { QueryApp } from '../query-options.ts';
import { limit } from '../query-parameters.ts';
import {
  ARM_COLUMNS,
  armRows,
  experimentAnswer,
  experimentAnswerSchema,
  historyAnswer,
  historySchema,
  resultsAnswer,
  resultsSchema,
  type ResultsAnswer,
} from './experiment-answers.ts';
import type { StepToWrite } from './experiment-log.ts';
import type { Experiments } from './experiments.ts';
import { misfitsOf } from './fits-model.ts';

/** An evaluation of all flags tries each of them. */
const OPEN_MAX = 100;
const ALL_MAX = 10_000;

const params = z.object({ experimentId: z.string().min(1).max(128) });
const said = {
  revision: z
    .int()
    .min(1)
    .max(2 ** 31 - 1)
    .optional()
    .describe('The revision that is known: refused with 409 when another step has come since. Default: the one of now'),
  reason: z
    .string()
    .min(1)
    .max(1000)
    .refine((text) => text.isWellFormed() && !/(?!\n)\p{Cc}/u.test(text), 'must be well-formed Unicode without control characters')
    .optional()
    .describe('For people: why'),
};
const stepSchema = z.strictObject(said).meta({ id: 'ExperimentChange' });
const swapSchema = z
  .strictObject({ ...said, creativeId: z.string().min(1).max(128).describe('The creative to take out') })
  .meta({ id: 'CreativeSwap' });

const STEPS = [
  [
    'start',
    'startExperiment',
    'Start an experiment',
    'A draft alone can be started. From now on its touches count and decisions follow it. What points are gained is weighed by the scoring model of this moment until it stops.',
  ],
  [
    'stop',
    'stopExperiment',
    'Stop an experiment',
    'For good: a flag that is asked for alone answers the control again, and bulk answers leave it out. Its figures of this moment are kept.',
  ],
  [
    'undo',
    'undoSwap',
    'Bring back the creative that was swapped out last',
    'Each account gets it back that had it. It is not swapped out by itself again.',
  ],
] as const;

const REFUSED = problemResponse('The experiment does not allow this step, or has gone on to another revision');

const csv = (schema: z.ZodType): DeclaredResponse => ({
  description: 'As JSON, or as CSV by Accept',
  content: { 'application/json': { schema }, 'text/csv': { schema: z.string() } },
});

export interface ExperimentRoutesOptions {
  readonly experiments: Experiments;
  readonly modelStatus: () => ModelStatus;
  /** @throws ProblemError `not_ready` */
  readonly assertReady: () => void;
}

/** Experiments over HTTP: made, started, stopped, swapped and undone by admins, and read. */
export function registerExperimentRoutes(app: QueryApp, { assertReady, experiments, modelStatus }: ExperimentRoutesOptions): void {
  const { book } = experiments.log;
  const tags = ['experiments'];

  function find(id: string): ExperimentState {
    assertReady();
    const state = book.get(id);
    if (state === null) throw new ProblemError('not_found', 'there is no experiment with this id');
    return state;
  }

  async function write(step: StepToWrite): Promise<ExperimentState> {
    const outcome = await experiments.log.write(step);
    if ('refused' in outcome) throw new ProblemError('conflict', outcome.refused);
    return outcome.state;
  }

  async function resultsOf(state: ExperimentState): Promise<ResultsAnswer> {
    const kept = state.status === 'stopped' ? keptResults(state) : null;
    return kept ?? resultsAnswer(state, await experiments.resultsOf(state));
  }

  /** The figures that are recorded with a step. */
  async function figuresOf(state: ExperimentState): Promise<string> {
    return JSON.stringify(resultsAnswer(state, await experiments.resultsToKeep(state)));
  }

  /** @throws ProblemError `invalid_request` for one that asks of the scoring model what that does not have */
  function assertFits(definition: ExperimentDefinition): void {
    const errors = misfitsOf(definition, modelStatus().model).map(({ detail, path }) => ({
      in: 'body' as const,
      pointer: pointerOf(path),
      detail,
    }));
    if (errors.length > 0) throw new ProblemError('invalid_request', errors[0]!.detail, { errors });
  }

  /** Another model may have come into force since it was created. @throws ProblemError `conflict` */
  function assertStillFits(definition: ExperimentDefinition): void {
    const [misfit] = misfitsOf(definition, modelStatus().model);
    if (misfit !== undefined) throw new ProblemError('conflict', `its ${misfit.path.join('/')} is of another model: ${misfit.detail}`);
  }

  async function evidenceOf(action: (typeof STEPS)[number][0], state: ExperimentState): Promise<string | null> {
    if (action === 'start') return startEvidence(modelStatus().model);
    return action === 'stop' ? figuresOf(state) : null;
  }

  app.post(
    '/v1/experiments',
    {
      config: { scope: 'admin' },
      schema: {
        operationId: 'createExperiment',
        summary: 'Make an experiment with creatives',
        description: `It is a draft until it is started. At most ${OPEN_MAX} are not stopped at a time.`,
        tags,
        body: experimentSchema,
        response: { 201: experimentAnswerSchema, 409: problemResponse('There is one with this id, or there are too many') },
      },
    },
    async (request, reply) => {
      assertReady();
      const all = book.all;
      if (all.length >= ALL_MAX || all.filter(({ status }) => status !== 'stopped').length >= OPEN_MAX) {
        throw new ProblemError(
          'conflict',
          `${OPEN_MAX} experiments that are not stopped, and ${ALL_MAX} in all, are as many as there can be`,
        );
      }
      assertFits(request.body);
      const step = { experimentId: request.body.id, action: 'create' as const, expectedRevision: 0, by: request.caller!.keyId };
      const state = await write({ ...step, definition: JSON.stringify(request.body) });
      return reply.code(201).send(experimentAnswer(state));
    },
  );

  for (const [action, operationId, summary, description] of STEPS) {
    app.post(
      `/v1/experiments/:experimentId/${action}`,
      {
        config: { scope: 'admin' },
        schema: {
          operationId,
          summary,
          description,
          tags,
          params,
          body: stepSchema,
          response: { 200: experimentAnswerSchema, 409: REFUSED },
        },
      },
      async (request) => {
        const state = find(request.params.experimentId);
        const { reason = null, revision = state.revision } = request.body;
        if (action === 'start') assertStillFits(state.definition);
        const evidence = await evidenceOf(action, state);
        const by = request.caller!.keyId;
        return experimentAnswer(
          await write({ experimentId: state.definition.id, action, expectedRevision: revision, by, reason, evidence }),
        );
      },
    );
  }

  app.post(
    '/v1/experiments/:experimentId/swap',
    {
      config: { scope: 'admin' },
      schema: {
        operationId: 'swapCreative',
        summary: 'Take a creative out of a running experiment',
        description:
          'Its accounts go to the other creatives by their weights, and nobody else moves. The figures of this moment are kept with it.',
        tags,
        params,
        body: swapSchema,
        response: { 200: experimentAnswerSchema, 409: REFUSED },
      },
    },
    async (request) => {
      const state = find(request.params.experimentId);
      const { creativeId, reason = null, revision = state.revision } = request.body;
      const evidence = await figuresOf(state);
      const by = request.caller!.keyId;
      const step = { experimentId: state.definition.id, action: 'swap' as const, expectedRevision: revision, by };
      return experimentAnswer(await write({ ...step, creativeId, reason, evidence }));
    },
  );

  app.get(
    '/v1/experiments',
    {
      config: { scope: 'read' },
      schema: {
        operationId: 'listExperiments',
        summary: 'Experiments, the newest first',
        tags,
        querystring: z.strictObject({
          status: z.enum(EXPERIMENT_STATUSES).optional(),
          campaignId: z.string().min(1).max(128).optional(),
          limit: limit(500, 50),
          cursor: z.string().max(400).optional(),
        }),
        response: {
          200: csv(z.object({ data: z.array(experimentAnswerSchema), nextCursor: z.string().nullable() }).meta({ id: 'ExperimentPage' })),
        },
      },
    },
    (request, reply) => {
      assertReady();
      const { campaignId, cursor, limit: most, status } = request.query;
      const after = cursor === undefined ? null : decodeCursor(cursor, z.object({ before: z.string() })).before;
      const newest = book.all.toReversed();
      const from = after === null ? 0 : newest.findIndex(({ definition }) => definition.id === after) + 1;
      const wanted = newest
        .slice(from)
        .filter(
          (state) =>
            (status ?? state.status) === state.status && (campaignId ?? state.definition.campaignId) === state.definition.campaignId,
        );
      const data = wanted.slice(0, most).map(experimentAnswer);
      const nextCursor = wanted.length > most ? encodeCursor({ before: data.at(-1)!.id }) : null;
      if (!prefersCsv(request.headers.accept)) return reply.send({ data, nextCursor });
      if (nextCursor !== null) void reply.header('link', linkToNext(request.url, nextCursor));
      const columns = Object.keys(experimentAnswerSchema.shape);
      return reply.type('text/csv; charset=utf-8').send(csvOf(columns, data.map(asCells)));
    },
  );

  app.get(
    '/v1/experiments/:experimentId',
    {
      config: { scope: 'read' },
      schema: { operationId: 'getExperiment', summary: 'One experiment', tags, params, response: { 200: experimentAnswerSchema } },
    },
    (request) => experimentAnswer(find(request.params.experimentId)),
  );

  app.get(
    '/v1/experiments/:experimentId/results',
    {
      config: { scope: 'read' },
      schema: {
        operationId: 'getExperimentResults',
        summary: 'What the evidence of an experiment comes to',
        description:
          'By account: an account counts once, when its outcome window is over. Intervals and p-values may be looked at at any time (asymptotic confidence sequences, Waudby-Smith and others 2024). Of one that is stopped: as it was then. As CSV, a row for each creative.',
        tags,
        params,
        response: { 200: csv(resultsSchema) },
      },
    },
    async (request, reply) => {
      const answer = await resultsOf(find(request.params.experimentId));
      if (!prefersCsv(request.headers.accept)) return reply.send(answer);
      return reply.type('text/csv; charset=utf-8').send(csvOf(ARM_COLUMNS, armRows(answer)));
    },
  );

  app.get(
    '/v1/experiments/:experimentId/history',
    {
      config: { scope: 'read' },
      schema: {
        operationId: 'getExperimentHistory',
        summary: 'What happened to an experiment, when, by whom and on what evidence',
        description: 'The newest first. From the log, which keeps it for good.',
        tags,
        params,
        querystring: z.strictObject({ limit: limit(500, 50), cursor: z.string().max(200).optional() }),
        response: {
          200: csv(z.object({ data: z.array(historySchema), nextCursor: z.string().nullable() }).meta({ id: 'ExperimentHistory' })),
        },
      },
    },
    (request, reply) => {
      const { cursor, limit: most } = request.query;
      const below = cursor === undefined ? Infinity : decodeCursor(cursor, z.object({ below: z.int().min(0) })).below;
      const wanted = find(request.params.experimentId)
        .history.toReversed()
        .filter(({ revision }) => revision < below);
      const data = wanted.slice(0, most).map(historyAnswer);
      const nextCursor = wanted.length > most ? encodeCursor({ below: data.at(-1)!.revision }) : null;
      if (!prefersCsv(request.headers.accept)) return reply.send({ data, nextCursor });
      if (nextCursor !== null) void reply.header('link', linkToNext(request.url, nextCursor));
      return reply.type('text/csv; charset=utf-8').send(csvOf(Object.keys(historySchema.shape), data.map(asCells)));
    },
  );
}

/** The figures that were kept when it was stopped. */
function keptResults({ history, revision }: ExperimentState): ResultsAnswer | null {
  const evidence = history.findLast(({ action }) => action === 'stop')?.evidence ?? null;
  if (evidence === null) return null;
  const parsed = resultsSchema.safeParse(JSON.parse(evidence));
  return parsed.success ? { ...parsed.data, revision, status: 'stopped' } : null;
}

/** Lists and objects as JSON: a cell holds one text. */
function asCells(row: object): Record<string, unknown> {
  const cell = (value: unknown): unknown => (typeof value === 'object' && value !== null ? JSON.stringify(value) : value);
  return Object.fromEntries(Object.entries(row).map(([name, value]) => [name, cell(value)]));
}
