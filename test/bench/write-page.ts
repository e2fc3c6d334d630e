import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Machine } from './machine.ts';
import { plotSvg } from './plot/plot-svg.ts';
import { PLOTS, resultsPage } from './report.ts';
import type { SavedSection } from './saved-sections.ts';

/** Writes RESULTS.md into a folder, and its plots beside it. */
export function writePage(folder: string, machine: Machine, saved: readonly SavedSection[]): void {
  const commits = [...new Set(saved.map((one) => commitOf(one)))];
  const sections = saved.map((one) => {
    const { section } = one;
    return commits.length === 1 ? section : { ...section, text: `${section.text} Of commit ${commitOf(one)}.` };
  });
  const commands = [...new Set(saved.map(({ command }) => command))];
  const times = saved.map(({ measuredAt }) => measuredAt).toSorted();
  const page = resultsPage({ ...machine, commit: commits.join(', '), measured: `${times[0]} to ${times.at(-1)}` }, commands, sections);
  const plots = join(folder, PLOTS);
  rmSync(plots, { recursive: true, force: true });
  mkdirSync(plots);
  for (const plot of sections.flatMap((section) => section.plots ?? [])) writeFileSync(join(plots, `${plot.name}.svg`), plotSvg(plot));
  writeFileSync(join(folder, 'RESULTS.md'), page);
}

function commitOf({ machine }: SavedSection): string {
  return machine['commit'] ?? 'unknown';
}
