import type { AlertReason, Transition } from '@touchstone/engine';

/** Sums of rounded terms depend on the order they were added in. */
const TOLERANCE = 1e-9;
const FIGURES = new Set(['previousValue', 'currentValue', 'threshold', 'points', 'coverage']);

/** What steps get wrong, a line each; empty when they are right. Order is that of the log, then of time, then of accounts; within a look that of the rules. */
export function transitionDifferences(expected: readonly Transition[], made: readonly Transition[]): string[] {
  const found: string[] = [];
  for (let index = 0; index < Math.max(expected.length, made.length); index++) {
    const [right, given] = [expected[index], made[index]];
    if (right === undefined || given === undefined) {
      found.push(right === undefined ? `too much: ${nameOf(given!)}` : `missing: ${nameOf(right)}`);
      break;
    }
    const where = nameOf(right);
    const { reasons, ...alert } = right.alert;
    const flat = { ...alert, offset: right.offset, step: right.step, isHeld: right.isHeld };
    const { reasons: givenReasons, ...givenAlert } = given.alert;
    const flatGiven: Readonly<Record<string, unknown>> = { ...givenAlert, offset: given.offset, step: given.step, isHeld: given.isHeld };
    for (const [name, value] of Object.entries(flat)) {
      if (!areAlike(name, value, flatGiven[name])) found.push(`${where}: ${name} is ${show(flatGiven[name])}, not ${show(value)}`);
    }
    if (!areReasonsAlike(reasons, givenReasons)) found.push(`${where}: reasons are ${show(givenReasons)}, not ${show(reasons)}`);
    if (found.length > 0) break;
  }
  return found;
}

function areAlike(name: string, expected: unknown, given: unknown): boolean {
  if (FIGURES.has(name) && typeof expected === 'number' && typeof given === 'number') return areNear(expected, given);
  return show(expected) === show(given);
}

function areNear(one: number, other: number): boolean {
  return Math.abs(one - other) <= TOLERANCE * Math.max(1, Math.abs(one), Math.abs(other));
}

/** Of contacts that add the same, any may come first. */
function areReasonsAlike(expected: readonly AlertReason[], given: readonly AlertReason[]): boolean {
  const isSame = expected.every(({ contactId, points, role }, index) => {
    const other = given[index];
    if (other === undefined || !areNear(points, other.points)) return false;
    const isTied = expected.some((each) => each.contactId !== contactId && areNear(each.points, points));
    return isTied || index === expected.length - 1 || (contactId === other.contactId && role === other.role);
  });
  return isSame && (given.length === expected.length || given.slice(expected.length).every(({ points }) => areNear(points, 0)));
}

function nameOf({ alert: { accountId, at, direction, ruleId }, isHeld, offset }: Transition): string {
  return `${accountId} ${ruleId} ${direction}${isHeld ? ' (held)' : ''} at ${new Date(at).toISOString()}, offset ${offset}`;
}

function show(value: unknown): string {
  return value === undefined ? 'nothing' : JSON.stringify(value);
}
