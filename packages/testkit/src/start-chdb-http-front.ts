import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { FrontOptions } from './chdb-http-front.ts';

export interface ChdbHttpFront {
  readonly url: string;
  readonly port: number;
  /** Ends it as a server is shut down: connections are cut, statements under way end first. */
  stop(): Promise<void>;
  /** kill -9. */
  kill(): Promise<void>;
}

/** Starts chDB over HTTP as a child process. Give the port of an earlier one to come back at the same address with the same data. */
export async function startChdbHttpFront(options: Pick<FrontOptions, 'directory'> & Partial<FrontOptions>): Promise<ChdbHttpFront> {
  const complete: FrontOptions = { port: 0, username: 'default', password: '', ...options };
  const program = fileURLToPath(new URL('chdb-http-front.ts', import.meta.url));
  const child = spawn(process.execPath, [program, JSON.stringify(complete)], { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = once(child, 'exit');
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    child.kill(signal);
    await ended;
  };
  const lines = createInterface(child.stdout);
  const first = await Promise.race([once(lines, 'line'), ended]);
  lines.close();
  if (child.exitCode !== null) throw new Error(`The chDB front ended with ${child.exitCode} before it listened`);
  const { port } = JSON.parse(String(first[0])) as { port: number };
  return { url: `http://127.0.0.1:${port}`, port, stop: () => end('SIGTERM'), kill: () => end('SIGKILL') };
}
