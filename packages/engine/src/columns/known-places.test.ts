import { fc, test } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import { KnownPlaces } from './known-places.ts';

describe('known places', () => {
  // Few places and few slots, and bytes that seldom change: names meet.
  const buffer = fc.oneof({ weight: 19, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.constant(1) });
  const lookUp = fc.record({ scope: fc.nat(5), start: fc.nat(5), length: fc.nat(1), buffer });

  test.prop([fc.array(lookUp, { maxLength: 200 })])('give no number but the last one kept for the same name', (lookUps) => {
    const buffers = [new Uint8Array(64), new Uint8Array(64)];
    const places = new KnownPlaces(2);
    const kept = new Map<string, number>();
    for (const [number, { buffer, length, scope, start }] of lookUps.entries()) {
      const bytes = buffers[buffer]!;
      const found = places.find(scope, bytes, start, start + length);
      const key = `${buffer} ${scope} ${start} ${length}`;
      if (found >= 0) expect(found).toBe(kept.get(key));
      places.keep(scope, bytes, start, start + length, number);
      kept.set(key, number);
      expect(places.find(scope, bytes, start, start + length)).toBe(number);
    }
  });

  it('forget those of other bytes', () => {
    const [one, other] = [new Uint8Array(8), new Uint8Array(8)];
    const places = new KnownPlaces(3);
    places.keep(0, one, 1, 4, 7);
    expect(places.find(0, other, 1, 4)).toBe(-1);
    places.keep(0, other, 5, 6, 8);
    expect(places.find(0, other, 1, 4)).toBe(-1);
    expect(places.find(0, one, 1, 4)).toBe(-1);
  });
});
