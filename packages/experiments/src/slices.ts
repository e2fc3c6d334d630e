import type { Arm, Slice } from './experiment.ts';
import { BUCKETS } from './hash.ts';

/**
 * Slices at the start, as GrowthBook's bucket ranges: an arm has room for its share, one after another, and of each room the first part is
 * covered. So a coverage that grows later moves nobody from one arm to another.
 */
export function slicesOf(arms: readonly Arm[], coverage: number): Slice[] {
  const rooms = roomsOf(arms);
  const slices: Slice[] = [];
  let from = 0;
  for (const [at, { creativeId }] of arms.entries()) {
    const to = from + covered(rooms[at]!, coverage);
    if (to > from) slices.push({ creativeId, from, to });
    from += rooms[at]!;
  }
  return slices;
}

/**
 * Slices after a change of arms, weights or coverage. Arms whose share shrinks (to nothing, where an arm is gone) let go of their last buckets, and
 * arms whose share grows take those first, then uncovered ones; nobody else moves. No assignment with these shares would move fewer buckets.
 * Cutting the buckets anew by cumulated weights would move accounts between arms whose weights did not change.
 *
 * To undo a change, take the former slices again: computed from these, buckets would come back to their arms in another order.
 */
export function moveSlices(slices: readonly Slice[], arms: readonly Arm[], coverage: number): Slice[] {
  const owner = new Int8Array(BUCKETS).fill(UNCOVERED);
  const has = arms.map(() => 0);
  const armAt = new Map(arms.map(({ creativeId }, at) => [creativeId, at]));
  const released: number[] = [];
  for (const { creativeId, from, to } of slices) {
    const arm = armAt.get(creativeId);
    for (let bucket = from; bucket < to; bucket++) {
      owner[bucket] = arm ?? RELEASED;
      if (arm !== undefined) has[arm]!++;
    }
  }
  const wants = roomsOf(arms).map((room) => covered(room, coverage));
  for (let bucket = BUCKETS - 1; bucket >= 0; bucket--) {
    const arm = owner[bucket]!;
    if (arm === UNCOVERED || (arm !== RELEASED && has[arm]! <= wants[arm]!)) continue;
    if (arm !== RELEASED) has[arm]!--;
    owner[bucket] = UNCOVERED;
    released.push(bucket);
  }
  const wasReleased = new Set(released);
  const uncovered = [...owner.keys()].filter((bucket) => owner[bucket] === UNCOVERED && !wasReleased.has(bucket));
  const takers = [...released.toReversed(), ...uncovered].values();
  for (const arm of arms.keys()) {
    for (; has[arm]! < wants[arm]!; has[arm]!++) owner[takers.next().value!] = arm;
  }
  return runsOf(owner, arms);
}

/** Buckets that each creative has. */
export function bucketsByCreative(slices: readonly Slice[]): Map<string, number> {
  const buckets = new Map<string, number>();
  for (const { creativeId, from, to } of slices) buckets.set(creativeId, (buckets.get(creativeId) ?? 0) + to - from);
  return buckets;
}

const UNCOVERED = -1;
const RELEASED = -2;

/** Buckets for each arm's share under full coverage; they sum to all buckets. */
function roomsOf(arms: readonly Arm[]): number[] {
  const sum = arms.reduce((total, { weight }) => total + weight, 0);
  let weights = 0;
  let before = 0;
  return arms.map(({ weight }) => {
    weights += weight;
    const end = sum > 0 ? Math.round((weights / sum) * BUCKETS) : 0;
    const room = end - before;
    before = end;
    return room;
  });
}

function covered(room: number, coverage: number): number {
  return Math.round(room * Math.min(1, Math.max(0, coverage)));
}

function runsOf(owner: Int8Array, arms: readonly Arm[]): Slice[] {
  const slices: Slice[] = [];
  for (let from = 0, to = 0; from < BUCKETS; from = to) {
    const arm = owner[from]!;
    for (to = from + 1; to < BUCKETS && owner[to] === arm;) to++;
    if (arm >= 0) slices.push({ creativeId: arms[arm]!.creativeId, from, to });
  }
  return slices;
}
