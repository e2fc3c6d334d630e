/** Takes the lock of a directory in a process of its own, says whether it got it, and holds it until it is killed. */
import { setTimeout } from 'node:timers/promises';
import { lockDirectory } from './lock-directory.ts';

const [directory, startAt] = process.argv.slice(2);
// Racing starters wait for the same instant, busy at the end, so that they really meet.
await setTimeout(Math.max(0, Number(startAt ?? 0) - Date.now() - 5));
while (Date.now() < Number(startAt ?? 0));
try {
  lockDirectory(directory!);
  process.stdout.write('held\n');
} catch (error) {
  process.stdout.write(`${String(error)}\n`);
}
setInterval(() => {}, 1000);
