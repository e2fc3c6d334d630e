import { deviationOf, planPower } from '@touchstone/experiments';
import { banditDaily, checkRatioDaily, median, peekDaily, swapDaily } from './run-experiments.ts';
import { SimulatedExperiment, type World } from './simulate-experiments.ts';

/** How many experiments of each kind are run. */
export interface Runs {
  readonly seed: number;
  readonly same: number;
  readonly lifted: number;
  readonly auto: number;
  readonly ratio: number;
  readonly bandit: number;
}

export interface Figure {
  readonly what: string;
  readonly experiments: number;
  readonly found: number;
  /** What the share found must not be above, or not below; null where it is told for comparison. */
  readonly most?: number;
  readonly least?: number;
  /** Accounts to it, in the median of those found. */
  readonly medianAccounts?: number;
}

const LEVEL = 0.05;
const DAYS = 60;
const LEAST_ACCOUNTS = 100;
const RATIO_LEVEL = 0.001;
/** Accounts with 1 to 8 contacts, 14 impressions in the mean; clicks go together inside accounts. */
const SAME = { accountsPerDay: 40, clickRate: 0.02, lifts: [0, 0], accountSpread: 1 };
const RULE = { outcome: 'clickRate', level: LEVEL, tunedForAccounts: 1_200, leastAccounts: LEAST_ACCOUNTS, sampleRatioLevel: RATIO_LEVEL, leftOutMax: 0.2 } as const; // prettier-ignore

/** All that is claimed of how experiments are judged. */
export function experimentFigures(runs: Runs): Figure[] {
  const world = { seed: runs.seed, ...SAME };
  return [
    ...withoutDifference(world, runs),
    ...withLift(world, runs),
    ...ofAuto(world, runs),
    ...ofRatio(world, runs),
    ...ofBandit(world, runs),
  ];
}

function withoutDifference(world: World, { same }: Runs): Figure[] {
  const found = peekDaily(world, { experiments: same, days: DAYS, level: LEVEL, leastAccounts: LEAST_ACCOUNTS });
  return [
    { what: 'A/A, click rate by account, looked at daily', experiments: same, found: found.clickRate.length, most: LEVEL },
    { what: 'A/A, accounts that clicked, looked at daily', experiments: same, found: found.clicked.length, most: LEVEL },
    { what: 'A/A, test of two proportions by click, looked at daily', experiments: same, found: found.perClick.length, least: 0.3 },
    { what: 'A/A, test of two proportions by click, looked at once', experiments: same, found: found.perClickAtEnd.length, least: 0.08 },
  ];
}

/** As many accounts as `planPower` says, for a click rate a fifth higher. */
function withLift(world: World, { lifted }: Runs): Figure[] {
  const pilot = new SimulatedExperiment({ ...world, accountsPerDay: 20_000 }, 0);
  pilot.nextDay();
  const deviation = deviationOf(pilot.pooled[0]!.moments.clickRate);
  const plan = planPower({ baseline: world.clickRate, deviation, lift: 0.2, level: LEVEL, power: 0.8, armCount: 2, hasControl: true });
  const found = peekDaily(
    { ...world, accountsPerDay: Math.ceil(plan.accounts / DAYS), lifts: [0, 0.2] },
    { experiments: lifted, days: DAYS, level: LEVEL, leastAccounts: LEAST_ACCOUNTS, tunedForAccounts: plan.tunedForAccounts },
  );
  const what = `+20% click rate, within the ${plan.accounts.toLocaleString('en')} accounts planned for 80% power`;
  // Three standard deviations below the planned power: 80% less what chance may take.
  const least = 0.8 - 3 * Math.sqrt((0.8 * 0.2) / lifted);
  return [
    { what, experiments: lifted, found: found.clickRate.length, least, medianAccounts: median(found.clickRate) },
    { what: 'the same, by accounts that clicked', experiments: lifted, found: found.clicked.length, medianAccounts: median(found.clicked) },
  ];
}

function ofAuto(world: World, { auto }: Runs): Figure[] {
  const ofTwo = swapDaily(world, { experiments: auto, days: DAYS, ...RULE });
  const ofFour = swapDaily({ ...world, accountsPerDay: 80, lifts: [0, 0, 0, 0] }, { experiments: auto, days: DAYS, ...RULE });
  const worse = swapDaily(
    { ...world, accountsPerDay: 400, lifts: [0, 0, 0, -0.4] },
    { experiments: Math.ceil(auto / 10), days: DAYS, ...RULE },
  );
  const right = worse.filter(({ creativeId }) => creativeId === 'creative-3');
  return [
    { what: 'auto, two equal arms: swapped one out', experiments: auto, found: ofTwo.length, most: LEVEL },
    { what: 'auto, four equal arms: swapped one out', experiments: auto, found: ofFour.length, most: LEVEL },
    { what: 'auto, one of four arms 40% worse: swapped that one out first', experiments: Math.ceil(auto / 10), found: right.length, least: 0.9, medianAccounts: median(right.map(({ accounts }) => accounts)) }, // prettier-ignore
  ];
}

function ofRatio(world: World, { ratio }: Runs): Figure[] {
  const many = { ...world, accountsPerDay: 200 };
  const apart = Math.ceil(ratio / 5);
  const of52 = checkRatioDaily(many, [0.52, 0.48], apart, 100, RATIO_LEVEL);
  const of55 = checkRatioDaily(many, [0.55, 0.45], apart, 100, RATIO_LEVEL);
  return [
    { what: 'sample ratio at level 0.05, 50 to 50: false alarm', experiments: ratio, found: checkRatioDaily(many, [0.5, 0.5], ratio, 50, LEVEL).length, most: LEVEL }, // prettier-ignore
    { what: 'sample ratio at level 0.001, 52 to 48, 20,000 accounts: alarm', experiments: apart, found: of52.length, least: 0.7, medianAccounts: median(of52) }, // prettier-ignore
    { what: 'sample ratio at level 0.001, 55 to 45, 20,000 accounts: alarm', experiments: apart, found: of55.length, least: 0.99, medianAccounts: median(of55) }, // prettier-ignore
  ];
}

/** Click rates grow by a twentieth a day while shares move: whoever pools all accounts compares early days with late ones. */
function ofBandit(world: World, { bandit }: Runs): Figure[] {
  const found = banditDaily(
    { ...world, driftPerDay: 0.05 },
    { experiments: bandit, days: 40, level: LEVEL, leastAccounts: LEAST_ACCOUNTS },
  );
  return [
    {
      what: 'A/A under a bandit, click rates growing, accounts weighed by their shares',
      experiments: bandit,
      found: found.weighed,
      most: LEVEL,
    },
    { what: 'the same, all accounts pooled', experiments: bandit, found: found.pooled },
  ];
}

/** What is wrong with a figure, or null. */
export function wrongWith({ experiments, found, least = 0, most = 1, what }: Figure): string | null {
  const share = found / experiments;
  return share > most || share < least ? `${what}: ${found} of ${experiments}, which is not between ${least} and ${most}` : null;
}

/** A row of the table in ARCHITECTURE.md. */
export function rowOf({ experiments, found, medianAccounts, what }: Figure): string {
  const accounts = medianAccounts === undefined ? '' : medianAccounts.toLocaleString('en');
  return `| ${what} | ${experiments.toLocaleString('en')} | ${((100 * found) / experiments).toFixed(1)}% | ${accounts} |`;
}
