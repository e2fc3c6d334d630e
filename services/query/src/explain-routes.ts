import { AccountDiff, explain, EXPLAIN_VIEWS, nearestOf } from '@touchstone/engine';
import { csvOf, prefersCsv } from '@touchstone/runtime';
import { z } from 'zod';
import { askInstant, nowOf, notKnownYet, refuseInstant } from './ask-instant.ts';
import { diffAnswer, diffSchema, explanationAnswer, explanationSchema, figureColumns, partColumns, partRows } from './explain-answers.ts';
import type { QueryApp, QueryOptions } from './query-options.ts';
import { accountParams, instant, limit, offset } from './query-parameters.ts';

const PARTS_MAX = 10_000;

const explainQuery = z.strictObject({
  at: instant.optional().describe('Any instant since the account is known: by what was known then. Default now'),
  version: offset
    .optional()
    .describe('Of an answer or alert: only what was known up to that change counts. With its asOf as `at` it explains just that answer'),
  groupBy: z
    .enum(EXPLAIN_VIEWS.filter((view) => view !== 'part'))
    .optional()
    .describe('By what parts are told apart; default contact, rule and campaign'),
  limit: limit(PARTS_MAX, 5000),
});

const csv = { description: 'The parts as CSV, with the rest as the last row', schema: z.string() };

/** Where an account's points come from, what changed them, and what is missing to the next threshold. */
export function registerExplainRoutes(app: QueryApp, options: QueryOptions): void {
  const { pasts } = options;

  app.get(
    '/v1/accounts/:accountId/explain',
    {
      config: { scope: 'read' },
      schema: {
        operationId: 'explainAccount',
        summary: "Where an account's points come from, and what is missing to the next threshold",
        description:
          'Computed from the stored touches, now or as known at any instant: the points are those that were served then, to the last bit. With `Accept: text/csv` the parts come as CSV.',
        tags: ['accounts'],
        params: accountParams,
        querystring: explainQuery,
        response: {
          200: { description: 'An explanation', content: { 'application/json': { schema: explanationSchema }, 'text/csv': csv } },
        },
      },
    },
    async (request, reply) => {
      options.assertReady();
      const { at, groupBy: view = 'part', limit: most, version } = request.query;
      const asked = askInstant(options, request.params.accountId, at);
      const now = nowOf(options, asked.place);
      const model = await pasts.modelAt(asked, now);
      const past = await pasts.known(versionOf(asked, version), { model, isExplained: true });
      if (past.account < 0) throw version === undefined ? notKnownYet('at', past.firstKnownAt) : notKnownThen(version);
      if (past.lastKnownAt > past.asOf) throw refuseInstant('at', `must not be before the append of version ${version}`);
      const explanation = explain(past, view, most);
      reply.header('vary', 'accept');
      if (!prefersCsv(request.headers.accept)) return reply.send(explanationAnswer(past, explanation, nearestOf(past)));
      return reply
        .type('text/csv; charset=utf-8')
        .serializer(String)
        .send(csvOf([...partColumns[view], ...figureColumns], partRows(explanation)));
    },
  );

  app.get(
    '/v1/accounts/:accountId/explain/diff',
    {
      config: { scope: 'read' },
      schema: {
        operationId: 'explainChange',
        summary: "What changed an account's points between two instants",
        description:
          'Both as known then. New touches, decay, roles, another model: what each of them did adds up to the change, to the last bit.',
        tags: ['accounts'],
        params: accountParams,
        querystring: z.strictObject({ from: instant, to: instant.optional().describe('Default now') }),
        response: { 200: diffSchema },
      },
    },
    async (request) => {
      options.assertReady();
      const { accountId } = request.params;
      const { from, to } = request.query;
      const end = askInstant(options, accountId, to);
      const now = nowOf(options, end.place);
      if (from > end.asOf) throw refuseInstant('from', 'must not be after to');
      const begin = { ...end, asOf: from, isPast: from < now };
      const [modelFrom, modelTo] = await Promise.all([pasts.modelAt(begin, now), pasts.modelAt(end, now)]);
      const { partition } = end.place.ledgers;
      const diff = new AccountDiff({ partition, accountId, from, to: end.asOf, modelFrom, modelTo });
      await pasts.replay(end, diff.pasts);
      if (diff.after.account < 0) throw notKnownYet(to === undefined ? 'from' : 'to', diff.after.firstKnownAt);
      return diffAnswer(diff.before, diff.after, diff.result);
    },
  );
}

/** Of a version everything is known, whenever it was appended. */
function versionOf<Asked extends { readonly version: number; readonly isPast: boolean }>(asked: Asked, version: number | undefined): Asked {
  return version === undefined ? asked : { ...asked, version: Math.min(version, asked.version), isPast: false };
}

function notKnownThen(version: number): Error {
  return refuseInstant('version', `must not be below the offset of the account's first touch or fact; ${version} is`);
}
