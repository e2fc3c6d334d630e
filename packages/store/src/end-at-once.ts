import { writeSync } from 'node:fs';
import { inspect } from 'node:util';

/**
 * Makes an exit while `isBusy()` a SIGKILL of this process, until the function it gives is called. To end while chDB works on a statement
 * crashes in native code, or hangs for minutes with the directory locked; ending at once loses nothing that was acknowledged.
 */
export function endAtOnceWhile(isBusy: () => boolean): () => void {
  let fatal: unknown;
  const remember = (error: unknown): void => {
    fatal = error;
  };
  const end = (): void => {
    if (!isBusy()) return;
    // Node prints what ended the process only after this, so never.
    if (fatal !== undefined) writeSync(2, `${inspect(fatal)}\n`);
    process.kill(process.pid, 'SIGKILL');
  };
  process.on('uncaughtExceptionMonitor', remember);
  process.on('exit', end);
  return () => {
    process.off('uncaughtExceptionMonitor', remember);
    process.off('exit', end);
  };
}
