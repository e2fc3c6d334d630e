import { expect, it } from 'vitest';
import { leadVelocity } from './lead-velocity.ts';

const counts = { thisMonth: 1, lastMonth: 10, lastMonthToPoint: 0 };

it.each([
  ['in the first minute', 1 / 44_640, null],
  ['within the first day', 0.999 / 31, null],
  ['after the first day', 1 / 31, 31],
  ['at the end', 1, 1],
])('a month is projected %s, or not', (_, elapsed, projectedLeads) => {
  const told = leadVelocity({ ...counts, elapsed });
  expect(told.projectedLeads).toBe(projectedLeads);
  expect(told.projected === null).toBe(projectedLeads === null);
  expect(told.reasons.projected).toBe(projectedLeads === null ? 'less than a day of the month is over' : null);
});
