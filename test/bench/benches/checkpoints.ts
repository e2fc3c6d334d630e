import { BACKLOG_DAYS, PARTITIONS, type BenchContext } from '../bench-context.ts';
import { figure, median, type Figure, type Section } from '../figures.ts';
import type { Plot, PlotPoint } from '../plot/plot.ts';
import { runTask } from '../start-task.ts';
import type { CheckpointRun } from '../tasks/time-checkpoints.ts';

/** Short enough to be measured more often than the rest: single inserts vary a lot. */
const RUNS_FACTOR = 4;

/** What making touches durable in the store costs, by how many are stored at once. */
export async function benchCheckpoints({ makeDirectory, sizes }: BenchContext): Promise<Section> {
  const { accounts, checkpointRows, contacts, runs } = sizes;
  const figures: Figure[] = [];
  const measured: { rows: number; runs: readonly CheckpointRun[] }[] = [];
  for (const rows of checkpointRows) {
    const times = await runTask('timeCheckpoints', {
      accounts,
      contacts,
      seed: 1,
      directory: makeDirectory(),
      rows,
      partitions: PARTITIONS,
      days: BACKLOG_DAYS,
      runs: runs * RUNS_FACTOR,
    });
    measured.push({ rows, runs: times });
    const add = (what: string, unit: string, value: (run: CheckpointRun) => number): void =>
      void figures.push(figure(`${rows.toLocaleString('en-GB')} rows: ${what}`, unit, times.map(value)));
    add('time', 'ms', ({ seconds }) => seconds * 1000);
    add('CPU', 'ms', ({ cpuSeconds }) => cpuSeconds * 1000);
    add('CPU', 'µs/row', ({ cpuSeconds }) => (cpuSeconds * 1e6) / rows);
  }
  const curve = (value: (run: CheckpointRun) => number): PlotPoint[] =>
    measured.map(({ rows, runs: times }) => {
      const values = times.map(value);
      return { x: rows, y: median(values), low: Math.min(...values), high: Math.max(...values) };
    });
  const plot: Plot = {
    name: 'checkpoints-by-rows',
    title: 'Time and CPU of a checkpoint, by its rows',
    x: { label: 'rows', unit: 'rows' },
    y: { label: 'time', unit: 'ms' },
    series: [
      { label: 'time', points: curve(({ seconds }) => seconds * 1000) },
      { label: 'CPU', points: curve(({ cpuSeconds }) => cpuSeconds * 1000) },
    ],
  };
  return {
    title: 'Cost of a checkpoint',
    text:
      `The store alone, in process: touches of ${PARTITIONS} partitions and their positions, inserted and synced, one checkpoint after ` +
      'another into a table that grows. CPU is that of all threads, merges of former checkpoints included.',
    figures,
    plots: [plot],
  };
}
