import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { KEY, type Server } from './start-server.ts';

const CLI = fileURLToPath(new URL('../../services/cli/src/main.ts', import.meta.url));

/** Runs a command on a server, with the admin key. Gives what it printed; rejects with all of that when the command failed. */
export async function runCli(server: Server, ...args: readonly string[]): Promise<string> {
  const child = spawn(process.execPath, [CLI, ...args, '--url', server.url, '--key', KEY], { stdio: ['ignore', 'pipe', 'pipe'] });
  const endWithUs = (): void => void child.kill('SIGKILL');
  process.once('exit', endWithUs);
  const written = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => (written.stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (written.stderr += text));
  await once(child, 'close');
  process.off('exit', endWithUs);
  if (child.exitCode !== 0)
    throw new Error(`touchstone ${args.join(' ')} ended with ${child.exitCode}:\n${written.stdout}${written.stderr}`);
  return written.stdout;
}
