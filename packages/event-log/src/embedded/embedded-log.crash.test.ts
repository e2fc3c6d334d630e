import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { readWhole } from '../log-follower.ts';
import type { ReadRecord } from '../log-follower.ts';
import { temporaryDirectories } from '../temporary-directory.ts';
import { openEmbeddedLog } from './embedded-log.ts';

const KILLS = 8;
const temporaryDirectory = temporaryDirectories();

/** Lets a process append until it acknowledged a few, waits a little longer, kills it, and gives back what it acknowledged. */
async function appendUntilKilled(directory: string, first: number, inFlight: number, extraMs: number): Promise<number[]> {
  const script = join(import.meta.dirname, 'embedded-log.child.ts');
  const child = spawn(process.execPath, [script, directory, `${first}`, `${inFlight}`], { stdio: ['ignore', 'pipe', 'inherit'] });
  const acknowledged: number[] = [];
  const lines = createInterface(child.stdout);
  const enough = new Promise<void>((resolve) => {
    lines.on('line', (line) => {
      acknowledged.push(Number(line));
      if (acknowledged.length === 20) resolve();
    });
  });
  const ended = once(lines, 'close');
  await Promise.race([enough, ended]);
  await setTimeout(extraMs);
  child.kill('SIGKILL');
  await ended;
  return acknowledged;
}

function appendsIn(records: readonly ReadRecord[]): Map<number, Set<string>> {
  const appends = new Map<number, Set<string>>();
  for (const { value } of records) {
    const [append, part] = value!.split(':') as [string, string];
    const parts = appends.get(Number(append)) ?? new Set();
    expect(parts.has(part)).toBe(false);
    appends.set(Number(append), parts.add(part));
  }
  return appends;
}

test('no acknowledged append is lost, and none is there in part, whenever the process is killed', async () => {
  const directory = temporaryDirectory();
  const acknowledged: number[] = [];
  for (let kill = 0; kill < KILLS; kill++) {
    const inFlight = [1, 8, 40][kill % 3]!;
    acknowledged.push(...(await appendUntilKilled(directory, kill * 1_000_000, inFlight, Math.random() * 60)));

    // The killed process held the lock; nobody waits for it.
    const log = await openEmbeddedLog({ directory, topics: { events: { partitions: 4 } } });
    const records = await readWhole(log);
    await log.close();
    const appends = appendsIn(records);
    expect(acknowledged.filter((n) => !appends.has(n))).toEqual([]);
    expect([...appends].filter(([, parts]) => parts.size !== 5)).toEqual([]);
  }
  expect(acknowledged.length).toBeGreaterThanOrEqual(KILLS * 20);
});
