import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createIdChain } from './id-chain.ts';

function idsOf(lines: readonly string[], seed = 'log'): string[] {
  const chain = createIdChain(seed);
  return lines.map((line) => chain.next(line));
}

it('gives each line an id that depends on all lines up to it, and on nothing after it', () => {
  const line = fc.constantFrom('a', 'b', '');
  fc.assert(
    fc.property(fc.array(line, { maxLength: 20 }), fc.array(line, { maxLength: 20 }), (first, second) => {
      const [ids, others] = [idsOf(first), idsOf(second)];
      const differAt = first.findIndex((text, at) => text !== second[at]);
      const shared = differAt < 0 ? first.length : differAt;
      expect(others.slice(0, shared)).toEqual(ids.slice(0, shared));
      expect(new Set([...ids, ...others]).size).toBe(first.length + second.length - shared);
    }),
  );
});

it('gives other ids when a file is read in another way', () => {
  expect(idsOf(['a'], 'one')).not.toEqual(idsOf(['a'], 'other'));
});
