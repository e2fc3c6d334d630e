/** One side of a comparison: a round of it does so many units. */
export interface Side {
  readonly units: number;
  /** Before each round, and not part of its time. */
  prepare?(): Promise<void> | void;
  run(): Promise<void> | void;
}

/** A part of ours, and what does the least of the same job. */
export interface Pair {
  readonly ours: Side;
  readonly yardstick: Side;
  close?(): Promise<void>;
}

const ROUNDS = 5;

/**
 * Speed of ours divided by that of the yardstick: of each the best of some rounds by turns, since what disturbs a round only makes it slower.
 * @param slowness makes ours so many times slower, to see that it is noticed; 1 for as it is
 * @param clock in milliseconds
 */
export async function compare({ ours, yardstick }: Pair, slowness: number, clock = () => performance.now()): Promise<number> {
  let best = 0;
  let bestOfYardstick = 0;
  // The first round is for the compiler, and for files that are made.
  for (let round = 0; round <= ROUNDS; round++) {
    const yardstickSpeed = await speedOf(yardstick, 1, clock);
    const speed = await speedOf(ours, slowness, clock);
    if (round === 0) continue;
    best = Math.max(best, speed);
    bestOfYardstick = Math.max(bestOfYardstick, yardstickSpeed);
  }
  return best / bestOfYardstick;
}

/** Units per millisecond. */
async function speedOf(side: Side, slowness: number, clock: () => number): Promise<number> {
  await side.prepare?.();
  const startedAt = clock();
  await side.run();
  const end = startedAt + (clock() - startedAt) * slowness;
  while (clock() < end);
  return side.units / (clock() - startedAt);
}
