import type { AccountFact } from '../fact.ts';
import type { AlertFilter } from './alert-rules.ts';

/** Whether what the CRM says of an account passes. */
export type FilterTest = (fact: AccountFact | undefined) => boolean;

/** An account nobody described passes no filter; without a filter every account passes. */
export function compileFilter(filter: AlertFilter | undefined): FilterTest | null {
  if (filter === undefined) return null;
  const { accountId, attributes = {}, employees, industry, owner, targetList, tier } = filter;
  const tests: ((fact: AccountFact) => boolean)[] = [];
  const isOneOf = (said: (fact: AccountFact) => string | null, some: string | readonly string[] | undefined): void => {
    if (some === undefined) return;
    const wanted = new Set(typeof some === 'string' ? [some] : some);
    tests.push((fact) => {
      const text = said(fact);
      return text !== null && wanted.has(text);
    });
  };
  isOneOf((fact) => fact.id, accountId);
  isOneOf((fact) => fact.tier, tier);
  isOneOf((fact) => fact.industry, industry);
  isOneOf((fact) => fact.owner, owner);
  for (const [name, some] of Object.entries(attributes)) {
    isOneOf((fact) => (Object.hasOwn(fact.attributes, name) ? fact.attributes[name]! : null), some);
  }
  // Nobody said is not on the list.
  if (targetList !== undefined) tests.push((fact) => (fact.targetList ?? false) === targetList);
  if (employees !== undefined) {
    const { max = Infinity, min = -Infinity } = employees;
    tests.push((fact) => fact.employees !== null && fact.employees >= min && fact.employees <= max);
  }
  return (fact) => fact !== undefined && tests.every((test) => test(fact));
}
