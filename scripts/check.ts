import { spawnSync } from 'node:child_process';
import { appendFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs, styleText } from 'node:util';

/**
 * Everything a change must pass: `node scripts/check.ts [--only NAME,...] [--except NAME,...] [--record FILE]`. All steps run, also after a
 * failure, so that one run tells all; a failed one shows its output and what to do. `--record` adds a line `ok NAME` or `not ok NAME` each.
 */

interface Step {
  readonly name: string;
  /** Program under node_modules/.bin, and its arguments. */
  readonly command: readonly [program: string, ...args: string[]];
  readonly fix: string;
}

const STEPS: readonly Step[] = [
  { name: 'format', command: ['oxfmt', '--check'], fix: 'npx pnpm@12 exec oxfmt' },
  {
    name: 'lint',
    command: ['oxlint', '--type-aware', '--deny-warnings'],
    fix: 'npx pnpm@12 exec oxlint --type-aware --fix, then the rest by hand',
  },
  { name: 'types', command: ['tsc', '-p', 'tsconfig.json'], fix: 'mend the lines named above' },
  { name: 'imports', command: ['node', 'scripts/check-imports.ts'], fix: 'move the code as each line above says' },
  {
    name: 'dead-code',
    command: ['knip', '--no-progress', '--no-config-hints'],
    fix: 'delete what nothing uses; npx pnpm@12 exec knip --fix does most of it',
  },
  { name: 'tests', command: ['vitest', 'run'], fix: 'npx pnpm@12 test FILE -t NAME runs a failed one alone' },
];

const root = resolve(import.meta.dirname, '..');
const programs = join(root, 'node_modules', '.bin');

function run({ name, command: [program, ...args], fix }: Step): boolean {
  const started = performance.now();
  // The pinned Node comes first on the path, because that of the machine may be too old for these tools.
  const { status, stdout, stderr, error } = spawnSync(join(programs, program), args, {
    cwd: root,
    encoding: 'utf8',
    env: { ...process.env, PATH: `${programs}:${process.env['PATH'] ?? ''}` },
    maxBuffer: 64 * 1024 * 1024,
  });
  const took = `${((performance.now() - started) / 1000).toFixed(1)} s`;
  if (status === 0) {
    console.log(`${styleText('green', '✓')} ${name} ${styleText('dim', took)}`);
    return true;
  }
  console.log(`${styleText('red', '✗')} ${name} ${styleText('dim', took)}`);
  console.log([stdout, stderr, error?.message].filter(Boolean).join('\n').trimEnd());
  console.log(`  ${styleText('yellow', 'to fix')}: ${fix}\n`);
  return false;
}

function namesIn(list: string | undefined): readonly string[] | null {
  if (list === undefined) return null;
  const names = list.split(',');
  const unknown = names.filter((name) => !STEPS.some((step) => step.name === name));
  if (unknown.length > 0) throw new Error(`no step is called ${unknown.join()}; there are ${STEPS.map((step) => step.name).join(', ')}`);
  return names;
}

if (import.meta.main) {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({ options: { only: text, except: text, record: text } });
  const only = namesIn(values.only);
  const except = namesIn(values.except) ?? [];
  for (const step of STEPS) {
    if (except.includes(step.name) || (only !== null && !only.includes(step.name))) continue;
    const passed = run(step);
    if (!passed) process.exitCode = 1;
    if (values.record !== undefined) appendFileSync(values.record, `${passed ? 'ok' : 'not ok'} ${step.name}\n`);
  }
}
