import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { add, noSeeds, type SeedsResult } from './run-seeds.ts';
import type { BugName } from './planted-bugs.ts';

const MAIN = fileURLToPath(new URL('main.ts', import.meta.url));

interface StartOptions {
  readonly from: number;
  readonly seeds: number;
  readonly processes: number;
  readonly bug?: BugName;
  /** Ends at the first failure. */
  readonly untilFound?: boolean;
}

/** Runs seeds in processes of their own, each every so many of them. */
export async function startSeeds({ bug, from, processes, seeds, untilFound = false }: StartOptions): Promise<SeedsResult> {
  const result = noSeeds();
  const share = Math.ceil(seeds / processes);
  const starts = Array.from({ length: processes }, (_, index) => ({
    from: from + index * share,
    seeds: Math.min(share, seeds - index * share),
  }));
  const found = new AbortController();
  const parts = starts.filter((part) => part.seeds > 0).map((part) => runPart(part, bug, untilFound ? found : null));
  for (const part of await Promise.all(parts)) add(result, part);
  return result;
}

/** @param found ends the others once one has found something; what those have run until then is not counted */
function runPart(part: { from: number; seeds: number }, bug: BugName | undefined, found: AbortController | null): Promise<SeedsResult> {
  const args = ['--part', '--from', String(part.from), '--seeds', String(part.seeds)];
  if (bug !== undefined) args.push('--bug', bug);
  if (found !== null) args.push('--until-found');
  return new Promise((resolve, reject) => {
    const child = fork(MAIN, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'], execArgv: [] });
    let result: SeedsResult | null = null;
    found?.signal.addEventListener('abort', () => child.kill());
    child.on('message', (message) => {
      result = message as SeedsResult;
      if (result.failed > 0) found?.abort();
    });
    child.on('error', reject);
    child.on('exit', (code) => {
      if (result !== null) resolve(result);
      else if (found?.signal.aborted === true) resolve(noSeeds());
      else reject(new Error(`seeds ${part.from} to ${part.from + part.seeds - 1} ended with ${code} and no result`));
    });
  });
}
