import { parseArgs } from 'node:util';

export const BENCH_NAMES = [
  'ceilings',
  'kafka',
  'ingest',
  'latency',
  'alerts',
  'alert-storm',
  'drain',
  'checkpoints',
  'recovery',
  'memory',
  'reads',
  'fan-out',
  'kpis',
] as const;
export type BenchName = (typeof BENCH_NAMES)[number];

/** How much of everything. Touches unless the name says otherwise. */
export interface Sizes {
  readonly accounts: number;
  readonly contacts: number;
  readonly ingestSingle: number;
  readonly ingestBatched: number;
  readonly latencyWarmUpSeconds: number;
  readonly latencySeconds: number;
  readonly alertWarmUpSeconds: number;
  readonly alertSeconds: number;
  readonly backlog: number;
  /** Backlogs of growing length, and of the length `growthTouches` in worlds of a growing number of accounts. */
  readonly growth: readonly number[];
  readonly growthTouches: number;
  readonly growthAccounts: readonly number[];
  /** Rows of a checkpoint. */
  readonly checkpointRows: readonly number[];
  /** Stored touches of each recovery. */
  readonly stored: readonly number[];
  readonly ceiling: number;
  /** On a Kafka broker. */
  readonly kafkaTouches: number;
  /** Items of the smallest shape that memory is measured on. */
  readonly memoryItems: number;
  readonly reads: {
    readonly seconds: number;
    readonly worlds: readonly { readonly accounts: number; readonly contacts: number }[];
    readonly perSecond: readonly number[];
  };
  readonly kpis: { readonly touches: number; readonly deals: number; readonly rounds: number };
  readonly streamClients: number;
  readonly runs: number;
  /** Of what takes long: at most this many. */
  readonly longRuns: number;
}

export interface BenchOptions {
  readonly names: readonly BenchName[];
  readonly quick: boolean;
  readonly sizes: Sizes;
  /** Measure nothing; make the page of what was measured. */
  readonly pageOnly: boolean;
  /** What was typed, for the page. */
  readonly command: string;
}

const WORLD = { accounts: 20_000, contacts: 280_000 };

const FULL: Sizes = {
  ...WORLD,
  ingestSingle: 30_000,
  ingestBatched: 400_000,
  latencyWarmUpSeconds: 6,
  latencySeconds: 15,
  alertWarmUpSeconds: 8,
  alertSeconds: 20,
  backlog: 1_000_000,
  growth: [1_000_000, 2_000_000, 5_000_000, 10_000_000],
  growthTouches: 2_000_000,
  growthAccounts: [20_000, 250_000, 500_000, 1_000_000],
  checkpointRows: [1000, 10_000, 100_000],
  stored: [1_000_000, 10_000_000],
  ceiling: 500_000,
  kafkaTouches: 1_000_000,
  memoryItems: 100_000,
  reads: { seconds: 8, worlds: [WORLD, { accounts: 1_000_000, contacts: 2_000_000 }], perSecond: [1000, 2500, 5000] },
  kpis: { touches: 10_000_000, deals: 100_000, rounds: 4 },
  streamClients: 1000,
  runs: 5,
  longRuns: 3,
};

const QUICK: Sizes = {
  ...WORLD,
  ingestSingle: 4000,
  ingestBatched: 50_000,
  latencyWarmUpSeconds: 2,
  latencySeconds: 4,
  alertWarmUpSeconds: 4,
  alertSeconds: 8,
  backlog: 100_000,
  growth: [100_000, 200_000],
  growthTouches: 100_000,
  growthAccounts: [20_000, 50_000],
  checkpointRows: [1000, 10_000],
  stored: [100_000, 300_000],
  ceiling: 100_000,
  kafkaTouches: 100_000,
  memoryItems: 20_000,
  reads: { seconds: 3, worlds: [WORLD], perSecond: [1000, 5000] },
  kpis: { touches: 100_000, deals: 2000, rounds: 3 },
  streamClients: 100,
  runs: 2,
  longRuns: 1,
};

/** @throws Error that says which option is wrong */
export function readOptions(args: readonly string[]): BenchOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      quick: { type: 'boolean', default: false },
      only: { type: 'string' },
      page: { type: 'boolean', default: false },
      runs: { type: 'string' },
    },
  });
  const sizes = values.quick ? QUICK : FULL;
  const runs = values.runs === undefined ? null : Number(values.runs);
  if (runs !== null && !(Number.isInteger(runs) && runs >= 1 && runs <= 100)) throw new Error('--runs takes a whole number from 1 to 100');
  if (values.page && args.length > 1) throw new Error('--page measures nothing, so it goes with no other option');
  return {
    pageOnly: values.page,
    names: values.only === undefined ? BENCH_NAMES : namesIn(values.only),
    quick: values.quick,
    sizes: runs === null ? sizes : { ...sizes, runs, longRuns: runs },
    command: ['pnpm bench', ...args].join(' '),
  };
}

function namesIn(list: string): BenchName[] {
  const wanted = list.split(',');
  const unknown = wanted.filter((name) => !(BENCH_NAMES as readonly string[]).includes(name));
  if (unknown.length > 0) throw new Error(`there is no bench ${unknown.join(', ')}; there are ${BENCH_NAMES.join(', ')}`);
  return BENCH_NAMES.filter((name) => wanted.includes(name));
}
