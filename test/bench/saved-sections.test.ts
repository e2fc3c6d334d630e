import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { figure } from './figures.ts';
import { BENCH_NAMES, type BenchName } from './options.ts';
import { forgetSection, savedOf, saveSection, wholeOf } from './saved-sections.ts';

const MACHINE = { processor: 'Some, 2 cores', commit: 'abc' };
let folder: string;

beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'touchstone-saved-'))));
afterEach(() => rmSync(folder, { recursive: true }));

function save(name: BenchName, machine: Readonly<Record<string, string>> = MACHINE): void {
  const section = { title: name, text: 'How.', figures: [figure('one', 's', [1, 2])] };
  saveSection(folder, { name, machine, command: `pnpm bench --only ${name}`, measuredAt: '2026-01-01T00:00:00.000Z', section });
}

describe('sections that were kept', () => {
  test('come back whole and in their order once all are there', () => {
    for (const name of BENCH_NAMES.toReversed()) save(name);
    const whole = wholeOf(folder, MACHINE);
    expect(whole.map(({ name }) => name)).toEqual(BENCH_NAMES);
    expect(whole[0]!.section).toEqual({ title: BENCH_NAMES[0], text: 'How.', figures: [figure('one', 's', [1, 2])] });
  });

  test('make no page while one is missing, or was forgotten because it is measured anew', () => {
    for (const name of BENCH_NAMES) save(name);
    forgetSection(folder, 'drain');
    expect(() => wholeOf(folder, MACHINE)).toThrow('no page can be made: drain was not measured yet');
  });

  test('may be of several commits', () => {
    for (const name of BENCH_NAMES) save(name);
    save('latency', { ...MACHINE, commit: 'def' });
    expect(wholeOf(folder, MACHINE).find(({ name }) => name === 'latency')!.machine['commit']).toBe('def');
  });

  test.each([
    ['processor', { ...MACHINE, processor: 'Other, 4 cores' }],
    ['lmdb', { ...MACHINE, lmdb: '3.0.0' }],
  ])('make no page when one has another %s', (what, other) => {
    for (const name of BENCH_NAMES) save(name);
    save('latency', other);
    expect(() => wholeOf(folder, MACHINE)).toThrow(`latency was measured with another ${what}`);
    expect(savedOf(folder, MACHINE).map(({ name }) => name)).toEqual(BENCH_NAMES.filter((name) => name !== 'latency'));
  });
});
