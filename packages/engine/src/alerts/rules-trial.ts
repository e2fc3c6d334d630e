import type { PartitionLedgers } from '../ledgers.ts';
import type { ScoringModel } from '../model.ts';
import type { RuleFamily } from './alert.ts';
import { compileAlertRules, type CompiledAlertRules } from './compile-alert-rules.ts';
import { Reading } from './reading.ts';
import { stagePlace } from './stage-place.ts';

/** What of a model is tried: the rules that alerts come from. */
export type TriedRules = Pick<ScoringModel, 'thresholds' | 'qualification' | 'stages' | 'surge' | 'watches'>;

export interface TriedRule {
  readonly ruleId: string;
  /** Of `stages`: which one. Null for every other rule. */
  readonly stage: string | null;
  /** Accounts that would be in. */
  accountsIn: number;
  /** Of these, those that are not in now under the rule of this id; and those that are, and would not be. */
  enter: number;
  leave: number;
  /** Ids of some of those that would be in. */
  readonly examples: string[];
}

const EXAMPLES = 5;

/**
 * Tries rules on accounts as they are, scored by the model in force, and changes nothing: kinds and roles that only the rules name get no numbers.
 * Touches that would qualify at once by other patterns than those in force are not known any more: without a replay nobody can tell.
 */
export class RulesTrial {
  readonly rules: readonly TriedRule[];
  readonly #tried: TriedRules;
  readonly #byRule = new Map<string, TriedRule>();
  #ledgers: PartitionLedgers | null = null;
  #compiled: CompiledAlertRules | null = null;
  #reading: Reading | null = null;

  constructor(tried: TriedRules) {
    this.#tried = tried;
    const { qualification, stages, surge, thresholds, watches } = tried;
    this.rules = [
      ...thresholds.map(({ id }) => this.#rule(id)),
      ...(qualification === undefined ? [] : [this.#rule('qualification')]),
      ...stages.map(({ id }) => this.#rule('stages', id)),
      ...(surge === undefined ? [] : [this.#rule('surge')]),
      ...watches.map(({ id }) => this.#rule(id)),
    ];
  }

  /** Looks at an account at an instant, epoch ms, or at that of its last change, if that is later. */
  look(ledgers: PartitionLedgers, account: number, at: number): void {
    if (this.#ledgers !== ledgers) this.#begin(ledgers);
    const { conditions, qualification, stages, surge, thresholds, watches } = this.#compiled!;
    const reading = this.#reading!;
    reading.begin(account, Math.max(at, ledgers.accounts.changedAt[account]!));
    const accountId = ledgers.accounts.names.text(account);
    const isIn = (family: RuleFamily, ruleId: string): boolean => ledgers.alerts.stateOf(account, family, ruleId)?.isIn ?? false;
    for (const { condition, id } of thresholds) {
      const held = isIn('threshold', id);
      this.#count(accountId, id, held, conditions[condition]!.holds(reading, held));
    }
    if (surge !== null) this.#count(accountId, 'surge', isIn('surge', 'surge'), conditions[surge.condition]!.holds(reading, false));
    for (const { condition, id } of watches) this.#count(accountId, id, isIn('coverage', id), conditions[condition]!.holds(reading, false));
    const holds = (place: number): boolean => conditions[place]!.holds(reading, false);
    const fact = ledgers.accounts.facts.get(account);
    if (qualification !== null)
      this.#count(accountId, 'qualification', isIn('mqa', 'qualification'), qualification.isQualified(fact, holds));
    if (stages.length === 0) return;
    const stage = stages[stagePlace(this.#compiled!, ledgers.accounts, account, holds)]?.id;
    const before = ledgers.alerts.stageOf(account);
    for (const { id } of stages) this.#count(accountId, keyOf('stages', id), before === id, stage === id);
  }

  #begin(ledgers: PartitionLedgers): void {
    const { kinds, model, roles } = ledgers;
    const { qualification: _qualification, surge: _surge, ...rest } = model;
    const terms = {
      // What the tried model leaves out is not tried, whatever the one in force has.
      model: { ...rest, ...this.#tried },
      kinds: { number: (name: string) => kinds.find(name) },
      roles: { number: (name: string) => roles.find(name) },
    };
    this.#ledgers = ledgers;
    this.#compiled = compileAlertRules(terms, ledgers.alerts);
    this.#reading = new Reading(ledgers);
  }

  #rule(ruleId: string, stage: string | null = null): TriedRule {
    const rule = { ruleId, stage, accountsIn: 0, enter: 0, leave: 0, examples: [] };
    this.#byRule.set(stage === null ? ruleId : keyOf(ruleId, stage), rule);
    return rule;
  }

  #count(accountId: string, key: string, wasIn: boolean, isIn: boolean): void {
    const rule = this.#byRule.get(key)!;
    if (isIn) rule.accountsIn++;
    if (isIn && !wasIn) rule.enter++;
    if (wasIn && !isIn) rule.leave++;
    if (isIn && rule.examples.length < EXAMPLES) rule.examples.push(accountId);
  }
}

function keyOf(ruleId: string, stage: string): string {
  return JSON.stringify([ruleId, stage]);
}
