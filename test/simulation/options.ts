import { createRandom } from '../support/random.ts';
import type { WakeOrder } from './host.ts';
import { NO_LINK_FAULTS, type LinkFaults } from './link.ts';

/** What happens once to the whole log, after which a start must be refused by name. */
export type Disaster = 'made anew' | 'swept' | 'truncated';

/** All that decides a run besides the seed of its chances. Printed with a failure. */
export interface SimulationOptions {
  readonly seed: number;
  readonly partitions: number;
  readonly instances: number;
  readonly accounts: number;
  readonly records: number;
  /** Taken from a generated hostile history instead of plain traffic. */
  readonly isHostile: boolean;
  /** The model in force from the beginning has rules that make alerts; then no other follows it, and the log's clock never falls: see `rules.ts`. */
  readonly hasRules: boolean;
  readonly models: number;
  readonly poisonRate: number;
  readonly repeatRate: number;
  /** How long faults are injected, in virtual milliseconds. */
  readonly faultsMs: number;
  readonly publishIntervalMs: number;
  readonly checkpointIntervalMs: number;
  readonly pendingBytesMax: number;
  readonly tailBytesMax: number;
  readonly dedupeHorizonMs: number;
  readonly sessionTimeoutMs: number;
  /** Mean time between two of a kind in virtual milliseconds; 0 for never. */
  readonly every: {
    readonly crash: number;
    readonly stall: number;
    readonly restart: number;
    readonly rebalance: number;
    readonly storeOutage: number;
    readonly brokerOutage: number;
    readonly clockStep: number;
  };
  readonly stallMsMax: number;
  readonly storeOutageMsMax: number;
  /** Probability that a process comes to a stand between a decision and the request that follows from it. */
  readonly stallBeforeSend: number;
  readonly wakeOrder: WakeOrder;
  readonly logFaults: LinkFaults;
  readonly storeFaults: LinkFaults;
  readonly resendRate: number;
  readonly offsetsSkippedRate: number;
  readonly isSticky: boolean;
  readonly revokesToJoin: boolean;
  readonly leavesPolitely: boolean;
  readonly overlapsHandlers: boolean;
  readonly takesCommitsOfFormerOwners: boolean;
  readonly repeatsBlocksRate: number;
  readonly splitsBlocksRate: number;
  readonly pageOffsets: number;
  /** How often the log's own clock stands up to an hour behind for one batch. */
  readonly logClockBackRate: number;
  readonly disaster: Disaster | null;
  /** How often hours or days pass at once with nothing on the log: only where there are rules, as nothing else waits for time to pass. */
  readonly leaps: number;
}

const HOUR_MS = 3_600_000;
/** For so many days figures of creatives are kept. */
export const CREATIVE_DAYS = 90;

/** The options of a seed, but nothing fails and rules are in force: what is left is how time passes. */
export function undisturbed(seed: number): SimulationOptions {
  return {
    ...drawOptions(seed),
    hasRules: true,
    models: 0,
    every: { crash: 0, stall: 0, restart: 0, rebalance: 0, storeOutage: 0, brokerOutage: 0, clockStep: 0 },
    logFaults: NO_LINK_FAULTS,
    storeFaults: NO_LINK_FAULTS,
    stallBeforeSend: 0,
    resendRate: 0,
    disaster: null,
    logClockBackRate: 0,
    leaps: 8,
  };
}

/** The options of a seed: mostly small and mildly disturbed, sometimes large or wild. */
export function drawOptions(seed: number): SimulationOptions {
  const random = createRandom(Math.imul(seed + 1, 0x9e3779b1));
  const maybe = (probability: number, least: number, most: number): number => (random.chance(probability) ? random.whole(least, most) : 0);
  const rate = (probability: number, most: number): number => (random.chance(probability) ? random() * most : 0);
  const linkFaults = (): LinkFaults =>
    random.chance(0.3)
      ? NO_LINK_FAULTS
      : { lostBefore: rate(0.6, 0.1), lostAfter: rate(0.7, 0.2), late: rate(0.4, 0.05), slow: rate(0.4, 0.05) };
  const isLarge = random.chance(0.1);
  const isHostile = random.chance(0.4);
  const sessionTimeoutMs = random.pick([1000, 2000, 4000]);
  const drawn: SimulationOptions = {
    seed,
    partitions: random.chance(0.5) ? random.whole(1, 3) : random.whole(1, 8),
    instances: random.pick([1, 2, 2, 3, 3, 4]),
    accounts: isLarge ? random.whole(50, 200) : random.whole(5, 40),
    records: isLarge ? random.whole(800, 3000) : random.whole(150, 500),
    isHostile,
    hasRules: false,
    models: random.chance(0.4) ? random.whole(1, 3) : 0,
    poisonRate: rate(0.5, 0.05),
    repeatRate: rate(0.8, 0.1),
    faultsMs: random.whole(5, 25) * 1000,
    publishIntervalMs: random.pick([50, 100, 250]),
    checkpointIntervalMs: random.pick([200, 500, 1000, 3000]),
    pendingBytesMax: random.chance(0.3) ? random.whole(500, 4000) : 64 * 1024 * 1024,
    dedupeHorizonMs: random.pick([HOUR_MS, 48 * HOUR_MS]),
    sessionTimeoutMs,
    every: {
      crash: maybe(0.7, 2000, 15_000),
      stall: maybe(0.7, 2000, 15_000),
      restart: maybe(0.5, 3000, 15_000),
      rebalance: maybe(0.4, 1500, 10_000),
      storeOutage: maybe(0.4, 4000, 20_000),
      brokerOutage: maybe(0.2, 5000, 20_000),
      clockStep: maybe(0.3, 2000, 10_000),
    },
    stallMsMax: sessionTimeoutMs * random.pick([0.5, 1.5, 3]),
    storeOutageMsMax: random.pick([500, 5000, 60_000]),
    stallBeforeSend: rate(0.4, 0.02),
    wakeOrder: random.pick(['as due', 'timers first', 'any']),
    logFaults: linkFaults(),
    storeFaults: linkFaults(),
    resendRate: rate(0.6, 0.1),
    offsetsSkippedRate: rate(0.5, 0.2),
    isSticky: random.chance(0.5),
    revokesToJoin: random.chance(0.5),
    leavesPolitely: random.chance(0.5),
    overlapsHandlers: random.chance(0.3),
    takesCommitsOfFormerOwners: random.chance(0.5),
    repeatsBlocksRate: rate(0.5, 0.5),
    splitsBlocksRate: rate(0.5, 0.3),
    pageOffsets: random.pick([7, 60, 1000]),
    disaster: random.chance(0.04) ? random.pick(['made anew', 'swept', 'truncated']) : null,
    logClockBackRate: rate(0.15, 0.1),
    leaps: 0,
    // These are drawn last: what was drawn before them stays what it was.
    tailBytesMax: random.chance(0.5) ? random.whole(0, 3000) : 1024 * 1024,
  };
  return random.chance(0.5) ? { ...drawn, hasRules: true, models: 0, logClockBackRate: 0, leaps: random.whole(0, 8) } : drawn;
}
