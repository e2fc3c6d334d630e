import { csvOf, prefersCsv, ProblemError } from '@touchstone/runtime';
import type { AlertCounts } from '@touchstone/store';
import { z } from 'zod';
import { alertRulesOf, FAMILY_OF, RULE_KINDS, type AlertRule } from './alert-rules-of.ts';
import { time, timeText } from './answers.ts';
import type { QueryApp, QueryOptions } from './query-options.ts';
import { instant } from './query-parameters.ts';

const DAY_MS = 86_400_000;
const DAYS = 30;

const ruleSchema = z
  .object({
    ruleId: z.string(),
    kind: z
      .enum(RULE_KINDS)
      .nullable()
      .describe('Null for a rule that the model in force does not have, or has under its id as one of another kind'),
    rule: z.record(z.string(), z.unknown()).nullable().describe('As the model in force has it'),
    told: z.int().describe('Alerts in the period, ends of episodes among them'),
    heldBack: z.int().describe('Entries that the cooldown held back'),
    acked: z.int(),
    useful: z.int(),
    notUseful: z.int(),
    precision: z.number().min(0).max(1).nullable().describe('useful / (useful + notUseful); null while nobody has said either'),
  })
  .meta({ id: 'AlertRule' });

const rulesSchema = z.object({ from: time, to: time, modelVersion: z.string(), data: z.array(ruleSchema) }).meta({ id: 'AlertRules' });

const NONE = { told: 0, heldBack: 0, acked: 0, useful: 0, notUseful: 0 };

/** The rules that alerts come from, and what came of them. */
export function registerAlertRuleRoutes(
  app: QueryApp,
  options: Pick<QueryOptions, 'assertReady' | 'clock' | 'modelStatus' | 'store'>,
): void {
  const { clock, store } = options;

  app.get(
    '/v1/alert-rules',
    {
      config: { scope: 'read' },
      schema: {
        operationId: 'listAlertRules',
        summary: 'Rules, with their alerts and how useful these were',
        description:
          `Of the model in force, in its order; then former ones that had alerts in the period. Default: the last ${DAYS} days. From the store, a ` +
          'moment after they are told. With `Accept: text/csv` as lines.',
        tags: ['alerts'],
        querystring: z.strictObject({ from: instant.optional(), to: instant.optional() }),
        response: {
          200: {
            description: 'The rules',
            content: {
              'application/json': { schema: rulesSchema },
              'text/csv': { schema: z.string(), description: 'One line a rule' },
            },
          },
        },
      },
    },
    async (request, reply) => {
      options.assertReady();
      const to = request.query.to ?? clock() + 1;
      const from = request.query.from ?? Math.max(0, to - DAYS * DAY_MS);
      if (to <= from) {
        const detail = 'to must be after from';
        throw new ProblemError('invalid_request', detail, { errors: [{ in: 'query', pointer: '#/to', detail }] });
      }
      const { model } = options.modelStatus();
      const counts = await store.alertCounts(from, to);
      const isOf = ({ kind, ruleId }: AlertRule, one: AlertCounts): boolean => one.ruleId === ruleId && one.family === FAMILY_OF[kind];
      const rules = alertRulesOf(model);
      const former = counts.filter((one) => !rules.some((rule) => isOf(rule, one)));
      const data = [
        ...rules.map((rule) => ({
          ruleId: rule.ruleId,
          kind: rule.kind,
          rule: { ...rule.rule },
          ...countsOf(counts.find((one) => isOf(rule, one))),
        })),
        ...former.map((one) => ({ ruleId: one.ruleId, kind: null, rule: null, ...countsOf(one) })),
      ];
      reply.header('vary', 'accept');
      if (!prefersCsv(request.headers.accept)) {
        return reply.send({ from: timeText(from), to: timeText(to), modelVersion: model.version, data });
      }
      // The schema of the answer covers JSON; CSV is text that no serializer touches.
      return reply
        .type('text/csv; charset=utf-8')
        .serializer(String)
        .send(csvOf(Object.keys(ruleSchema.shape), data));
    },
  );
}

function countsOf({ acked, heldBack, notUseful, told, useful }: Omit<AlertCounts, 'ruleId' | 'family'> = NONE) {
  const judged = useful + notUseful;
  return { told, heldBack, acked, useful, notUseful, precision: judged === 0 ? null : useful / judged };
}
