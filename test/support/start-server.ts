import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { freePort } from '@touchstone/testkit';

const MAIN = fileURLToPath(new URL('../../services/standalone/src/main.ts', import.meta.url));
const READY_WITHIN_MS = 60_000;

/** The admin key of test servers. */
export const KEY = 'sk_key-of-test-servers';

/** A whole system in a process of its own, as `pnpm start` runs it. */
export interface Server {
  readonly url: string;
  readonly pid: number;
  /** Everything the process has written so far. */
  output(): string;
  /** Sends a request with the admin key; `path` begins with a slash. */
  fetch(path: string, init?: RequestInit): Promise<Response>;
  /** Posts items as a JSON array; the parsed answer. Rejects for anything but 202. */
  post(
    path: string,
    items: readonly unknown[],
  ): Promise<{ accepted: number; rejected: { index: number; code: string; message: string }[] }>;
  get<T>(path: string): Promise<T>;
  /**
   * Resolves when the port answers, or when state is restored.
   * @throws Error with everything it wrote, when it ends before that
   */
  becomes(state: 'alive' | 'ready'): Promise<void>;
  /** Resolves with the exit code when the process has ended; null when a signal ended it. */
  readonly ended: Promise<number | null>;
  /** Ends the process the hard way; resolves when it is gone. */
  kill(): Promise<void>;
  /** Asks it to stop; resolves with its exit code. */
  stop(): Promise<number | null>;
}

export interface ServerOptions {
  readonly data: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Port to use again after a restart; any free one by default. */
  readonly port?: number;
  /** Resolve at once, or as soon as the port answers, not only when state is restored. */
  readonly waitFor?: 'nothing' | 'alive' | 'ready';
  /** How long to wait for that; a minute by default, which is enough unless it has a lot to work off. */
  readonly readyWithinMs?: number;
}

/**
 * Starts a server on 127.0.0.1 and waits until it is ready. It ends with the test process at the latest.
 * @throws Error with everything it wrote, when it ends before it is ready
 */
export async function startServer(options: ServerOptions): Promise<Server> {
  const port = options.port ?? (await freePort());
  const env = {
    ...process.env,
    LOG_LEVEL: 'warn',
    TOUCHSTONE_ADMIN_KEY: KEY,
    ...options.env,
    TOUCHSTONE_DATA: options.data,
    PORT: String(port),
  };
  const child = spawn(process.execPath, [MAIN], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const endWithUs = (): void => void child.kill('SIGKILL');
  process.once('exit', endWithUs);
  const ended = once(child, 'close').then(() => {
    process.off('exit', endWithUs);
    return child.exitCode;
  });
  const written: string[] = [];
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => written.push(text));

  const server = serverOf(child, `http://127.0.0.1:${port}`, ended, () => written.join(''), options.readyWithinMs ?? READY_WITHIN_MS);
  const { waitFor = 'ready' } = options;
  if (waitFor !== 'nothing') await server.becomes(waitFor);
  return server;
}

function serverOf(child: ChildProcess, url: string, ended: Promise<number | null>, output: () => string, withinMs: number): Server {
  const send = (path: string, init: RequestInit = {}): Promise<Response> =>
    fetch(url + path, { ...init, headers: { authorization: `Bearer ${KEY}`, ...(init.headers as Record<string, string> | undefined) } });
  const server: Server = {
    url,
    pid: child.pid!,
    output,
    becomes: (state) => waitUntil(server, child, state === 'alive' ? '/healthz' : '/readyz', withinMs),
    ended,
    fetch: send,
    async post(path, items) {
      const response = await send(path, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(items) });
      if (response.status !== 202) throw new Error(`POST ${path}: ${response.status} ${await response.text()}`);
      return (await response.json()) as Awaited<ReturnType<Server['post']>>;
    },
    async get<T>(path: string) {
      const response = await send(path);
      if (response.status !== 200) throw new Error(`GET ${path}: ${response.status} ${await response.text()}`);
      return (await response.json()) as T;
    },
    async kill() {
      child.kill('SIGKILL');
      await ended;
    },
    async stop() {
      child.kill('SIGTERM');
      return ended;
    },
  };
  return server;
}

async function waitUntil(server: Server, child: ChildProcess, path: string, withinMs: number): Promise<void> {
  const deadline = Date.now() + withinMs;
  for (;;) {
    if (child.exitCode !== null || child.signalCode !== null) throw new Error(`the server ended before it was ready:\n${server.output()}`);
    const response = await fetch(server.url + path).catch(() => null);
    await response?.arrayBuffer();
    if (response?.ok) return;
    if (Date.now() > deadline) throw new Error(`the server is not ready after ${withinMs} ms:\n${server.output()}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
