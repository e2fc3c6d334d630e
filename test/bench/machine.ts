import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { cpus, totalmem, type } from 'node:os';
import { dirname, join } from 'node:path';

/** What the figures depend on besides the code, by the name it has on the page. */
export type Machine = Readonly<Record<string, string>>;

const GIGABYTE = 2 ** 30;
/** What a run writes itself is no change of what was measured. */
const GENERATED = [':(exclude,top)test/bench/RESULTS.md', ':(exclude,top)test/bench/plots'];

export function describeMachine(): Machine {
  const cores = cpus();
  return {
    processor: `${cores[0]?.model.trim() ?? 'unknown'}, ${cores.length} cores`,
    memory: `${Math.round(totalmem() / GIGABYTE)} GB`,
    system: type(),
    node: process.versions.node,
    ...versionsOf({ store: ['chdb', '@clickhouse/client'], 'event-log': ['lmdb', 'kafkajs'], codec: ['avsc'], test: ['fastify'] }),
    commit: commit(),
  };
}

/** The installed version of each dependency, asked for in the name of the part that has it. */
function versionsOf(dependencies: Readonly<Record<string, readonly string[]>>): Record<string, string> {
  const versions: Record<string, string> = {};
  for (const [part, names] of Object.entries(dependencies)) {
    const from = part === 'test' ? import.meta.url : import.meta.resolve(`@touchstone/${part}`);
    for (const name of names) versions[name] = versionOf(createRequire(from), name);
  }
  return versions;
}

/** From the nearest package.json above what the name resolves to: not every package lets its own be asked for. */
function versionOf(require: NodeJS.Require, name: string): string {
  for (let folder = dirname(require.resolve(name)); folder !== dirname(folder); folder = dirname(folder)) {
    const file = join(folder, 'package.json');
    if (!existsSync(file)) continue;
    const description = JSON.parse(readFileSync(file, 'utf8')) as { name?: string; version?: string };
    if (description.name === name) return description.version ?? 'unknown';
  }
  return 'unknown';
}

/** Of HEAD and, where files differ from it, of these differences: two runs with one such text ran the same code. */
function commit(): string {
  const git = (...args: string[]): string =>
    execFileSync('git', [...args, '--', ':/', ...GENERATED], {
      cwd: import.meta.dirname,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
      maxBuffer: 256 * 1024 * 1024,
    }).trim();
  try {
    const hash = git('log', '-1', '--format=%h', '--abbrev=12').trim();
    const status = git('status', '--porcelain');
    if (status === '') return hash;
    const changes = createHash('sha256').update(status).update(git('diff', 'HEAD')).digest('hex').slice(0, 8);
    return `${hash}, with changes (${changes})`;
  } catch {
    return 'unknown';
  }
}
