import { describe, expect, it } from 'vitest';
import { judge, type JudgeOptions } from './judge.ts';
import { armWith, clicking, summaryOf } from './test-summaries.ts';

const options: JudgeOptions = {
  outcome: 'clicked',
  creatives: ['crA', 'crB', 'crC'],
  control: null,
  level: 0.05,
  tunedForAccounts: 2_000,
  leastAccounts: 200,
  sampleRatioLevel: 0.001,
  leftOutMax: 0.2,
};
const third = 3_333;

/** Arms with 1,000 accounts each, of which so many clicked. */
const ofThousand = (...clicked: number[]): ReturnType<typeof summaryOf> =>
  summaryOf(clicked.map((count, at) => armWith(options.creatives[at]!, third, clicking(count, 1_000))));

describe('judge', () => {
  it('finds the arms that are worse than another, each by its surest comparison, and never the best', () => {
    const { best, reason, underPerformers, verdict } = judge(ofThousand(100, 200, 190), options);
    expect([verdict, reason, best]).toEqual(['swap', 'under_performer', 'crB']);
    expect(underPerformers.map(({ comparison, creativeId }) => [creativeId, comparison.creativeId, comparison.against])).toEqual([
      ['crA', 'crA', 'crB'],
    ]);
  });

  it('finds a control that is beaten', () => {
    const { best, underPerformers } = judge(ofThousand(100, 200, 101), { ...options, control: 'crA' });
    expect(best).toBe('crB');
    expect(underPerformers.map(({ creativeId }) => creativeId)).toEqual(['crA']);
  });

  it('never names the best, though it does worse than another where both were shown', () => {
    const summary = summaryOf(
      [armWith('crA', 10_000, clicking(900, 1_000))],
      [armWith('crA', 5_000, clicking(50, 500)), armWith('crB', 5_000, clicking(150, 500))],
    );
    const { best, estimate, underPerformers, verdict } = judge(summary, { ...options, creatives: ['crA', 'crB'] });
    expect([verdict, best, underPerformers]).toEqual(['wait', 'crA', []]);
    expect(estimate.comparisons[0]).toMatchObject({ creativeId: 'crA', against: 'crB' });
    expect(estimate.comparisons[0]!.difference.high).toBeLessThan(0);
  });

  it('waits while it is not sure', () => {
    expect(judge(ofThousand(100, 105, 110), options)).toMatchObject({
      verdict: 'wait',
      reason: 'not_sure_yet',
      underPerformers: [],
      best: 'crC',
    });
  });

  it('concludes nothing from an arm with less than the least number of accounts, however bad it looks', () => {
    const summary = summaryOf([
      armWith('crA', third, clicking(0, 199)),
      armWith('crB', third, clicking(150, 199)),
      armWith('crC', third, clicking(140, 200)),
    ]);
    expect(judge(summary, options)).toMatchObject({ verdict: 'wait', reason: 'too_few_accounts', best: 'crC' });
    const enough = summaryOf([
      armWith('crA', third, clicking(0, 200)),
      armWith('crB', third, clicking(150, 199)),
      armWith('crC', third, clicking(140, 200)),
    ]);
    expect(judge(enough, options).underPerformers.map(({ comparison, creativeId }) => [creativeId, comparison.against])).toEqual([
      ['crA', 'crC'],
    ]);
  });

  it('holds everything when arms have other numbers of accounts than they should', () => {
    const summary = summaryOf([armWith('crA', 5_000, clicking(100, 1_000)), armWith('crB', 5_000, clicking(300, 1_300))]);
    const { reason, sampleRatio, underPerformers, verdict } = judge(summary, { ...options, creatives: ['crA', 'crB'] });
    expect([verdict, reason, underPerformers]).toEqual(['hold', 'sample_ratio_mismatch', []]);
    expect(sampleRatio.arms).toEqual([
      { creativeId: 'crA', accounts: 1_000, expected: 1_150 },
      { creativeId: 'crB', accounts: 1_300, expected: 1_150 },
    ]);
  });

  it('holds everything when too many are left out', () => {
    const summary = ofThousand(100, 200, 190);
    for (const arm of summary.eras[0]!.arms) Object.assign(arm, { exposed: 1_300, contaminated: 200, strayed: 100 });
    expect(judge(summary, options)).toMatchObject({ verdict: 'hold', reason: 'too_many_left_out' });
    expect(judge(summary, options).leftOutShare).toBeCloseTo(300 / 1_300, 12);
  });

  it('holds nothing while no more are left out than may be', () => {
    const summary = ofThousand(100, 200, 190);
    for (const arm of summary.eras[0]!.arms) Object.assign(arm, { exposed: 1_250, contaminated: 200, strayed: 50 });
    expect(judge(summary, options)).toMatchObject({ leftOutShare: 0.2, verdict: 'swap' });
  });

  it('convicts by the p-value that is corrected for all comparisons', () => {
    const { estimate, verdict } = judge(ofThousand(100, 149, 140), options);
    const [least] = estimate.comparisons.toSorted((one, other) => one.pValue - other.pValue);
    expect(least!.pValue).toBeLessThan(0.05);
    expect([least!.pCorrected > 0.05, verdict]).toEqual([true, 'wait']);
  });

  it('refuses a number of accounts that makes no interval', () => {
    for (const tunedForAccounts of [-184, 0, NaN, Infinity])
      expect(() => judge(ofThousand(100, 200, 190), { ...options, tunedForAccounts })).toThrow('can not be tuned');
  });

  it('convicts no arm by a p-value that is no number', () => {
    // With a level that is none, so are the p-values' bounds.
    expect(judge(ofThousand(100, 200, 190), { ...options, level: NaN })).toMatchObject({ verdict: 'wait', underPerformers: [] });
  });

  it('gives the same from a record of the summary', () => {
    const summary = ofThousand(100, 200, 190);
    expect(judge(JSON.parse(JSON.stringify(summary)), options)).toEqual(judge(summary, options));
  });

  it.each([
    ['nobody', summaryOf([])],
    ['arms without accounts', ofThousand()],
  ])('waits with %s, in finite numbers', (_, summary) => {
    const judgement = judge(summary, options);
    expect(judgement).toMatchObject({ verdict: 'wait', reason: 'too_few_accounts', best: null, leftOutShare: 0 });
    expect(judgement.sampleRatio.pValue).toBe(1);
  });
});
