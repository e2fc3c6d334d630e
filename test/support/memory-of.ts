import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

const SAMPLE_MS = 20;
const MEGABYTE = 1024;

/**
 * The most memory of its own that a process has had until `done` settles, megabytes. Pages of mapped files are left out: the system takes
 * them back whenever it needs room. Linux only, by /proc.
 */
export async function peakMemory(pid: number, done: Promise<unknown>): Promise<number> {
  let isDone = false;
  const watched = done.finally(() => (isDone = true));
  let peak = 0;
  while (!isDone) {
    const kilobytes = Number(/^RssAnon:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
    peak = Math.max(peak, kilobytes / MEGABYTE);
    await sleep(SAMPLE_MS);
  }
  await watched;
  return peak;
}
