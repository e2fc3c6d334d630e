import type { OutgoingRecord } from '@touchstone/event-log';
import { problemResponse, problemSchema, type HttpApp } from '@touchstone/runtime';
import { z } from 'zod';
import type { AppendTarget } from './append-records.ts';
import { ingestBatch, ingestRecords, type BatchResult, type EncodeItem } from './ingest-batch.ts';
import { BODY_BYTES_MAX, ITEM_BYTES_MAX, ITEMS_MAX } from './limits.ts';
import { readBatch } from './read-batch.ts';
import { REJECT_CODES, rejectionSchema } from './reject-codes.ts';

const NDJSON = ['application/x-ndjson', 'application/ndjson', 'application/jsonl'];

const accepted = z.int().min(0).describe('Items that are durable');
const rejected = z.array(rejectionSchema).readonly().describe('The other items, each with its reason');
const batchResultSchema = z.object({ accepted, rejected }).meta({ id: 'BatchResult', description: 'Every accepted item is durable' });
const batchProblemSchema = problemSchema
  .extend({ accepted: z.literal(0).optional().describe('With code all_rejected'), rejected: rejected.optional() })
  .meta({ id: 'BatchProblem' });

const CODES = Object.entries(REJECT_CODES).map(([code, means]) => `- \`${code}\`: ${means}`);

export interface BatchRoute {
  /** Last part of the path; names the route in metrics. */
  readonly endpoint: string;
  readonly operationId: string;
  readonly summary: string;
  readonly itemSchema: z.ZodType;
  /** Write keys of web pages may post here. */
  readonly collect?: boolean;
  /** Called once for each request; what it returns, for each item. `clean` is as in `Batch`. */
  readonly encoder: (clean: boolean) => EncodeItem;
  /** Where there is a quicker way: the records of a body all of whose items are plainly good, null for every other one. */
  readonly quick?: (body: Buffer, isNdjson: boolean) => readonly OutgoingRecord[] | null;
}

/** Adds routes that take batches to an app of their own: there a body stays bytes, and its items are looked at one by one. */
export function registerBatchRoutes(app: HttpApp, target: AppendTarget, routes: readonly BatchRoute[]): void {
  app.removeContentTypeParser('application/json');
  app.addContentTypeParser(['application/json', ...NDJSON], { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
  for (const route of routes) registerBatchRoute(app, target, route);
}

function registerBatchRoute(app: HttpApp, target: AppendTarget, route: BatchRoute): void {
  const { endpoint, operationId, summary, itemSchema, collect = false } = route;
  const { metrics } = target;
  app.post(
    `/v1/${endpoint}`,
    {
      config: { scope: 'ingest', collect },
      bodyLimit: BODY_BYTES_MAX,
      // Items are validated one by one, by the handler; the schema is for the document.
      validatorCompiler: () => (body: unknown) => ({ value: body }),
      schema: {
        operationId,
        summary,
        description: describe(),
        tags: ['ingest'],
        body: {
          content: {
            'application/json': { schema: z.union([itemSchema, z.array(itemSchema).min(1).max(ITEMS_MAX)]) },
            'application/x-ndjson': { schema: z.string().describe('One item a line; blank lines do not count') },
          },
        },
        response: {
          202: batchResultSchema,
          400: problemResponse('No item was accepted, or the body can not be read', batchProblemSchema),
          413: problemResponse('The body is too large, or holds too many items'),
        },
      },
    },
    async (request, reply) => {
      const start = performance.now();
      const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
      metrics.count('ingest_bytes_total', { endpoint }, body.length);
      const result = await take(target, route, body, NDJSON.includes(request.mediaType ?? ''));
      metrics.observe('ingest_seconds', { endpoint }, (performance.now() - start) / 1000);
      return reply.code(202).send(result);
    },
  );
}

function take(target: AppendTarget, { endpoint, encoder, quick }: BatchRoute, body: Buffer, isNdjson: boolean): Promise<BatchResult> {
  const records = quick?.(body, isNdjson) ?? null;
  if (records !== null) return ingestRecords(target, endpoint, records);
  const batch = readBatch(body, isNdjson);
  return ingestBatch(target, endpoint, batch, encoder(batch.clean));
}

function describe(): string {
  return [
    `Takes one object, a list, or NDJSON (also as ${NDJSON.slice(1).join(' and ')}): at most ${ITEMS_MAX} items of ${ITEM_BYTES_MAX} bytes each`,
    `(as encoded for the log), and ${BODY_BYTES_MAX} bytes in all. Bodies may be compressed with gzip, deflate, br or zstd.`,
    '\n\nThe answer is 202 once every accepted item is durable, and tells the rejected ones. With 503 nothing was taken: send the same body',
    'again; items with an `id` count once however often they arrive.',
    `\n\nCodes of rejected items:\n\n${CODES.join('\n')}`,
  ]
    .join(' ')
    .replaceAll(' \n', '\n');
}
