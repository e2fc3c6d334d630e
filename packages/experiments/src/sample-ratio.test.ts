import { fc, test } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import { checkSampleRatio, logMixture } from './sample-ratio.ts';
import { noArm, type ArmSummary } from './summary.ts';
import { summaryOf } from './test-summaries.ts';

const arm = (creativeId: string, buckets: number, exposed: number, settled = exposed): ArmSummary => ({
  ...noArm(creativeId, buckets),
  exposed,
  settled,
});

describe('logMixture', () => {
  test.prop([fc.array(fc.nat(2), { maxLength: 200 })])('is what predicting each account from those before comes to', (accounts) => {
    const shares = [0.5, 0.3, 0.2];
    const counts = [0, 0, 0];
    let log = 0;
    for (const [before, at] of accounts.entries()) {
      log += Math.log((400 * shares[at]! + counts[at]!) / (400 + before) / shares[at]!);
      counts[at]!++;
    }
    expect(logMixture(counts, shares)).toBeCloseTo(log, 8);
  });
});

describe('checkSampleRatio', () => {
  it.each([
    ['as many as there should be', [arm('crA', 5_000, 5_000), arm('crB', 5_000, 5_010)], false, 'exposed'],
    ['52 to 48', [arm('crA', 5_000, 10_400), arm('crB', 5_000, 9_600)], true, 'exposed'],
    ['uneven shares', [arm('crA', 8_000, 8_010), arm('crB', 2_000, 1_990)], false, 'exposed'],
    ['uneven shares that came even', [arm('crA', 8_000, 500), arm('crB', 2_000, 500)], true, 'exposed'],
    ['many left out of one arm', [arm('crA', 5_000, 1_000), arm('crB', 5_000, 1_000, 700)], true, 'settled'],
    ['strays to a creative without shares', [arm('crA', 10_000, 1_000), arm('crB', 0, 50, 0)], false, 'exposed'],
  ])('of %s', (_, arms, isAlarm, of) => {
    expect(checkSampleRatio(summaryOf(arms), 0.001)).toMatchObject({ isAlarm, of });
  });

  it('is two checks that share the level', () => {
    const { pValue } = checkSampleRatio(summaryOf([arm('crA', 5_000, 1_120), arm('crB', 5_000, 1_000)]), 0.001);
    expect(pValue).toBeLessThan(1);
    expect(pValue).toBeCloseTo(2 * Math.exp(-logMixture([1_120, 1_000], [0.5, 0.5])), 12);
  });

  it('of eras with other shares expects of each its own', () => {
    const eras = [[arm('crA', 8_000, 800), arm('crB', 2_000, 200)], [arm('crA', 2_000, 200), arm('crB', 8_000, 800)]]; // prettier-ignore
    const check = checkSampleRatio(summaryOf(...eras), 0.001);
    expect(check.arms.map(({ expected }) => expected)).toEqual([1_000, 1_000]);
    expect(check.pValue).toBe(1);
  });
});
