import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync } from 'node:fs';
import { basename, delimiter, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort, guardChild } from '@touchstone/testkit';
import { readText, ROOT } from '../../deploy/compose-file.ts';

const HEALTHY_WITHIN_MS = 60_000;

/**
 * Takes the steps of the Dockerfile in a directory: copies what it copies, less what .dockerignore keeps back, installs as it installs, starts
 * what it starts, and waits by its own health check. Only what makes users and directories of the container is passed over.
 * @throws Error at the first step that fails
 */
export async function tryImage(directory: string): Promise<void> {
  const lines = readText('Dockerfile').split('\n');
  mkdirSync(directory, { recursive: true });
  let installs = 0;
  for (const line of lines) {
    const [, sources, target] = /^COPY (?!--from)(.*) (\S+)$/.exec(line) ?? [];
    if (sources !== undefined) for (const source of sources.split(' ')) copy(source, join(directory, target!), sources.includes(' '));
    const [, command] = /^RUN (npx .*)$/.exec(line) ?? [];
    if (command === undefined) continue;
    installs += 1;
    const { status, stdout, stderr } = spawnSync('sh', ['-c', command], { cwd: directory, encoding: 'utf8' });
    if (status !== 0) throw new Error(`${command}\n${stdout}${stderr}`);
  }
  if (installs !== 1) throw new Error(`the Dockerfile installs ${installs} times: adapt this check`);
  for (const absent of ['node_modules/.pnpm/node_modules/testcontainers', 'packages/testkit', 'packages/engine/src/index.test.ts']) {
    if (existsSync(join(directory, absent))) throw new Error(`${absent} has no place in the image`);
  }

  const port = String(await freePort());
  const set = Object.fromEntries(
    [.../^ENV (.*)$/m.exec(lines.join('\n'))![1]!.matchAll(/(\w+)=(\S+)/g)].map(([, name, value]) => [name, value]),
  );
  const env = {
    PATH: `${dirname(process.execPath)}${delimiter}${process.env['PATH'] ?? ''}`,
    ...set,
    HOST: '127.0.0.1',
    PORT: port,
    TOUCHSTONE_DATA: join(directory, 'data'),
    TOUCHSTONE_ADMIN_KEY: 'sk_of-the-image',
  };
  const options = { cwd: directory, env } as const;
  const [program, ...args] = commandAfter(/^CMD (\[.*\])$/m);
  const child = spawn(program!, args, { ...options, stdio: 'inherit' });
  guardChild(child);
  try {
    const [check, ...checkArgs] = commandAfter(/^HEALTHCHECK .* CMD (\[.*\])$/m);
    const deadline = Date.now() + HEALTHY_WITHIN_MS;
    while (spawnSync(check!, checkArgs, options).status !== 0) {
      if (child.exitCode !== null) throw new Error(`it ended with ${child.exitCode}`);
      if (Date.now() > deadline) throw new Error('it does not become healthy');
      await sleep(200);
    }
    console.log('installed, started and healthy');
  } finally {
    const ended = once(child, 'exit');
    if (child.exitCode === null && child.kill('SIGTERM')) await ended;
  }
}

/** One source keeps its name only in a directory, as with COPY. */
function copy(source: string, target: string, isOneOfMany: boolean): void {
  const keep = (path: string): boolean => !/(^|\/)node_modules$|\.test\.ts$|\.log$|(^|\/)packages\/testkit$/.test(path);
  cpSync(join(ROOT, source), isOneOfMany ? join(target, basename(source)) : target, { recursive: true, filter: keep });
}

function commandAfter(pattern: RegExp): string[] {
  return JSON.parse(pattern.exec(readText('Dockerfile'))![1]!) as string[];
}
