import { test } from '@fast-check/vitest';
import { alertRulesArbitrary, EntryRun, historyArbitrary, modelArbitrary, type GeneratedEntry } from '@touchstone/testkit';
import { describe, expect, it } from 'vitest';
import { defaultModel } from '../default-model.ts';
import { OUTCOME, PartitionLedgers } from '../ledgers.ts';
import { scoringModelSchema, type ScoringModel } from '../model.ts';
import { RulesTrial, type TriedRules } from './rules-trial.ts';

const hostile = historyArbitrary({ alerts: true, models: false, datedAhead: true, steps: { min: 0, max: 80 } });

function apply(model: ScoringModel, entries: readonly GeneratedEntry[]): { ledgers: PartitionLedgers; kept: GeneratedEntry[] } {
  const ledgers = new PartitionLedgers(0, model);
  const run = new EntryRun(0, entries);
  const kept: GeneratedEntry[] = [];
  for (let i = 0; run.next(); i++) {
    const outcome = ledgers.apply(run, false);
    const isGrowth = run.tick !== null && run.tick.fleetGrowth !== null;
    if (isGrowth || (outcome !== OUTCOME.duplicate && outcome !== OUTCOME.setAside && outcome !== OUTCOME.tick)) kept.push(entries[i]!);
  }
  return { ledgers, kept };
}

function tried(ledgers: PartitionLedgers, rules: TriedRules, at = ledgers.now): RulesTrial['rules'] {
  const trial = new RulesTrial(rules);
  for (let account = 0; account < ledgers.accounts.size; account++) trial.look(ledgers, account, at);
  return trial.rules;
}

/** Says what touches are worth, and has no rules that alerts come from. */
const BASE = { version: 'base', rules: defaultModel.rules };

describe('rules that are tried', () => {
  test.prop([hostile, modelArbitrary, alertRulesArbitrary], { numRuns: 150 })(
    'have those accounts in that are in once the rules are in force',
    ({ entries }, scoring, rules) => {
      const plain = scoringModelSchema.parse(scoring);
      const parsed = scoringModelSchema.parse({ ...scoring, ...rules });
      // Touches that qualify at once are not known of before.
      const { qualification } = parsed;
      const model = { ...parsed, ...(qualification && { qualification: { ...qualification, actNow: [] } }) };
      const { kept, ledgers } = apply(plain, entries);
      const inForce = new PartitionLedgers(0, model);
      const run = new EntryRun(0, kept);
      while (run.next()) inForce.apply(run, true);
      inForce.now = ledgers.now;
      inForce.position = ledgers.position;
      inForce.alerts.payLooks();
      const states = [...inForce.alerts.states()];
      for (const { accountsIn, enter, examples, leave, ruleId, stage } of tried(ledgers, model)) {
        const expected = states.filter((one) => one.ruleId === ruleId && (stage === null ? one.isIn : one.stage === stage));
        expect([ruleId, accountsIn, enter, leave]).toEqual([ruleId, expected.length, expected.length, 0]);
        expect(examples.every((id) => expected.some(({ accountId }) => accountId === id))).toBe(true);
        expect(examples).toHaveLength(Math.min(5, expected.length));
      }
    },
  );

  const none = { channel: null, campaignId: null, creativeId: null, url: null, source: null, properties: {} };
  const touch = (accountId: string, kind: string): GeneratedEntry['record'] => {
    return { id: accountId, accountId, contactId: 'c', kind, occurredAt: 1000, minutes: 0, ...none };
  };
  const model = scoringModelSchema.parse({
    ...BASE,
    thresholds: [{ id: 'hot', metric: 'points', enter: 20, exit: 5 }],
    stages: [{ id: 'aware', metrics: [{ metric: 'points', atLeast: 5 }] }],
  });
  const some = (): PartitionLedgers => {
    const touches = [touch('meets', 'meeting'), touch('calls', 'call'), touch('chats', 'chat')];
    const entries = touches.map((record, offset) => ({ partition: 0, offset, appendedAt: 1000, record }));
    return apply(model, entries).ledgers;
  };

  it('say who would come in and who would go, as seen from where accounts stand', () => {
    const ledgers = some();
    const rulesOf = (enter: number, exit: number, atLeast: number): TriedRules =>
      scoringModelSchema.parse({
        ...BASE,
        thresholds: [{ id: 'hot', metric: 'points', enter, exit }],
        stages: [
          { id: 'aware', metrics: [{ metric: 'points', atLeast: 1 }] },
          { id: 'sales', metrics: [{ metric: 'points', atLeast }] },
        ],
      });
    const told = (rules: TriedRules) =>
      tried(ledgers, rules).map(({ accountsIn, enter, examples, leave, ruleId, stage }) => [
        ruleId,
        stage,
        accountsIn,
        enter,
        leave,
        examples,
      ]);
    expect(told(rulesOf(8, 5, 25))).toEqual([
      ['hot', null, 2, 1, 0, ['meets', 'calls']],
      ['stages', 'aware', 2, 0, 1, ['calls', 'chats']],
      ['stages', 'sales', 1, 1, 0, ['meets']],
    ]);
    // Who is in stays in until below the exit.
    expect(told(rulesOf(100, 25, 100))[0]).toEqual(['hot', null, 1, 0, 0, ['meets']]);
    expect(told(rulesOf(100, 50, 100))[0]).toEqual(['hot', null, 0, 0, 1, []]);
  });

  it('are none where the model has none, whatever the one in force has', () => {
    const full = scoringModelSchema.parse({
      ...model,
      qualification: { atLeast: 1, of: [{ id: 'met', metric: 'kind.meeting.30d', atLeast: 1 }], minContacts: 1 },
      surge: { ratio: 2, minimum: 1 },
    });
    const entries = [{ partition: 0, offset: 0, appendedAt: 1000, record: touch('meets', 'meeting') }];
    expect(tried(apply(full, entries).ledgers, scoringModelSchema.parse(BASE))).toEqual([]);
  });

  it('give no kind and no role a number', () => {
    const ledgers = some();
    const rules = scoringModelSchema.parse({
      ...BASE,
      thresholds: [{ id: 'odd', metric: 'kind.unheard_of.7d', enter: 1 }],
      watches: [{ id: 'w', kind: 'role_engaged', role: 'jester' }],
    });
    expect(tried(ledgers, rules).map(({ accountsIn }) => accountsIn)).toEqual([0, 0]);
    expect([ledgers.kinds.find('unheard_of'), ledgers.roles.find('jester')]).toEqual([-1, -1]);
  });

  it('give no made-up rule id a number that a rule of the model would miss', () => {
    const { alerts } = some();
    for (let i = 0; i < 0x10000; i++) alerts.stateOf(0, 'threshold', `made-up-${i}`);
    const state = { ...alerts.stateOf(0, 'threshold', 'hot')!, ruleId: 'comes-later' };
    alerts.applyState(state);
    expect(alerts.stateOf(0, 'threshold', 'comes-later')).toEqual(state);
    expect([...alerts.states()].map(({ ruleId }) => ruleId)).toContain('comes-later');
  });
});
