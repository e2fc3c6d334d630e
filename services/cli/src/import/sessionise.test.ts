import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { createSessioniser, type Visit } from './sessionise.ts';

const MINUTE = 60_000;

function minutesOf(visits: readonly Visit[]): number[] {
  const sessions = createSessioniser<Visit>();
  return [...visits.flatMap((visit) => sessions.add(visit)), ...sessions.end()].map(({ minutes }) => minutes);
}

describe('minutes of a visit', () => {
  const rows: [what: string, visits: [host: string, minute: number][], minutes: number[]][] = [
    [
      'the gap to the next page',
      [
        ['a', 0],
        ['a', 2.5],
      ],
      [2.5, 0],
    ],
    [
      'at most ten',
      [
        ['a', 0],
        ['a', 11],
      ],
      [10, 0],
    ],
    [
      'a gap of exactly 30 minutes counts',
      [
        ['a', 0],
        ['a', 30],
      ],
      [10, 0],
    ],
    [
      'a longer gap does not',
      [
        ['a', 0],
        ['a', 30 + 1 / 60],
      ],
      [0, 0],
    ],
    [
      'the same second',
      [
        ['a', 0],
        ['a', 0],
      ],
      [0, 0],
    ],
    [
      'hosts do not mix',
      [
        ['a', 0],
        ['b', 1],
        ['a', 3],
        ['b', 5],
      ],
      [3, 4, 0, 0],
    ],
    [
      'a line logged late gives 0, and goes on from its own time',
      [
        ['a', 1],
        ['a', 0.5],
        ['a', 2],
      ],
      [0, 1.5, 0],
    ],
    [
      'another host far ahead does not end a session early',
      [
        ['a', 0],
        ['b', 33],
        ['a', 30],
      ],
      [10, 0, 0],
    ],
    [
      'a host comes back after its visit was let go',
      [
        ['a', 0],
        ['b', 60],
        ['a', 61],
      ],
      [0, 0, 0],
    ],
  ];
  test.each(rows)('%s', (_, visits, minutes) => {
    expect(minutesOf(visits.map(([host, minute]) => ({ host, occurredAt: minute * MINUTE })))).toEqual(minutes);
  });

  it('equals a look through the whole log, in the order of its lines', () => {
    // Steps of up to 4 minutes back stay within the slack that late lines get.
    const step = fc.record({ host: fc.constantFrom('a', 'b', 'c', 'd'), seconds: fc.integer({ min: -60, max: 1200 }) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        let clock = 0;
        const visits = steps.map(({ host, seconds }) => ({
          host,
          occurredAt: (clock = Math.max(clock, clock + Math.max(0, seconds) * 1000)) + Math.min(0, seconds) * 1000,
        }));
        const expected = visits.map(({ host, occurredAt }, at) => {
          const next = visits.slice(at + 1).find((later) => later.host === host);
          const gap = next === undefined ? -1 : next.occurredAt - occurredAt;
          return gap >= 0 && gap <= 30 * MINUTE ? Math.min(10, gap / MINUTE) : 0;
        });
        const sessions = createSessioniser<Visit>();
        const settled = [...visits.flatMap((visit) => sessions.add(visit)), ...sessions.end()];
        expect(settled.map(({ minutes }) => minutes)).toEqual(expected);
        expect(settled.map(({ host, occurredAt }) => ({ host, occurredAt }))).toEqual(visits);
      }),
    );
  });

  it('keeps no more visits waiting than it may, and says how many it let go', () => {
    const sessions = createSessioniser<Visit>(100);
    let waiting = 0;
    for (let at = 0; at < 5000; at++) {
      waiting += 1 - sessions.add({ host: `h${at}`, occurredAt: at }).length;
      expect(waiting).toBeLessThanOrEqual(100);
    }
    expect(sessions.cutShort).toBe(4900);
  });
});
