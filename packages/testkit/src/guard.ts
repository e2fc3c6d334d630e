import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/**
 * Sees to it that a child process is killed and a directory removed even when this process dies without a word (kill -9, a fault in native
 * code, a test runner that lost its patience). A process of its own waits for that: its input ends when we do. Started with the first call.
 */
let guard: ChildProcess | null = null;

function tell(line: string): void {
  if (guard === null) {
    const program = fileURLToPath(new URL('guard.child.ts', import.meta.url));
    guard = spawn(process.execPath, [program], { stdio: ['pipe', 'ignore', 'ignore'], detached: true });
    guard.unref();
    const { stdin } = guard;
    // A guard that is gone can not be told anything: our own ending is then all there is.
    stdin?.on('error', () => {});
    if (stdin !== null && 'unref' in stdin) (stdin as { unref(): void }).unref();
  }
  guard.stdin?.write(`${line}\n`);
}

/** Kills the child when this process ends, however it ends; forgets it when the child has ended by itself. */
export function guardChild(child: ChildProcess): void {
  const { pid } = child;
  if (pid === undefined) return;
  tell(`+pid ${pid}`);
  child.once('exit', () => tell(`-pid ${pid}`));
}

/** Removes the directory when this process ends; the answer forgets it. */
export function guardDirectory(directory: string): () => void {
  tell(`+dir ${directory}`);
  return () => tell(`-dir ${directory}`);
}
