import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ServiceProcess } from './service-process.ts';

const SAMPLE_MS = 200;

export interface MemoryWatch {
  /** The most that any of the processes has had of its own, megabytes; 0 where the system does not tell. */
  finish(): Promise<number>;
}

/** `processes` is asked for anew each time: they come and go. Linux only, by /proc. */
export function watchMemory(processes: () => Iterable<ServiceProcess>): MemoryWatch {
  let peak = 0;
  let isFinishing = false;
  async function run(): Promise<void> {
    while (!isFinishing) {
      for (const { pid } of processes()) peak = Math.max(peak, megabytesOf(pid));
      await sleep(SAMPLE_MS);
    }
  }
  const running = run();
  return {
    async finish() {
      isFinishing = true;
      await running;
      return peak;
    },
  };
}

function megabytesOf(pid: number): number {
  try {
    return Number(/^RssAnon:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024;
  } catch {
    return 0;
  }
}
