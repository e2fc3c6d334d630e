import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { KEY } from './start-server.ts';

const CLI = fileURLToPath(new URL('../../services/cli/src/main.ts', import.meta.url));

/** What the import prints with --json, as far as it is looked at. */
export interface ImportSummary {
  readonly outcome: string;
  readonly lines: number;
  readonly items: number;
  readonly accepted: number;
  readonly unresolved: number;
  readonly assets: number;
  readonly failedRequests: number;
  readonly otherMethods: number;
  readonly rejected: Readonly<Record<string, number>>;
  readonly accounts: number;
  readonly shiftMs: number;
  readonly seconds: number;
}

export interface RunningImport {
  /** Resolves with the summary; rejects with what was printed when the import failed or was killed. */
  readonly summary: Promise<ImportSummary>;
  kill(): Promise<void>;
}

export interface ImportOptions {
  readonly file: string;
  readonly url: string;
  /** Where it keeps how far it is. The file may lie where nothing can be written. */
  readonly directory: string;
  readonly arguments?: readonly string[];
}

/** Runs `touchstone import` on an access log, in a process of its own. */
export function startImport({ file, url, directory, arguments: more = [] }: ImportOptions): RunningImport {
  const state = ['--state', join(directory, 'import-state.json'), '--rejected', join(directory, 'rejected.ndjson')];
  const options = ['--shift-to-now', '--json', '--quiet', '--url', url, '--key', KEY, ...state, ...more];
  const child = spawn(process.execPath, [CLI, 'import', file, ...options], { stdio: ['ignore', 'pipe', 'pipe'] });
  const endWithUs = (): void => void child.kill('SIGKILL');
  process.once('exit', endWithUs);
  const written = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => (written.stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (written.stderr += text));
  const ended = once(child, 'close').finally(() => process.off('exit', endWithUs));

  async function summaryOf(): Promise<ImportSummary> {
    await ended;
    if (child.exitCode !== 0)
      throw new Error(`the import ended with ${child.exitCode ?? child.signalCode}:\n${written.stdout}${written.stderr}`);
    return JSON.parse(written.stdout) as ImportSummary;
  }

  const summary = summaryOf();
  // Who kills it may not care for its summary.
  summary.catch(() => {});
  return {
    summary,
    async kill() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}
