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
/** Whether what the CRM says of an account meets a filter. An account nobody described meets only what is about its id. */
export function meetsFilter(filter: AlertFilter | undefined, accountId: string, fact: AccountFact | undefined): boolean {
  if (filter === undefined) return true;
  const { attributes, employees, industry, owner, targetList, tier } = filter;
  if (filter.accountId !== undefined && !isAmong(accountId, filter.accountId)) return false;
  if (tier !== undefined && !isAmong(fact?.tier, tier)) return false;
  if (industry !== undefined && !isAmong(fact?.industry, industry)) return false;
  if (owner !== undefined && !isAmong(fact?.owner, owner)) return false;
  if (targetList !== undefined && (fact?.targetList ?? false) !== targetList) return false;
  if (employees !== undefined) {
    const count = fact?.employees ?? null;
    if (count === null || count < (employees.min ?? -Infinity) || count > (employees.max ?? Infinity)) return false;
  }
  for (const [name, wanted] of Object.entries(attributes ?? {})) {
    const known = fact?.attributes ?? {};
    if (!isAmong(Object.hasOwn(known, name) ? known[name] : undefined, wanted)) return false;
  }
  return true;
}

function isAmong(value: string | null | undefined, wanted: string | readonly string[]): boolean {
  if (value === null || value === undefined) return false;
  return typeof wanted === 'string' ? value === wanted : wanted.includes(value);
}
