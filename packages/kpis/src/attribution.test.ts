import { fc, test } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import { ATTRIBUTION_MODELS, CREDIT_UNITS, creditsOf, type TouchPath } from './attribution.ts';

const DAY_MS = 86_400_000;

/** Touches on these days; the opportunity is made on day 10. */
function pathOf(days: readonly number[], leadDay: number | null = null, createdDay = 10): TouchPath {
  return {
    occurredAt: days.map((day) => day * DAY_MS),
    leadCreatedAt: leadDay === null ? null : leadDay * DAY_MS,
    opportunityCreatedAt: createdDay * DAY_MS,
    halfLifeMs: 7 * DAY_MS,
  };
}

const anyPath = fc.record({
  occurredAt: fc.array(fc.nat(4e10), { minLength: 1, maxLength: 60 }).map((times) => times.toSorted((a, b) => a - b)),
  leadCreatedAt: fc.option(fc.nat(4e10)),
  opportunityCreatedAt: fc.nat(4e10),
  halfLifeMs: fc.integer({ min: 60_000, max: 400 * DAY_MS }),
});

describe('credit', () => {
  // Shares by hand; position models as documented in ARCHITECTURE.md.
  it.each([
    ['first', [1, 2, 3], null, 10, [1, 0, 0]],
    ['last', [1, 2, 3], null, 10, [0, 0, 1]],
    ['linear', [1, 2, 3, 4], null, 10, [0.25, 0.25, 0.25, 0.25]],
    ['u_shaped', [1], null, 10, [1]],
    ['u_shaped', [1, 2], null, 10, [0.5, 0.5]],
    ['u_shaped', [1, 2, 3, 4], null, 10, [0.4, 0.1, 0.1, 0.4]],
    // First on day 1, lead made on day 2 by the touch of that day, opportunity on day 10 by that of day 4.
    ['w_shaped', [1, 2, 3, 4, 12], 2, 10, [0.3, 0.3, 0.05, 0.3, 0.05]],
    // The first touch made the lead: it has both shares.
    ['w_shaped', [1, 3, 4], 1, 10, [0.6, 0.1, 0.3]],
    // One touch is all three, and another comes after: 90 to 10.
    ['w_shaped', [1, 12], 5, 10, [0.9, 0.1]],
    // Nobody knows of a lead: 30, 30 and 10 of 70.
    ['w_shaped', [1, 2, 3], null, 10, [3 / 7, 1 / 7, 3 / 7]],
    // The lead came before any touch did, so no touch made it.
    ['w_shaped', [2, 3, 4], 1, 10, [3 / 7, 1 / 7, 3 / 7]],
    // No touch is left over for the last 10: 30 of 90 each.
    ['w_shaped', [1, 2, 3], 2, 10, [1 / 3, 1 / 3, 1 / 3]],
    // A half-life of 7 days: 1/4, 1/2 and 1, of 7/4.
    ['time_decay', [1, 8, 15], null, 10, [1 / 7, 2 / 7, 4 / 7]],
  ] as const)('%s of touches on days %j, lead on %j, opportunity on %j', (model, days, lead, created, expected) => {
    const units = creditsOf(model, pathOf(days, lead, created));
    expect(units.length).toBe(expected.length);
    for (const [index, share] of expected.entries()) expect(Math.abs(units[index]! - share * CREDIT_UNITS)).toBeLessThanOrEqual(1);
  });

  it.each(ATTRIBUTION_MODELS)('by %s is nobody’s without touches', (model) => {
    expect(creditsOf(model, pathOf([]))).toEqual([]);
  });

  test.prop([fc.constantFrom(...ATTRIBUTION_MODELS), anyPath])('adds up to the whole exactly, and none is negative', (model, path) => {
    const units = creditsOf(model, path);
    expect(units.reduce((sum, one) => sum + one, 0)).toBe(CREDIT_UNITS);
    expect(units.every((one) => Number.isInteger(one) && one >= 0)).toBe(true);
  });

  test.prop([anyPath])('by time decay never gives less to a later touch', (path) => {
    const units = creditsOf('time_decay', path);
    for (let at = 1; at < units.length; at++) expect(units[at]! + 1).toBeGreaterThanOrEqual(units[at - 1]!);
  });

  it('goes to the last touch however short the half-life', () => {
    expect(creditsOf('time_decay', { ...pathOf([1, 400]), halfLifeMs: 1 })).toEqual([0, CREDIT_UNITS]);
  });
});
