import { RulesTrial, scoringModelSchema, type LedgerSet, type ScoringModel } from '@touchstone/engine';
import { ProblemError } from '@touchstone/runtime';
import { z } from 'zod';
import { alertRulesOf, RULE_KINDS } from './alert-rules-of.ts';
import { time, timeText } from './answers.ts';
import { currentInstant } from './current-instant.ts';
import type { QueryApp, QueryOptions } from './query-options.ts';

/** Looked at in one turn of the event loop: a few milliseconds of work at most. */
const ACCOUNTS_A_TURN = 200;

const triedSchema = z
  .object({
    ruleId: z.string(),
    kind: z.enum(RULE_KINDS),
    stage: z.string().nullable().describe('Of `stages`: which one'),
    accountsIn: z.int().describe('Accounts that would be in'),
    enter: z.int().describe('Of these, those that are not in now under the rule of this id'),
    leave: z.int().describe('Those that are in now, and would not be'),
    examples: z.array(z.string()).describe('Ids of some that would be in, at most 5'),
  })
  .meta({ id: 'TriedRule' });

const answerSchema = z
  .object({
    modelVersion: z.string().describe('The model in force, which the accounts are scored by'),
    asOf: time,
    accounts: z.int(),
    notTried: z.array(z.string()).describe('Parts of the rules that can not be tried without a replay'),
    data: z.array(triedSchema),
  })
  .meta({ id: 'RulesTrial' });

/** Rules on trial: what they would say of the accounts as they are. */
export function registerRulesTrialRoute(
  app: QueryApp,
  options: Pick<QueryOptions, 'assertReady' | 'clock' | 'ledgers' | 'modelStatus'>,
): void {
  let isBusy = false;

  app.post(
    '/v1/alert-rules/test',
    {
      config: { scope: 'read' },
      schema: {
        operationId: 'testAlertRules',
        summary: 'How many accounts would be in under rules that are not published',
        description:
          "Takes a scoring model, and tries the rules that alerts come from on the accounts as they are now, scored by the model in force: the model's " +
          'own rules of what touches are worth are not looked at. Nothing is published, and nobody is told. One trial at a time.',
        tags: ['alerts'],
        body: scoringModelSchema,
        response: { 200: answerSchema },
      },
    },
    async (request) => {
      options.assertReady();
      if (isBusy) throw new ProblemError('unavailable', 'another trial is under way', { headers: { 'retry-after': '2' } });
      isBusy = true;
      try {
        const { model } = options.modelStatus();
        const asOf = currentInstant(options);
        const trial = new RulesTrial(request.body);
        const accounts = await lookAtAll(trial, options.ledgers, asOf);
        const kinds = new Map(alertRulesOf(request.body).map(({ kind, ruleId }) => [ruleId, kind]));
        return {
          modelVersion: model.version,
          asOf: timeText(asOf),
          accounts,
          notTried: notTried(request.body, model),
          data: trial.rules.map((rule) => ({ ...rule, kind: kinds.get(rule.ruleId)! })),
        };
      } finally {
        isBusy = false;
      }
    },
  );
}

async function lookAtAll(trial: RulesTrial, set: LedgerSet, asOf: number): Promise<number> {
  let looked = 0;
  // Should the ledgers be replaced meanwhile, those of the beginning are looked at to their end.
  for (const ledgers of set.partitions) {
    const { size } = ledgers.accounts;
    for (let account = 0; account < size; account++) {
      trial.look(ledgers, account, asOf);
      if (++looked % ACCOUNTS_A_TURN === 0) await new Promise(setImmediate);
    }
  }
  return looked;
}

/** Of which touches qualified at once, only what the model in force asks for is known. */
function notTried({ qualification: tried }: ScoringModel, { qualification: inForce }: ScoringModel): string[] {
  const patterns = tried?.actNow ?? [];
  return patterns.length === 0 || JSON.stringify(patterns) === JSON.stringify(inForce?.actNow) ? [] : ['qualification.actNow'];
}
