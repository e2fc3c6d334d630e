import type { Clock } from '@touchstone/runtime';
import { KPIS, type KpiStore } from '@touchstone/store';
import { z } from 'zod';
import { time, timeText } from '../answers.ts';
import type { QueryApp } from '../query-options.ts';
import type { KpiBook } from './kpi-book.ts';

const TARGET_MAX = 1e15;

const bodySchema = z
  .strictObject({
    value: z.number().min(-TARGET_MAX).max(TARGET_MAX).nullable().describe('In the unit of the KPI; null takes the target back'),
  })
  .meta({ id: 'NewKpiTarget' });

const answerSchema = z.object({ name: z.string(), value: z.number().nullable(), setAt: time, setBy: z.string() }).meta({ id: 'KpiTarget' });

const params = z.object({ name: z.enum(KPIS.map(({ name }) => name) as [string, ...string[]]) });

/** What a KPI should come to; it is told beside the value. */
export function registerKpiTargetRoute(
  app: QueryApp,
  { book, clock, store }: { readonly book: KpiBook; readonly clock: Clock; readonly store: Pick<KpiStore, 'saveKpiTarget'> },
): void {
  app.put(
    '/v1/kpis/:name/target',
    {
      config: { scope: 'admin' },
      schema: {
        operationId: 'setKpiTarget',
        summary: 'Say what a KPI should be',
        description: 'The target is told in `benchmark.target` of every answer from now on, with whether it is met.',
        tags: ['kpis'],
        params,
        body: bodySchema,
        response: { 200: answerSchema },
      },
    },
    async (request, reply) => {
      const target = { name: request.params.name, value: request.body.value, setAt: clock(), setBy: request.caller!.keyId };
      await store.saveKpiTarget(target);
      book.forgetTargets();
      return reply.send({ ...target, setAt: timeText(target.setAt) });
    },
  );
}
