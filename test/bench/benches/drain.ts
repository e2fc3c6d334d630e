import { BACKLOG_DAYS, startBenchServer, stopCleanly, type BenchContext } from '../bench-context.ts';
import { figure, median, type Figure, type Section } from '../figures.ts';
import { readMetrics, untilStored } from '../load/server-metrics.ts';
import { watchUsage } from '../load/process-usage.ts';
import type { Plot, PlotPoint } from '../plot/plot.ts';

const MEGABYTE = 2 ** 20;
const MILLION = 1e6;
/** Of ten million touches, on a slow machine. */
const READY_WITHIN_MS = 10 * 60_000;
/** As many as the smaller worlds have for each of their accounts. */
const CONTACTS_PER_ACCOUNT = 14;

interface Drain {
  readonly touches: number;
  readonly accounts: number;
  readonly runs: readonly DrainRun[];
}

interface DrainRun {
  readonly readySeconds: number;
  readonly storedSeconds: number;
  readonly cpuSeconds: number;
  readonly peakMegabytes: number;
  /** That have touches. */
  readonly accounts: number;
  readonly contacts: number;
}

/** How fast a server works off what waits on the log, and whether that grows in proportion. */
export async function benchDrain(context: BenchContext): Promise<Section> {
  const { growth, growthAccounts, growthTouches } = context.sizes;
  const byTouches: Drain[] = [];
  for (const touches of growth) byTouches.push(await drain(context, touches, context.sizes.accounts));
  const byAccounts: Drain[] = [];
  for (const accounts of growthAccounts) {
    const known = byTouches.find((one) => one.touches === growthTouches && one.accounts === accounts);
    byAccounts.push(known ?? (await drain(context, growthTouches, accounts)));
  }
  const largest = { touches: growth.at(-1)!, accounts: growthAccounts.at(-1)! };
  const all = [...new Set([...byTouches, ...byAccounts, await drain(context, largest.touches, largest.accounts, 1)])];
  return {
    title: 'Drain of a backlog',
    text:
      `The log holds touches of ${BACKLOG_DAYS} days that no server has seen. From the start of the process, loading ClickHouse included, ` +
      'until it is ready, that is every score is up to date; and until it has stored everything and left. CPU is that of all threads over ' +
      'the whole life of the process, memory the most that was resident at once.',
    figures: all.flatMap(figuresOf),
    plots: [timePlot(byTouches), memoryPlot(byAccounts)],
  };
}

async function drain(context: BenchContext, touches: number, accounts: number, runsMax = Infinity): Promise<Drain> {
  const { dropBacklog, dropDirectory, keepStored, sizes } = context;
  const isUsual = accounts === sizes.accounts;
  const world = { accounts, contacts: isUsual ? sizes.contacts : accounts * CONTACTS_PER_ACCOUNT };
  const runs: DrainRun[] = [];
  const isShort = touches <= sizes.backlog;
  for (let run = 0; run < Math.min(runsMax, isShort ? sizes.runs : sizes.longRuns); run++) {
    const data = await context.backlog(touches, world);
    runs.push(await drainOnce(data, touches));
    if (isUsual && isShort) keepStored(touches, data);
    else dropDirectory(data);
  }
  if (!isShort) dropBacklog(touches, world);
  return { touches, accounts, runs };
}

async function drainOnce(data: string, touches: number): Promise<DrainRun> {
  const startedAt = performance.now();
  const server = await startBenchServer(data, { waitFor: 'nothing', readyWithinMs: READY_WITHIN_MS });
  const usage = watchUsage(server.pid);
  await server.becomes('ready');
  const readySeconds = (performance.now() - startedAt) / 1000;
  const { accounts, contacts } = await readMetrics(server.url);
  // A million scores take longer than a server has to stop.
  await untilStored(server.url, touches + accounts);
  await stopCleanly(server);
  const storedSeconds = (performance.now() - startedAt) / 1000;
  const { cpuSeconds, peakResidentBytes } = usage.stop();
  return { readySeconds, storedSeconds, cpuSeconds, peakMegabytes: peakResidentBytes / MEGABYTE, accounts, contacts };
}

function figuresOf({ accounts, runs, touches }: Drain): Figure[] {
  const label = `${touches.toLocaleString('en-GB')} touches, ${accounts.toLocaleString('en-GB')} accounts`;
  const add = (what: string, unit: string, value: (run: DrainRun) => number, ceiling?: string): Figure =>
    figure(`${label}: ${what}`, unit, runs.map(value), ceiling);
  return [
    add('start to ready', 's', ({ readySeconds }) => readySeconds),
    add('start to ready', 'touches/s', ({ readySeconds }) => touches / readySeconds, 'engine, both'),
    add('start to all stored', 's', ({ storedSeconds }) => storedSeconds),
    add('start to all stored', 'touches/s', ({ storedSeconds }) => touches / storedSeconds),
    add('CPU', 'µs/touch', ({ cpuSeconds }) => (cpuSeconds * 1e6) / touches),
    add('most memory', 'MB', ({ peakMegabytes }) => peakMegabytes),
    add('accounts with touches', 'accounts', (run) => run.accounts),
    add('contacts with touches', 'contacts', ({ contacts }) => contacts),
  ];
}

function timePlot(drains: readonly Drain[]): Plot {
  const curve = (value: (run: DrainRun) => number): PlotPoint[] => drains.map((one) => pointOf(one, one.touches / MILLION, value));
  return {
    name: 'drain-by-touches',
    title: 'Time to work off a backlog, by its length',
    x: { label: 'touches', unit: 'millions' },
    y: { label: 'time', unit: 's' },
    series: [
      { label: 'start to ready', points: curve(({ readySeconds }) => readySeconds) },
      { label: 'start to all stored', points: curve(({ storedSeconds }) => storedSeconds) },
      { label: 'CPU', points: curve(({ cpuSeconds }) => cpuSeconds) },
    ],
  };
}

function memoryPlot(drains: readonly Drain[]): Plot {
  return {
    name: 'drain-by-accounts',
    title: `Most memory while working off ${drains[0]!.touches.toLocaleString('en-GB')} touches, by the accounts that have some`,
    x: { label: 'accounts with touches', unit: 'accounts' },
    y: { label: 'most memory', unit: 'MB' },
    series: [{ label: 'most memory', points: drains.map((one) => pointOf(one, seenIn(one), ({ peakMegabytes }) => peakMegabytes)) }],
  };
}

function pointOf({ runs }: Drain, x: number, value: (run: DrainRun) => number): PlotPoint {
  const values = runs.map(value);
  return { x, y: median(values), low: Math.min(...values), high: Math.max(...values) };
}

function seenIn({ runs }: Drain): number {
  return median(runs.map(({ accounts }) => accounts));
}
