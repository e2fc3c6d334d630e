import { describe, expect, it } from 'vitest';
import { assign, creativeOf, holdoutBucketOf, keepOrAssign } from './assign.ts';
import type { Experiment } from './experiment.ts';
import { moveSlices, slicesOf } from './slices.ts';

function experiment(change: Partial<Experiment> = {}): Experiment {
  const made = {
    id: 'exp-12',
    seed: 'exp-12',
    campaignId: 'spring',
    arms: [{ creativeId: 'crA', weight: 1 }, { creativeId: 'crB', weight: 1 }], // prettier-ignore
    holdout: 0,
    coverage: 1,
    ...change,
  };
  return { ...made, slices: change.slices ?? slicesOf(made.arms, made.coverage) };
}

const ACCOUNTS = 100_000;

function countBy(made: Experiment): Record<string, number> {
  const counts: Record<string, number> = {};
  for (let n = 0; n < ACCOUNTS; n++) {
    const { creativeId, group } = assign(made, `account-${n}`);
    counts[creativeId ?? group] = (counts[creativeId ?? group] ?? 0) + 1;
  }
  return counts;
}

describe('assign', () => {
  // What was served once must be served by every later version of this code. The buckets were computed by a program of its own.
  it.each([
    ['acme', 'arm', 'crA', 2997],
    ['globex', 'arm', 'crB', 6753],
    ['account-0', 'arm', 'crA', 4188],
    ['Zürich GmbH', 'arm', 'crB', 6036],
  ])('of %s stays as it is', (accountId, group, creativeId, bucket) => {
    expect(assign(experiment(), accountId)).toEqual({ group, creativeId, bucket });
  });

  it.each([
    ['acme', 7147],
    ['globex', 2114],
    ['account-0', 3187],
  ])('of %s has a number of its own for the holdout, which stays as it is', (accountId, bucket) => {
    expect(holdoutBucketOf('exp-12', accountId)).toBe(bucket);
    expect(assign(experiment({ holdout: bucket / 10_000 }), accountId).group).toBe('arm');
    expect(assign(experiment({ holdout: (bucket + 1) / 10_000 }), accountId).group).toBe('holdout');
  });

  it('holds out whole ten-thousandths, though shares have no exact binary form', () => {
    // 0.57 x 10,000 is 5,699.999...
    const accountId = Array.from({ length: ACCOUNTS }, (_, n) => `account-${n}`).find((id) => holdoutBucketOf('exp-12', id) === 5699)!;
    expect(assign(experiment({ holdout: 0.57 }), accountId).group).toBe('holdout');
  });

  it('gives a bucket where two slices meet to the second', () => {
    const { slices } = experiment();
    expect([0, 4999, 5000, 9999].map((bucket) => creativeOf(slices, bucket))).toEqual(['crA', 'crA', 'crB', 'crB']);
    expect(creativeOf([{ creativeId: 'crA', from: 10, to: 20 }], 20)).toBeNull();
  });

  it.each([
    ['two arms', experiment(), { crA: 0.5, crB: 0.5 }],
    ['uneven arms', experiment({ arms: [{ creativeId: 'crA', weight: 3 }, { creativeId: 'crB', weight: 1 }, { creativeId: 'crC', weight: 1 }] }), { crA: 0.6, crB: 0.2, crC: 0.2 }], // prettier-ignore
    ['holdout and coverage', experiment({ holdout: 0.1, coverage: 0.8 }), { crA: 0.36, crB: 0.36, holdout: 0.08, uncovered: 0.2 }],
  ])('is even within 1% of all accounts over 100,000: %s', (_, made, shares) => {
    const counts = countBy(made);
    expect(Object.keys(counts).sort()).toEqual(Object.keys(shares).sort());
    for (const [group, share] of Object.entries(shares)) expect(Math.abs(counts[group]! / ACCOUNTS - share), group).toBeLessThan(0.01);
  });

  it('of one experiment says nothing about that of another', () => {
    const other = experiment({ seed: 'exp-13' });
    let together = 0;
    for (let n = 0; n < ACCOUNTS; n++)
      if (assign(experiment(), `account-${n}`).creativeId === assign(other, `account-${n}`).creativeId) together++;
    expect(Math.abs(together / ACCOUNTS - 0.5)).toBeLessThan(0.01);
  });

  it('moves between arms nobody but those of the share that changed, and nobody when the holdout changes', () => {
    const before = experiment();
    const arms = [{ creativeId: 'crA', weight: 0.6 }, { creativeId: 'crB', weight: 0.4 }]; // prettier-ignore
    const after = { ...before, arms, holdout: 0.2, slices: moveSlices(before.slices, arms, 1) };
    let moved = 0;
    let heldOut = 0;
    for (let n = 0; n < ACCOUNTS; n++) {
      const was = assign(before, `account-${n}`).creativeId;
      const is = assign(after, `account-${n}`);
      if (is.group === 'holdout') heldOut++;
      else if (is.creativeId !== was) {
        moved++;
        expect(was).toBe('crB');
      }
    }
    expect(Math.abs(heldOut / ACCOUNTS - 0.2)).toBeLessThan(0.01);
    expect(Math.abs(moved / (ACCOUNTS - heldOut) - 0.1)).toBeLessThan(0.01);
  });
});

describe('keepOrAssign', () => {
  const DAY_MS = 86_400_000;
  const alone = [{ creativeId: 'crA', weight: 1 }];
  const withNoNew = [{ creativeId: 'crA', weight: 1 }, { creativeId: 'crB', weight: 0 }]; // prettier-ignore

  it.each([
    ['keeps what was seen within the window, though the arm gets no new accounts', withNoNew, 0, 'crB'],
    ['assigns anew when the window is over', withNoNew, 7, 'crA'],
    ['assigns anew when the creative is no arm any more', alone, 0, 'crA'],
  ])('%s', (_, arms, days, creativeId) => {
    const made = experiment({ arms });
    const held = { creativeId: 'crB', exposedAt: 5 * DAY_MS };
    expect(keepOrAssign(made, 'acme', held, (5 + days) * DAY_MS, 7 * DAY_MS).creativeId).toBe(creativeId);
  });

  it('assigns who has seen nothing', () => {
    expect(keepOrAssign(experiment(), 'acme', null, 0, DAY_MS)).toEqual(assign(experiment(), 'acme'));
  });
});
