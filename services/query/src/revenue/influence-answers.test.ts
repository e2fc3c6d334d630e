import type { InfluenceRow } from '@touchstone/store';
import { describe, expect, it } from 'vitest';
import { basisAnswer, type Telling } from './influence-answers.ts';

const none = { opportunities: 0, hundredths: 0 };
const row = (more: Partial<InfluenceRow> = {}): InfluenceRow => ({
  group: '',
  currency: 'EUR',
  opportunities: 4,
  hundredths: 100_000,
  withoutAmount: 1,
  withSource: 4,
  influences: { influenced: none, responded: none, sourced: { opportunities: 1, hundredths: 25_000 } },
  ...more,
});
const tell: Telling = {
  amountOf: (sums) => ({ amount: (sums.get('EUR') ?? 0) / 100, reason: null }),
  isTouched: true,
  bySource: true,
};
const unknown = {
  opportunities: null,
  amount: null,
  percentOfOpportunities: null,
  percentOfAmount: null,
  reason: 'nothing is known of touches',
};

describe('influence', () => {
  it('is 0 where touches are known, and none came before', () => {
    const told = basisAnswer([row()], false, tell);
    expect(told.influenced).toEqual({ opportunities: 0, amount: 0, percentOfOpportunities: 0, percentOfAmount: 0, reason: null });
    expect(told.sourced).toEqual({ opportunities: 1, amount: 250, percentOfOpportunities: 25, percentOfAmount: 25, reason: null });
  });

  it('is unknown where nobody was ever touched, but for what sources say', () => {
    const told = basisAnswer([row({ group: 'a' })], true, { ...tell, isTouched: false });
    expect(told).toMatchObject({
      opportunities: 4,
      amount: 1000,
      withoutAmount: 1,
      influenced: unknown,
      responded: unknown,
      sourced: { opportunities: 1 },
    });
    expect(told.groups).toMatchObject([{ group: 'a', influenced: unknown }]);
  });

  it.each([
    ['an opportunity does not say its source', row({ withSource: 3 }), true],
    ['sources decide nothing', row(), false],
  ])('tells no sources of untouched ones where %s', (_, one, bySource) => {
    expect(basisAnswer([one], false, { ...tell, isTouched: false, bySource }).sourced).toEqual(unknown);
  });
});
