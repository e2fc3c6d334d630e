import { scoringModelSchema } from '@touchstone/engine';
import { z } from 'zod';
import type { QueryApp, QueryOptions } from './query-options.ts';

const currentModelSchema = z
  .object({
    version: z.string(),
    model: scoringModelSchema,
    takeover: z.record(z.string(), z.int()).describe('Partition to the offset from which it scores under the model, in this process'),
    rescoringTo: z.string().nullable().describe('Version under which the accounts are being rescored, while this one serves'),
  })
  .meta({ id: 'CurrentModel' });

export function registerModelRoutes(app: QueryApp, options: QueryOptions): void {
  app.get(
    '/v1/models/current',
    {
      config: { scope: 'read' },
      schema: {
        operationId: 'getCurrentModel',
        summary: 'The scoring model in force',
        tags: ['models'],
        response: { 200: currentModelSchema },
      },
    },
    () => {
      options.assertReady();
      const { model, rescoringTo, takeover } = options.modelStatus();
      return { version: model.version, model, takeover: Object.fromEntries(takeover), rescoringTo };
    },
  );
}
