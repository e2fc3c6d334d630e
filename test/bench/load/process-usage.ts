import { readFileSync } from 'node:fs';

const POLL_MS = 20;
/** Of a kilobyte as Linux counts it. */
const KILOBYTE = 1024;
/** Of Linux's accounting, on every machine that we know of. */
const TICKS_PER_SECOND = 100;

/** What a process has used since it was started. */
export interface ProcessUsage {
  readonly cpuSeconds: number;
  readonly peakResidentBytes: number;
}

/** Looks at another process until it ends, as what it used is gone with it. Linux alone tells. */
export function watchUsage(pid: number): { latest(): ProcessUsage; stop(): ProcessUsage } {
  let latest = readUsage(pid) ?? { cpuSeconds: 0, peakResidentBytes: 0 };
  const look = (): ProcessUsage => (latest = readUsage(pid) ?? latest);
  const timer = setInterval(look, POLL_MS);
  return {
    latest: look,
    stop() {
      clearInterval(timer);
      return look();
    },
  };
}

function readUsage(pid: number): ProcessUsage | null {
  try {
    const peak = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    if (peak === undefined) return null;
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name, which may have blanks, ends with the last bracket; user and system time are the 12th and 13th field after it.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return {
      cpuSeconds: (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND,
      peakResidentBytes: Number(peak) * KILOBYTE,
    };
  } catch {
    return null;
  }
}
