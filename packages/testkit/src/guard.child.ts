import { rmSync } from 'node:fs';

/**
 * Outlives the process that started it by a moment: when its input ends, it kills the processes and removes the directories that it was
 * told of and not told to forget. One line each: `+pid N`, `-pid N`, `+dir PATH`, `-dir PATH`.
 */
const pids = new Set<number>();
const directories = new Set<string>();

let rest = '';
process.stdin.setEncoding('utf8').on('data', (text: string) => {
  const lines = (rest + text).split('\n');
  rest = lines.pop()!;
  for (const line of lines) {
    const value = line.slice('+pid '.length);
    if (line.startsWith('+pid ')) pids.add(Number(value));
    else if (line.startsWith('-pid ')) pids.delete(Number(value));
    else if (line.startsWith('+dir ')) directories.add(value);
    else if (line.startsWith('-dir ')) directories.delete(value);
  }
});
process.stdin.once('end', () => {
  for (const pid of pids) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It had ended by itself.
    }
  }
  // What was just killed may still be writing for a moment.
  for (const directory of directories) rmSync(directory, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
});
// An interrupt goes to the whole group of processes: the guard stays until its input ends.
process.on('SIGINT', () => {});
process.on('SIGTERM', () => {});
