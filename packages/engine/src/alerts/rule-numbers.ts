import type { RuleFamily } from './alert.ts';

/** What a rule is known by, under whatever model. */
export interface RuleKey {
  readonly family: RuleFamily;
  readonly ruleId: string;
}

/** Rules as small numbers, in order of first appearance. */
export class RuleNumbers {
  readonly #numbers = new Map<string, number>();
  readonly #keys: RuleKey[] = [];
  readonly #byId = new Map<string, number[]>();

  /** -1 for a rule that has none. */
  find(family: RuleFamily, ruleId: string): number {
    return this.#numbers.get(nameOf(family, ruleId)) ?? -1;
  }

  /** Gives the rule a number, for good, if it has none: only rules that a model has or a step was stored under may come here. */
  of(family: RuleFamily, ruleId: string): number {
    const known = this.find(family, ruleId);
    if (known >= 0) return known;
    const number = this.#keys.push({ family, ruleId }) - 1;
    this.#numbers.set(nameOf(family, ruleId), number);
    this.#byId.set(ruleId, [...(this.#byId.get(ruleId) ?? []), number]);
    return number;
  }

  key(number: number): RuleKey {
    return this.#keys[number]!;
  }

  /** The rule and those of other families that have its id, as where a watch took up the id of a former threshold. */
  sharingId(number: number): readonly number[] {
    return this.#byId.get(this.#keys[number]!.ruleId)!;
  }
}

function nameOf(family: RuleFamily, ruleId: string): string {
  return `${family} ${ruleId}`;
}
