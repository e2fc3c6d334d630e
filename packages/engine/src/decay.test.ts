import { fc, test } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import { decayOf, powerOfTwo } from './decay.ts';
import { defaultModel } from './default-model.ts';

const DAY_MS = 86_400_000;
const model = (halfLifeDays: number) => ({ ...defaultModel, decay: { kind: 'exponential' as const, halfLifeDays } });

describe('exponential decay', () => {
  test.prop([fc.double({ min: 0.01, max: 400, noNaN: true }), fc.nat(4e10), fc.nat(4e10)])(
    'halves with each half-life, to the last digits',
    (halfLifeDays, occurredMs, ageMs) => {
      const decay = decayOf(model(halfLifeDays));
      const occurredAt = 1_750_000_000_000 + occurredMs;
      decay.halvingsDue(occurredAt + ageMs);
      const halfLifeMs = Math.round(halfLifeDays * DAY_MS);
      const expected = 2 ** (-ageMs / halfLifeMs);
      const got = decay.weight(occurredAt) * decay.factor(occurredAt + ageMs);
      // Whatever is below this has faded beyond the range that weights are kept in.
      if (expected > 2 ** -1000) expect(Math.abs(got - expected)).toBeLessThanOrEqual(1e-12 * expected);
      else expect(got).toBeLessThanOrEqual(2 ** -990);
    },
  );

  it('moves its landmark before weights leave the range of a number, and sums divided by then go on as if nothing was', () => {
    const decay = decayOf(model(1));
    const start = 1_750_000_000_000;
    decay.halvingsDue(start);
    let sum = decay.weight(start);
    let divisions = 0;
    for (let day = 1; day <= 5000; day++) {
      const now = start + day * DAY_MS;
      const halvings = decay.halvingsDue(now);
      if (halvings > 0) divisions++;
      sum *= powerOfTwo(-halvings);
      sum += decay.weight(now);
      expect(sum * decay.factor(now)).toBeCloseTo(2 - 2 ** -day, 10);
    }
    expect(divisions).toBe(12);
  });

  it.each([
    ['0', 0, 1],
    ['the largest power in range', 1023, 2 ** 1023],
    ['the smallest normal power', -1022, 2 ** -1022],
    ['below the normal range', -1023, 0],
    ['above the range', 1024, Infinity],
  ])('powers of two are exact: %s', (_what, exponent, power) => {
    expect(powerOfTwo(exponent)).toBe(power);
  });
});
