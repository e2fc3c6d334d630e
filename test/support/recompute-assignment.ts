/**
 * Which creative an account of an experiment is given, a second time and by the description alone: ARCHITECTURE.md, "Who sees what". It shares no
 * code with packages/experiments, and is written for clearness where that one is written for speed.
 */

/** Owner of each of the 10,000 buckets; null for one that is not covered. */
export type Owners = readonly (string | null)[];

export interface Shares {
  /** In the order of the arms, with their weights. */
  readonly arms: readonly { readonly creativeId: string; readonly weight: number }[];
  readonly coverage: number;
}

const BUCKETS = 10_000;
const [OFFSET_BASIS, PRIME, MODULUS] = [2_166_136_261n, 16_777_619n, 2n ** 32n];

/** FNV-1a with 32 bits, in whole numbers without a size. */
function fnv1a(text: string): bigint {
  return Array.from({ length: text.length }, (_, at) => BigInt(text.charCodeAt(at))).reduce(
    (hash, unit) => ((hash ^ unit) * PRIME) % MODULUS,
    OFFSET_BASIS,
  );
}

/** GrowthBook's hash of version 2, in ten-thousandths: the digits of the first hash are hashed again. */
export function bucketAgain(seed: string, accountId: string): number {
  return Number(fnv1a(fnv1a(seed + accountId).toString(10)) % BigInt(BUCKETS));
}

export function isHeldOutAgain(seed: string, holdout: number, accountId: string): boolean {
  return bucketAgain(`${seed}/holdout/`, accountId) < Math.round(holdout * BUCKETS);
}

/** At the start: each arm has room for its share, one after another, and the first part of each room is covered. */
export function ownersAtStart({ arms, coverage }: Shares): Owners {
  const owners: (string | null)[] = [];
  for (const [at, { creativeId }] of arms.entries()) {
    const room = roomEnd(arms, at) - roomEnd(arms, at - 1);
    const covered = Math.round(room * coverage);
    for (let n = 0; n < room; n++) owners.push(n < covered ? creativeId : null);
  }
  return owners;
}

/** A creative is swapped out: its buckets, lowest first, go to the arms that are to have more, in the order of the arms; then uncovered ones do. */
export function ownersWithout(owners: Owners, creativeId: string, { arms, coverage }: Shares): Owners {
  const left = arms.filter((arm) => arm.creativeId !== creativeId);
  const next = owners.map((owner) => (owner === creativeId ? null : owner));
  const free = [
    ...owners.flatMap((owner, bucket) => (owner === creativeId ? [bucket] : [])),
    ...owners.flatMap((owner, bucket) => (owner === null ? [bucket] : [])),
  ];
  for (const [at, arm] of left.entries()) {
    const wanted = Math.round((roomEnd(left, at) - roomEnd(left, at - 1)) * coverage);
    const has = next.filter((owner) => owner === arm.creativeId).length;
    if (has > wanted) throw new Error(`${arm.creativeId} would have less than before: the description says more of that`);
    for (let n = has; n < wanted; n++) next[free.shift()!] = arm.creativeId;
  }
  return next;
}

function roomEnd(arms: Shares['arms'], at: number): number {
  const sumTo = (end: number): number => arms.slice(0, end + 1).reduce((sum, { weight }) => sum + weight, 0);
  return Math.round((sumTo(at) / sumTo(arms.length - 1)) * BUCKETS);
}
