import { fc, test } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import { medianStayHours } from './kaplan-meier.ts';

describe('the median of stays', () => {
  it.each([
    ['nothing', [], null],
    ['none that ended', [{ hours: 5, ended: 0, open: 3 }], null],
    ['one', [{ hours: 5, ended: 1, open: 0 }], 5],
    [
      'one of two that goes on longer',
      [
        { hours: 5, ended: 1, open: 0 },
        { hours: 9, ended: 0, open: 1 },
      ],
      5,
    ],
    [
      'one that went on less long, of which nobody knows',
      [
        { hours: 2, ended: 0, open: 2 },
        { hours: 5, ended: 1, open: 0 },
        { hours: 9, ended: 1, open: 0 },
      ],
      5,
    ],
    [
      'too few that ended',
      [
        { hours: 2, ended: 1, open: 0 },
        { hours: 5, ended: 0, open: 2 },
      ],
      null,
    ],
    [
      // Freireich's trial of 6-mercaptopurine, 21 patients in remission: the textbook's example, whose median is 23 weeks.
      'remissions',
      [
        { hours: 6, ended: 3, open: 1 },
        { hours: 7, ended: 1, open: 0 },
        { hours: 9, ended: 0, open: 1 },
        { hours: 10, ended: 1, open: 1 },
        { hours: 11, ended: 0, open: 1 },
        { hours: 13, ended: 1, open: 0 },
        { hours: 16, ended: 1, open: 0 },
        { hours: 17, ended: 0, open: 1 },
        { hours: 19, ended: 0, open: 1 },
        { hours: 20, ended: 0, open: 1 },
        { hours: 22, ended: 1, open: 0 },
        { hours: 23, ended: 1, open: 0 },
        { hours: 25, ended: 0, open: 1 },
        { hours: 32, ended: 0, open: 2 },
        { hours: 34, ended: 0, open: 1 },
        { hours: 35, ended: 0, open: 1 },
      ],
      23,
    ],
  ])('of %s', (_name, stays, expected) => {
    expect(medianStayHours(stays)).toBe(expected);
  });

  test.prop([fc.array(fc.nat(50), { minLength: 1, maxLength: 60 })])('is the middle one where all have ended', (lengths) => {
    const stays = [...new Set(lengths)]
      .toSorted((a, b) => a - b)
      .map((hours) => ({ hours, ended: lengths.filter((one) => one === hours).length, open: 0 }));
    expect(medianStayHours(stays)).toBe(lengths.toSorted((a, b) => a - b)[Math.ceil(lengths.length / 2) - 1]);
  });
});
