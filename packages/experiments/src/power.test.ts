import { describe, expect, it } from 'vitest';
import { armWith, clicking } from './test-summaries.ts';
import { daysLeft, deviationOf, planPower, type PowerQuestion } from './power.ts';

const question: PowerQuestion = { baseline: 0.1, deviation: null, lift: 0.2, level: 0.05, power: 0.8, armCount: 2, hasControl: true };

describe('planPower', () => {
  it('of one look at the end is the usual number', () => {
    // (1.95996 + 0.84162)² (0.1 x 0.9 + 0.12 x 0.88) / 0.02² = 3,838.05
    expect(planPower(question).fixedAccountsPerArm).toBe(3_839);
  });

  it('states what it costs to look at all times', () => {
    const plan = planPower(question);
    expect(plan.inflation).toBeCloseTo(1.915, 3);
    expect(plan.accountsPerArm / plan.fixedAccountsPerArm).toBeCloseTo(plan.inflation, 3);
    expect(plan).toMatchObject({ accounts: 2 * plan.accountsPerArm, tunedForAccounts: 2 * plan.accountsPerArm });
  });

  it.each([
    ['more arms without a control, as each is compared with each', { armCount: 4, hasControl: false }],
    ['a smaller lift', { lift: 0.1 }],
    ['a lower level', { level: 0.01 }],
    ['more power', { power: 0.9 }],
    ['accounts that differ more', { deviation: 0.5 }],
  ])('asks for more accounts for %s', (_, change) => {
    expect(planPower({ ...question, ...change }).accountsPerArm).toBeGreaterThan(planPower(question).accountsPerArm);
  });
});

describe('planPower of an expectation at the edge', () => {
  it.each<[string, Partial<PowerQuestion>]>([
    ['a share lifted past all accounts', { baseline: 0.95, lift: 0.2 }],
    ['a share lifted to all accounts', { baseline: 0.5, lift: 1 }],
    ['a lift too small for numbers', { lift: 1e-200 }],
    ['a mean of which nothing is known', { baseline: 1e-200, deviation: 1e-200 }],
    ['a mean that never differs', { baseline: 1e9, deviation: 1e-9 }],
  ])('%s takes a number of accounts that intervals can be tuned for', (_, change) => {
    const { accountsPerArm, fixedAccountsPerArm, tunedForAccounts } = planPower({ ...question, ...change });
    for (const accounts of [accountsPerArm, fixedAccountsPerArm, tunedForAccounts]) {
      expect(accounts).toBeGreaterThan(0);
      expect(Number.isSafeInteger(accounts)).toBe(true);
    }
  });
});

describe('deviationOf', () => {
  it('of a share is that of one account, whatever the weights', () => {
    for (const buckets of [5_000, 1_000])
      expect(deviationOf(armWith('crA', buckets, clicking(250, 1_000)).moments.clicked)).toBeCloseTo(Math.sqrt(0.1875), 2);
  });
});

describe('daysLeft', () => {
  const progress = { accountsPerArm: 1_000, exposedPerDay: 100, settleDays: 8 };
  it.each([
    ['the arm that is last', [{ exposed: 900, share: 0.5 }, { exposed: 500, share: 0.5 }], 18], // prettier-ignore
    ['arms that are full and settle yet', [{ exposed: 1_000, share: 0.5 }, { exposed: 1_200, share: 0.5 }], 8], // prettier-ignore
    ['an arm that gets no more', [{ exposed: 900, share: 0 }, { exposed: 1_200, share: 1 }], null], // prettier-ignore
  ])('waits for %s', (_, arms, days) => {
    expect(daysLeft({ ...progress, arms })).toBe(days);
  });
});
