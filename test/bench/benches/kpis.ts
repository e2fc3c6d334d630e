import { PARTITIONS, type BenchContext } from '../bench-context.ts';
import { figure, type Figure, type Section } from '../figures.ts';
import { runTask } from '../start-task.ts';

/** A year and a month, so that there is a year before to compare with. */
const DAYS = 396;

/** How soon KPIs are answered by the embedded store and by one over HTTP, with nothing else going on. */
export async function benchKpis({ makeDirectory, sizes }: BenchContext): Promise<Section> {
  const { accounts, contacts, kpis } = sizes;
  const args = { accounts, contacts, seed: 1, directory: makeDirectory(), partitions: PARTITIONS, days: DAYS, ...kpis };
  const embedded = await runTask('measureKpis', { ...args, overHttp: false });
  const overHttp = await runTask('measureKpis', { ...args, overHttp: true, filledAt: embedded.filledAt });
  const figures: Figure[] = [];
  for (const [where, { times }] of [['in process', embedded] as const, ['over HTTP', overHttp] as const]) {
    const tell = (name: string, ms: readonly number[]): void =>
      void figures.push(
        figure(`${name}, ${where}, p50`, 'ms', [quantile(ms, 0.5)]),
        figure(`${name}, ${where}, p99`, 'ms', [quantile(ms, 0.99)]),
      );
    for (const { ms, name } of times) tell(name, ms);
    tell(
      'all',
      times.flatMap(({ ms }) => ms),
    );
  }
  figures.push(figure('filling the store', 's', [embedded.filledSeconds]));
  return {
    title: 'KPIs from the store',
    text:
      `${kpis.touches.toLocaleString('en-GB')} touches and ${kpis.deals.toLocaleString('en-GB')} opportunities over ${DAYS} days, ${accounts.toLocaleString('en-GB')} accounts. ` +
      'Each answer whole: the period, the one before and that of last year; by turns 30 days, 30 days as a series by day in New York, and 90 days by month and ' +
      'industry; what is told of opportunities, of 90 days. ClickHouse in process, and the same behind HTTP in a process of its own. The answers that the server keeps, and gives at once while ' +
      'newer ones are computed, are left out.',
    figures,
  };
}

function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((one, other) => one - other);
  return sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)]!;
}
