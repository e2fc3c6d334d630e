import { describe, expect, test } from 'vitest';
import { compare, type Side } from './pair.ts';
import { limitOf, PARTS } from './parts.ts';

/** Each look at it takes a thousandth of a millisecond, so that waiting for it ends. */
class Clock {
  #now = 0;
  readonly now = (): number => (this.#now += 0.001);

  /** A side whose rounds take so long, one after another. */
  side(units: number, roundsMs: readonly number[]): Side {
    const left = [...roundsMs];
    return { units, run: () => void (this.#now += left.shift()!) };
  }
}

describe('two sides are compared', () => {
  test('by the best round of each, the first of all left out', async () => {
    const clock = new Clock();
    const ours = clock.side(100, [1, 80, 50, 60, 90, 70]);
    const yardstick = clock.side(100, [1, 30, 40, 25, 90, 30]);
    expect(await compare({ ours, yardstick }, 1, clock.now)).toBeCloseTo(0.5, 2);
  });

  test('by what they do, not by how long a round of it is', async () => {
    const clock = new Clock();
    const ours = clock.side(100, [20, 20, 20, 20, 20, 20]);
    const yardstick = clock.side(1000, [50, 50, 50, 50, 50, 50]);
    expect(await compare({ ours, yardstick }, 1, clock.now)).toBeCloseTo(0.25, 2);
  });

  test('after what is to be prepared, which does not count', async () => {
    const clock = new Clock();
    const side = (): Side => ({ ...clock.side(100, [10, 10, 10, 10, 10, 10]), prepare: () => void clock.side(1, [500]).run() });
    expect(await compare({ ours: side(), yardstick: { ...side(), prepare: () => {} } }, 1, clock.now)).toBeCloseTo(1, 2);
  });

  test('and ours is made slower on demand, the yardstick is not', async () => {
    const clock = new Clock();
    const side = (): Side => clock.side(100, [10, 10, 10, 10, 10, 10]);
    expect(await compare({ ours: side(), yardstick: side() }, 2.5, clock.now)).toBeCloseTo(0.4, 2);
  });
});

test.each(PARTS)('$name is red when it is two and a half times as slow, and green when it is a third slower', (part) => {
  expect(part.usual / 2.5).toBeLessThan(limitOf(part));
  expect(part.usual / 1.34).toBeGreaterThan(limitOf(part));
});
