import { z } from 'zod';
import { problemResponse } from './describe-routes.ts';
import type { HttpApp } from './http-app-type.ts';
import type { Metrics } from './metrics.ts';
import { ProblemError, problemSchema } from './problem.ts';

export interface Readiness {
  readonly ready: boolean;
  /** For a person: what is there, or what is still missing. */
  readonly detail: string;
}

export type ReadinessChecks = Readonly<Record<string, () => Readiness>>;

interface HealthOptions {
  readonly metrics: Metrics;
  readonly readiness: ReadinessChecks;
  readonly draining: () => boolean;
}

const checksSchema = z.record(z.string(), z.object({ ready: z.boolean(), detail: z.string() })).describe('Each check by name');
const readySchema = z.object({ ready: z.literal(true), checks: checksSchema }).meta({ id: 'Ready', description: 'State is restored' });
const notReadySchema = problemSchema.extend({ checks: checksSchema }).meta({ id: 'NotReady' });

/** Alive, ready, and the metrics. These need no key: they hold nothing of any account, and probes carry none. */
export function registerHealth(app: HttpApp, { metrics, readiness, draining }: HealthOptions): void {
  app.get(
    '/healthz',
    {
      schema: {
        operationId: 'health',
        summary: 'Whether the process is alive',
        tags: ['operations'],
        response: { 200: z.object({ status: z.literal('ok') }).meta({ id: 'Health', description: 'The process is alive' }) },
      },
    },
    () => ({ status: 'ok' as const }),
  );

  app.get(
    '/readyz',
    {
      schema: {
        operationId: 'readiness',
        summary: 'Whether state is restored and traffic welcome',
        tags: ['operations'],
        response: { 200: readySchema, 503: problemResponse('Not ready yet, or stopping', notReadySchema) },
      },
    },
    () => {
      const checks = Object.fromEntries(Object.entries(readiness).map(([name, check]) => [name, check()]));
      const missing = Object.entries(checks).filter(([, check]) => !check.ready);
      if (missing.length === 0 && !draining()) return { ready: true as const, checks };
      const details = missing.map(([name, { detail }]) => `${name}: ${detail}`);
      if (draining()) details.push('the service is stopping');
      throw new ProblemError('not_ready', details.join('; '), { members: { checks }, headers: { 'retry-after': '1' } });
    },
  );

  app.get(
    '/metrics',
    {
      schema: {
        operationId: 'metrics',
        summary: 'Metrics for Prometheus',
        tags: ['operations'],
        response: { 200: { description: "Prometheus' text format", content: { 'text/plain': { schema: z.string() } } } },
      },
    },
    async (_request, reply) => {
      const text = await metrics.text();
      return reply.type(metrics.contentType).send(text);
    },
  );
}
