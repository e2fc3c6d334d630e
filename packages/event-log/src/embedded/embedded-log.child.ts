/**
 * Appends without pause until it is killed, and writes the number of each append that was acknowledged on a line of its own. Append n has
 * the records "n:0" to "n:4", spread over all partitions, some with room enough to make blocks of many pages.
 */
import { writeSync } from 'node:fs';
import { openEmbeddedLog } from './embedded-log.ts';

const [directory, first, inFlight] = process.argv.slice(2);
const log = await openEmbeddedLog({ directory: directory!, topics: { events: { partitions: 4 } } });
let next = Number(first);

async function appendForEver(): Promise<never> {
  for (;;) {
    const n = next++;
    const padding = 'x'.repeat(n % 3 === 0 ? 20_000 : 20);
    const records = Array.from({ length: 5 }, (_, i) => ({ key: null, value: Buffer.from(`${n}:${i}:${padding}`) }));
    await log.append('events', records);
    // Synchronously: a line in a buffer of this process would die with it, and prove nothing.
    writeSync(1, `${n}\n`);
  }
}

await Promise.all(Array.from({ length: Number(inFlight) }, appendForEver));
