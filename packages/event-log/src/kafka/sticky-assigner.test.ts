import { fc } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import { assignCooperatively, assignSticky } from './sticky-assigner.ts';
import type { MemberClaims } from './sticky-assigner.ts';

const PARTITIONS_MAX = 12;

/** Members with any claims: overlapping, outdated, and on partitions that are not there. */
const anyGroup = fc
  .tuple(fc.nat(PARTITIONS_MAX), fc.uniqueArray(fc.string({ maxLength: 3 }), { minLength: 1, maxLength: 6 }))
  .chain(([count, ids]) => {
    const claims = ids.map((id) =>
      fc.record({
        id: fc.constant(id),
        generation: fc.integer({ min: -1, max: 3 }),
        held: fc.uniqueArray(fc.integer({ min: -1, max: PARTITIONS_MAX + 1 })),
      }),
    );
    return fc.tuple(fc.constant(count), fc.tuple(...claims));
  });

/** As members are that tell the truth: nobody holds what another holds. */
const soundGroup = fc.tuple(fc.array(fc.nat(5), { maxLength: PARTITIONS_MAX }), fc.integer({ min: 1, max: 6 })).map(([owners, size]) => {
  const members = Array.from({ length: size }, (_, i) => ({
    id: `m${i}`,
    generation: 1,
    held: owners.flatMap((owner, partition) => (owner === i ? [partition] : [])),
  }));
  return [owners.length, members] as const;
});

const member = (id: string, held: readonly number[], generation = 1): MemberClaims => ({ id, held, generation });
const asObject = (assignment: ReadonlyMap<string, readonly number[]>) => Object.fromEntries(assignment);

describe('assignSticky', () => {
  it.each([
    { what: 'one member gets all', members: [member('a', [])], count: 3, expected: { a: [0, 1, 2] } },
    {
      what: 'nothing held is dealt out in order',
      members: [member('b', []), member('a', [])],
      count: 4,
      expected: { a: [0, 1], b: [2, 3] },
    },
    {
      what: 'all stay where the spread is even',
      members: [member('a', [1, 3]), member('b', [0, 2])],
      count: 4,
      expected: { a: [1, 3], b: [0, 2] },
    },
    {
      what: 'a new one takes no more than its share',
      members: [member('a', [0, 1]), member('b', [2, 3]), member('c', [])],
      count: 4,
      expected: { a: [0, 1], b: [2], c: [3] },
    },
    {
      what: 'what one left goes to those with least',
      members: [member('a', [0, 1]), member('b', [2])],
      count: 6,
      expected: { a: [0, 1, 3], b: [2, 4, 5] },
    },
    {
      what: 'of two claims the newer counts',
      members: [member('a', [0, 1], 4), member('b', [0, 1], 5)],
      count: 4,
      expected: { a: [2, 3], b: [0, 1] },
    },
    {
      what: 'more members than partitions',
      members: [member('a', []), member('b', [0]), member('c', [])],
      count: 1,
      expected: { a: [], b: [0], c: [] },
    },
    {
      what: 'claims on partitions that are not there',
      members: [member('a', [7, -1, 0.5]), member('b', [])],
      count: 2,
      expected: { a: [0], b: [1] },
    },
  ])('$what', ({ members, count, expected }) => {
    expect(asObject(assignSticky(members, count))).toEqual(expected);
  });

  it('gives nobody anything when there is nobody', () => {
    expect(assignSticky([], 3).size).toBe(0);
  });

  it('assigns every partition once, balanced within one, whatever is claimed', () => {
    fc.assert(
      fc.property(anyGroup, ([count, members]) => {
        const assigned = [...assignSticky(members, count).values()];
        expect(assigned.flat().toSorted((a, b) => a - b)).toEqual(Array.from({ length: count }, (_, i) => i));
        const sizes = assigned.map(({ length }) => length);
        expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
      }),
    );
  });

  it('does not depend on the order of members or claims', () => {
    fc.assert(
      fc.property(anyGroup, ([count, members]) => {
        const reversed = members.toReversed().map((claims) => ({ ...claims, held: claims.held.toReversed() }));
        expect(asObject(assignSticky(reversed, count))).toEqual(asObject(assignSticky(members, count)));
      }),
    );
  });

  it('leaves as many where they are as any balanced spread could', () => {
    fc.assert(
      fc.property(soundGroup, ([count, members]) => {
        const assignment = assignSticky(members, count);
        const kept = members.flatMap(({ id, held }) => held.filter((partition) => assignment.get(id)!.includes(partition))).length;
        expect(kept).toBe(mostKept(members, count));
      }),
    );
  });
});

describe('assignCooperatively', () => {
  it('gives a partition to nobody while another holds it, and to its new owner once it does not', () => {
    const before = [member('a', [0, 1, 2, 3]), member('b', [])];
    const first = assignCooperatively(before, 4);
    expect(asObject(first.partitions)).toEqual({ a: [0, 1], b: [] });
    expect(first.withheld).toEqual([2, 3]);
    const second = assignCooperatively([member('a', [0, 1], 2), member('b', [], 2)], 4);
    expect(asObject(second.partitions)).toEqual({ a: [0, 1], b: [2, 3] });
    expect(second.withheld).toEqual([]);
  });

  it('never gives what another member claims, and names all that it gives to nobody', () => {
    fc.assert(
      fc.property(anyGroup, ([count, members]) => {
        const { partitions, withheld } = assignCooperatively(members, count);
        for (const [id, given] of partitions) {
          for (const partition of given) {
            const holders = members.filter(({ held }) => held.includes(partition));
            expect(holders.length === 0 || holders.some((holder) => holder.id === id)).toBe(true);
          }
        }
        expect([...partitions.values(), withheld].flat().toSorted((a, b) => a - b)).toEqual(Array.from({ length: count }, (_, i) => i));
      }),
    );
  });

  it('is done after one more generation, when members hold what they were given', () => {
    fc.assert(
      fc.property(anyGroup, ([count, members]) => {
        const first = assignCooperatively(members, count).partitions;
        const second = assignCooperatively(
          members.map(({ id }) => member(id, first.get(id)!, 9)),
          count,
        );
        expect(second.withheld).toEqual([]);
        const third = assignCooperatively(
          members.map(({ id }) => member(id, second.partitions.get(id)!, 10)),
          count,
        );
        expect(asObject(third.partitions)).toEqual(asObject(second.partitions));
      }),
    );
  });
});

/** By trying who gets the places of one more than the others. */
function mostKept(members: readonly MemberClaims[], count: number): number {
  const [base, more] = [Math.floor(count / members.length), count % members.length];
  let most = 0;
  for (let chosen = 0; chosen < 2 ** members.length; chosen++) {
    const withOneMore = (i: number) => (chosen >> i) & 1;
    if (members.reduce((sum, _, i) => sum + withOneMore(i), 0) !== more) continue;
    const kept = members.reduce((sum, { held }, i) => sum + Math.min(held.length, base + withOneMore(i)), 0);
    most = Math.max(most, kept);
  }
  return most;
}
