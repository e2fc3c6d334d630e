/** What a member says of itself when it joins. */
export interface MemberClaims {
  readonly id: string;
  /** Of the group, when the partitions were given to it; -1 for a member that was given none yet. */
  readonly generation: number;
  /** Partitions that it works on, and goes on working on until it is told that it lost them. */
  readonly held: readonly number[];
}

export interface Assignment {
  readonly partitions: ReadonlyMap<string, readonly number[]>;
  /**
   * Partitions that nobody gets in this generation, because a member works on them that is to hand them over: it learns of it now, joins
   * again without them, and the generation after this one has them assigned.
   */
  readonly withheld: readonly number[];
}

/**
 * Spreads the partitions 0 to `count` - 1 over the members: balanced within one, and with as many as possible left where they are. The result
 * depends on nothing but the arguments, and not on the order of the members, so that any member may be the one who reckons it.
 */
export function assignSticky(members: readonly MemberClaims[], count: number): ReadonlyMap<string, readonly number[]> {
  if (members.length === 0) return new Map();
  const owned = new Map<string, number[]>(members.map(({ id }) => [id, []]));
  for (const [partition, owner] of ownersOf(members, count)) owned.get(owner)!.push(partition);

  // Whoever has most takes the places of one more than the others: that leaves most partitions where they are.
  const ranked = [...owned].toSorted(([a, ofA], [b, ofB]) => ofB.length - ofA.length || compare(a, b));
  const [base, more] = [Math.floor(count / ranked.length), count % ranked.length];
  const kept = ranked.map(([id, partitions], rank) => {
    const quota = rank < more ? base + 1 : base;
    return { id, quota, partitions: partitions.toSorted((a, b) => a - b).slice(0, quota) };
  });
  const taken = new Set(kept.flatMap(({ partitions }) => partitions));
  const free = Array.from({ length: count }, (_, partition) => partition).filter((partition) => !taken.has(partition));
  for (const { quota, partitions } of kept) partitions.push(...free.splice(0, quota - partitions.length));
  return new Map(kept.map(({ id, partitions }) => [id, partitions.toSorted((a, b) => a - b)]));
}

/** The same, less what another member still works on: no partition ever has two owners, and work on those that stay never stops. */
export function assignCooperatively(members: readonly MemberClaims[], count: number): Assignment {
  const holders = new Map<number, Set<string>>();
  for (const { id, held } of members) {
    for (const partition of held) holders.set(partition, (holders.get(partition) ?? new Set()).add(id));
  }
  const withheld: number[] = [];
  const partitions = new Map<string, readonly number[]>();
  for (const [id, wanted] of assignSticky(members, count)) {
    const given = wanted.filter((partition) => {
      const holding = holders.get(partition);
      return holding === undefined || holding.has(id);
    });
    withheld.push(...wanted.filter((partition) => !given.includes(partition)));
    partitions.set(id, given);
  }
  return { partitions, withheld: withheld.toSorted((a, b) => a - b) };
}

/** Where two members claim a partition, the one of the newer generation has it: the other missed that it was taken away. */
function ownersOf(members: readonly MemberClaims[], count: number): ReadonlyMap<number, string> {
  const owners = new Map<number, MemberClaims>();
  for (const member of members) {
    for (const partition of member.held) {
      if (!Number.isInteger(partition) || partition < 0 || partition >= count) continue;
      const other = owners.get(partition);
      if (other === undefined || isNewer(member, other)) owners.set(partition, member);
    }
  }
  return new Map([...owners].map(([partition, { id }]) => [partition, id]));
}

function isNewer(a: MemberClaims, b: MemberClaims): boolean {
  return a.generation > b.generation || (a.generation === b.generation && compare(a.id, b.id) < 0);
}

/** By code units: what a locale says of two ids may differ from one process to the next. */
function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
