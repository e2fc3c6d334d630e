import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Section } from './figures.ts';
import type { Machine } from './machine.ts';
import { BENCH_NAMES, type BenchName } from './options.ts';

/** A section as it was measured; whole runs take long, so the page may be put together from several. */
export interface SavedSection {
  readonly name: BenchName;
  /** Its commit is part of it. */
  readonly machine: Machine;
  readonly command: string;
  readonly measuredAt: string;
  readonly section: Section;
}

export function saveSection(folder: string, saved: SavedSection): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(fileOf(folder, saved.name), `${JSON.stringify(saved, null, 2)}\n`);
}

/** What was saved on this machine; the rest is of no use any more. */
export function savedOf(folder: string, machine: Machine): SavedSection[] {
  return BENCH_NAMES.flatMap((name) => {
    const saved = read(folder, name);
    return saved !== null && differenceOf(saved.machine, machine) === null ? [saved] : [];
  });
}

/**
 * All sections, for the page, which says of which commit each is.
 * @throws Error that names what is missing, or what was measured elsewhere
 */
export function wholeOf(folder: string, machine: Machine): SavedSection[] {
  const problems: string[] = [];
  const whole = BENCH_NAMES.flatMap((name) => {
    const saved = read(folder, name);
    const difference = saved === null ? 'was not measured yet' : differenceOf(saved.machine, machine);
    if (difference !== null) problems.push(`${name} ${difference}`);
    return saved ?? [];
  });
  if (problems.length > 0) throw new Error(`no page can be made: ${problems.join('; ')}`);
  return whole;
}

/** Before a section is measured anew: if that fails, the former one is not taken for it. */
export function forgetSection(folder: string, name: BenchName): void {
  rmSync(fileOf(folder, name), { force: true });
}

function differenceOf(saved: Machine, machine: Machine): string | null {
  const names = new Set([...Object.keys(saved), ...Object.keys(machine)]);
  names.delete('commit');
  const different = [...names].filter((name) => saved[name] !== machine[name]);
  return different.length === 0
    ? null
    : `was measured with another ${different.map((name) => `${name} (${saved[name]}, now ${machine[name]})`).join(' and ')}`;
}

function read(folder: string, name: BenchName): SavedSection | null {
  const file = fileOf(folder, name);
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as SavedSection) : null;
}

function fileOf(folder: string, name: BenchName): string {
  return join(folder, `${name}.json`);
}
