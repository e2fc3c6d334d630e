import { PARTITIONS, type BenchContext } from '../bench-context.ts';
import { figure, type Figure, type Section } from '../figures.ts';
import { runTask } from '../start-task.ts';

/** A year and a month, so that there is a year before to compare with. */
const DAYS = 396;

/** How soon KPIs are answered by the embedded store, with nothing else going on. */
export async function benchKpis({ makeDirectory, sizes }: BenchContext): Promise<Section> {
  const { accounts, contacts, kpis } = sizes;
  const { filledSeconds, times } = await runTask('measureKpis', {
    accounts,
    contacts,
    seed: 1,
    directory: makeDirectory(),
    partitions: PARTITIONS,
    days: DAYS,
    ...kpis,
  });
  const figures: Figure[] = [];
  for (const { ms, name } of times) {
    figures.push(figure(`${name}, p50`, 'ms', [quantile(ms, 0.5)]), figure(`${name}, p99`, 'ms', [quantile(ms, 0.99)]));
  }
  const all = times.flatMap(({ ms }) => ms);
  figures.push(figure('all, p50', 'ms', [quantile(all, 0.5)]), figure('all, p99', 'ms', [quantile(all, 0.99)]));
  figures.push(figure('filling the store', 's', [filledSeconds]));
  return {
    title: 'KPIs from the store',
    text:
      `${kpis.touches.toLocaleString('en-GB')} touches and ${kpis.deals.toLocaleString('en-GB')} opportunities over ${DAYS} days, ${accounts.toLocaleString('en-GB')} accounts. ` +
      'Each answer whole: the period, the one before and that of last year; by turns 30 days, 30 days as a series by day in New York, and 90 days by month and ' +
      'industry. ClickHouse in process; the cache of answers, which the server has, is left out.',
    figures,
  };
}

function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((one, other) => one - other);
  return sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)]!;
}
