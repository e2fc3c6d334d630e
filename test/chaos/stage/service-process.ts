import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { freePort, guardChild } from '@touchstone/testkit';

export type ServiceName = 'aggregator' | 'ingest' | 'notifier' | 'query';

export interface ServiceOptions {
  readonly service: ServiceName;
  readonly env: Readonly<Record<string, string>>;
  readonly port?: number;
  /** Options of Node itself, such as a module to load first. */
  readonly nodeOptions?: readonly string[];
}

/** How a process ended. */
export interface Ending {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** One service in a process of its own, as it runs anywhere else. */
export interface ServiceProcess {
  readonly service: ServiceName;
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  readonly isAlive: boolean;
  /** Whether this program has ended it, or asked it to end. */
  readonly isExpectedToEnd: boolean;
  readonly ended: Promise<Ending>;
  /** The last of what it wrote. */
  output(): string;
  /** Has written its first line, or has ended. From then on it minds signals: while it is being loaded, one ends it. */
  readonly begun: Promise<unknown>;
  /** @throws Error when it ends before that, or takes too long */
  becomesReady(withinMs?: number): Promise<void>;
  isReady(): Promise<boolean>;
  /** Stands still for so long, then goes on. */
  stall(ms: number): Promise<void>;
  kill(): Promise<void>;
  stop(): Promise<Ending>;
  /** It may end by itself from now on. */
  expectEnd(): void;
}

/** Names a directory to keep all that every process writes, a file each. */
const LOGS_DIRECTORY = 'CHAOS_LOGS';
const OUTPUT_KEPT = 200_000;
const READY_WITHIN_MS = 90_000;
const STOP_WITHIN_MS = 60_000;

export async function startService(options: ServiceOptions): Promise<ServiceProcess> {
  const { service, env, nodeOptions = [] } = options;
  const port = options.port ?? (await freePort());
  const main = fileURLToPath(new URL(`../../../services/${service}/src/main.ts`, import.meta.url));
  const child = spawn(process.execPath, [...nodeOptions, main], {
    env: { ...process.env, ...env, PORT: String(port), HOST: '127.0.0.1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  guardChild(child);
  let output = '';
  const directory = process.env[LOGS_DIRECTORY];
  const file = directory === undefined ? null : createWriteStream(join(directory, `${service}-${child.pid}.log`));
  const keep = (text: string): void => {
    output = (output + text).slice(-OUTPUT_KEPT);
    file?.write(text);
  };
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', keep);
  const url = `http://127.0.0.1:${port}`;
  let isExpectedToEnd = false;
  let isAlive = true;
  const ended = once(child, 'close').then((): Ending => {
    isAlive = false;
    return { code: child.exitCode, signal: child.signalCode };
  });
  const begun = Promise.race([once(child.stdout, 'data'), ended]);

  async function isReady(): Promise<boolean> {
    const response = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(2000) }).catch(() => null);
    await response?.arrayBuffer().catch(() => null);
    return response?.ok === true;
  }

  return {
    service,
    url,
    port,
    pid: child.pid!,
    get isAlive() {
      return isAlive;
    },
    get isExpectedToEnd() {
      return isExpectedToEnd;
    },
    ended,
    begun,
    output: () => output,
    isReady,
    async becomesReady(withinMs = READY_WITHIN_MS) {
      const deadline = Date.now() + withinMs;
      while (!(await isReady())) {
        if (!isAlive) throw new Error(`${service} ended before it was ready:\n${output}`);
        if (Date.now() > deadline) throw new Error(`${service} is not ready after ${withinMs} ms:\n${output.slice(-4000)}`);
        await sleep(50);
      }
    },
    async stall(ms) {
      child.kill('SIGSTOP');
      await sleep(ms);
      child.kill('SIGCONT');
    },
    async kill() {
      isExpectedToEnd = true;
      child.kill('SIGKILL');
      await ended;
    },
    async stop() {
      isExpectedToEnd = true;
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), STOP_WITHIN_MS);
      const ending = await ended;
      clearTimeout(timer);
      return ending;
    },
    expectEnd() {
      isExpectedToEnd = true;
    },
  };
}
