import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareAlerts } from './rank-alerts.ts';
import { alertOf, anyAlert, NOON } from './test-alerts.ts';

describe('the rank of alerts', () => {
  it('is: qualified, crossed, stage up, surge, other news, and what went down; then by value, then the latest', () => {
    const ranked = [
      alertOf({ id: 'mqa', type: 'account.mqa.entered', currentValue: null }),
      alertOf({ id: 'crossed 90', currentValue: 90 }),
      alertOf({ id: 'crossed 80, later', currentValue: 80, at: NOON + 1 }),
      alertOf({ id: 'crossed 80', currentValue: 80, at: NOON }),
      alertOf({ id: 'crossed, no value', currentValue: null }),
      alertOf({ id: 'stage', type: 'account.stage.changed', currentValue: 99 }),
      alertOf({ id: 'surge', type: 'account.surge.detected', currentValue: 500 }),
      alertOf({ id: 'role engaged', type: 'account.coverage.changed' }),
      alertOf({ id: 'stage down 70', type: 'account.stage.changed', direction: 'down', currentValue: 70 }),
      alertOf({ id: 'mqa over', type: 'account.mqa.exited', direction: 'down', currentValue: 60 }),
      alertOf({ id: 'surge over', type: 'account.surge.detected', direction: 'down', currentValue: 50 }),
    ];
    for (const shuffled of [ranked.toReversed(), ranked.toSorted((one, other) => (one.id < other.id ? 1 : -1))]) {
      expect(shuffled.toSorted(compareAlerts).map(({ id }) => id)).toEqual(ranked.map(({ id }) => id));
    }
  });

  it('is a total order: the same whatever order they came in', () => {
    fc.assert(
      fc.property(fc.uniqueArray(anyAlert, { selector: ({ id }) => id, maxLength: 10 }), (alerts) => {
        const ids = (list: typeof alerts) => list.toSorted(compareAlerts).map(({ id }) => id);
        expect(ids(alerts.toReversed())).toEqual(ids(alerts));
      }),
      { numRuns: 30 },
    );
  });
});
