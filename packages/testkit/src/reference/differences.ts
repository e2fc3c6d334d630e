import type { AccountView } from './account-view.ts';

/** Sums of many rounded terms depend on the order they were added in; everything else is compared exactly. */
const RELATIVE_TOLERANCE = 1e-9;
const SUMS = /^(points|score|windows\.\w+\.(previous\.)?minutes)$/;

/**
 * What a served answer gets wrong, one line each; empty when it is right. The answer may say more than the reference at the top level (asOf,
 * stage, ...), but not within windows and reach. `served` may be a parsed body or an object of the engine; null stands for a 404.
 */
export function differences(expected: AccountView | null, served: unknown): string[] {
  if (expected === null) return served === null ? [] : ['the account is not named on the log, but was served'];
  if (!isRecord(served)) return [`${expected.accountId}: expected an account, served ${show(served)}`];
  const found: string[] = [];
  for (const [name, value] of Object.entries(expected)) compare(name, value, ownValue(served, name), found);
  return found.map((line) => `${expected.accountId}: ${line}`);
}

function compare(path: string, expected: unknown, served: unknown, found: string[]): void {
  if (isRecord(expected) && isRecord(served)) {
    for (const name of new Set([...Object.keys(expected), ...Object.keys(served)])) {
      compare(`${path}.${name}`, ownValue(expected, name), ownValue(served, name), found);
    }
    return;
  }
  if (!areEqual(path, expected, served)) found.push(`${path}: expected ${show(expected)}, served ${show(served)}`);
}

function areEqual(path: string, expected: unknown, served: unknown): boolean {
  if (typeof expected === 'number' && typeof served === 'number' && SUMS.test(path)) {
    return Math.abs(expected - served) <= RELATIVE_TOLERANCE * Math.max(Math.abs(expected), Math.abs(served));
  }
  if (Array.isArray(expected) && Array.isArray(served)) return JSON.stringify(expected) === JSON.stringify(served);
  return expected === served;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Campaigns and kinds may be called `constructor` or `__proto__`. */
function ownValue(record: Readonly<Record<string, unknown>>, name: string): unknown {
  return Object.hasOwn(record, name) ? record[name] : undefined;
}

function show(value: unknown): string {
  return value === undefined ? 'nothing' : JSON.stringify(value);
}
