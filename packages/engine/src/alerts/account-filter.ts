import type { AccountFact } from '../fact.ts';
import type { AlertFilter } from './alert-rules.ts';

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
