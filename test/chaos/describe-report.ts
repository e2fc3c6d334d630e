import type { Scenario, ScenarioReport } from './scenario.ts';

/** A report in a few lines: faults, recovery, figures, how long it took, and what was wrong. */
export function describeReport({ id, title }: Scenario, report: ScenarioReport, seconds: number): string[] {
  const { faults, figures, recoveriesMs, wrong } = report;
  const pairs = (of: Readonly<Record<string, number | string>>): string =>
    Object.entries(of)
      .map(([name, value]) => `${name} ${value}`)
      .join(', ');
  const recovery =
    recoveriesMs.length === 0
      ? ''
      : `; recovered ${recoveriesMs.length}: p50 ${quantile(recoveriesMs, 0.5)} s, p95 ${quantile(recoveriesMs, 0.95)} s, max ${quantile(recoveriesMs, 1)} s`;
  return [
    `${id} ${wrong.length === 0 ? 'ok' : 'FAILED'} ${title}: ${pairs(faults)}${recovery}; ${pairs(figures)}; ${Math.round(seconds)} s`,
    ...wrong.map((line) => `  ${id}: ${line}`),
  ];
}

/** In seconds with two decimals. */
function quantile(values: readonly number[], share: number): string {
  const sorted = values.toSorted((a, b) => a - b);
  return (sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]! / 1000).toFixed(2);
}
