import { isDeepStrictEqual } from 'node:util';
import { encodeModelPublished } from '@touchstone/codec';
import { scoringModelSchema, type ScoringModel } from '@touchstone/engine';
import { problemResponse, ProblemError, type Clock, type HttpApp } from '@touchstone/runtime';
import { z } from 'zod';
import { appendRecords, type AppendTarget } from './append-records.ts';

export interface ModelRouteOptions extends AppendTarget {
  readonly clock: Clock;
  readonly modelVersions: () => ReadonlyMap<string, ScoringModel> | Promise<ReadonlyMap<string, ScoringModel>>;
}

/** Far more than 255 rules need; what it becomes with all defaults filled in must fit a record of the log. */
const MODEL_BYTES_MAX = 256 * 1024;

/** Models published here whose record has not come back from the log yet; far more than anybody publishes meanwhile. */
const PENDING_MAX = 1000;

const publishedSchema = z
  .object({ version: z.string().describe('The version that will be in force') })
  .meta({ id: 'ModelAccepted', description: 'The model is on its way into force' });

/**
 * POST /v1/models. The same model may be published again, which brings it back into force; a version with other content is refused, as
 * scores of one version must stay comparable.
 */
export function registerModelRoute(app: HttpApp, options: ModelRouteOptions): void {
  const { log, topic, metrics, clock, modelVersions } = options;
  const pending = new Map<string, ScoringModel>();

  app.post(
    '/v1/models',
    {
      bodyLimit: MODEL_BYTES_MAX,
      config: { scope: 'admin' },
      schema: {
        operationId: 'publishModel',
        summary: 'Publish a scoring model',
        description:
          'Takes over at one stated offset of each partition, once all stored touches are rescored under it; until then the model before it serves.',
        tags: ['ingest'],
        body: scoringModelSchema,
        response: { 202: publishedSchema, 409: problemResponse('The version stands for another model already') },
      },
    },
    async (request, reply) => {
      const model = request.body;
      const { version } = model;
      const known = (await modelVersions()).get(version) ?? pending.get(version);
      if (known && !isDeepStrictEqual(known, model)) {
        throw new ProblemError('conflict', `version ${version} stands for another model; give this one a version of its own`);
      }
      const value = encodeModelPublished(model, clock());
      const records = Array.from({ length: log.partitionCount(topic) }, (_, partition) => ({ key: null, value, partition }));
      remember(pending, model);
      try {
        await appendRecords({ log, topic, metrics }, records);
      } catch (error) {
        if (pending.get(version) === model) pending.delete(version);
        metrics.count('ingest_items_total', { endpoint: 'models', outcome: 'unavailable' });
        throw error;
      }
      metrics.count('ingest_items_total', { endpoint: 'models', outcome: 'accepted' });
      request.log.info({ version, keyId: request.caller?.keyId }, 'a scoring model was published');
      return reply.code(202).send({ version });
    },
  );
}

function remember(pending: Map<string, ScoringModel>, model: ScoringModel): void {
  pending.set(model.version, model);
  if (pending.size > PENDING_MAX) pending.delete(pending.keys().next().value!);
}
