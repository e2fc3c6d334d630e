import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, it } from 'vitest';
import { entriesOf, leadAt, touchAt } from './test-records.ts';
import { openStore } from './open-store.ts';

const KILLS = 10;
const PROGRAM = fileURLToPath(new URL('checkpoint-forever.child.ts', import.meta.url));
const directory = mkdtempSync(join(tmpdir(), 'touchstone-durability-'));

afterEach(() => rmSync(directory, { recursive: true }));

it(`what a checkpoint acknowledged is there after each of ${KILLS} kill -9, and nothing beside it`, { timeout: 120_000 }, async () => {
  for (let kill = 0; kill < KILLS; kill++) {
    const acknowledged = await runAndKill();
    const store = await openStore({ kind: 'chdb', directory });
    expect(readdirSync(join(directory, 'incoming'))).toEqual([]);
    const positions = await store.positions();
    for (const [partition, offset] of acknowledged) {
      const stored = positions.get(partition)!.offset;
      expect(stored).toBeGreaterThanOrEqual(offset);
      const entries = await entriesOf(store.replay(partition, stored));
      const expected = Array.from({ length: stored }, (_, at) =>
        at % 10 === 0 ? leadAt(at, undefined, partition) : touchAt(at, {}, partition),
      );
      expect(entries).toEqual(expected);
    }
    await store.close();
  }
});

/** Positions by partition as last acknowledged before the kill. */
async function runAndKill(): Promise<[partition: number, offset: number][]> {
  const child = spawn(process.execPath, [PROGRAM, directory], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'close');
  let printed = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (printed += text));
  await Promise.race([once(child.stdout, 'data'), ended]);
  await sleep(Math.random() * 300);
  child.kill('SIGKILL');
  await ended;
  // The last line may be cut; one that is whole was acknowledged.
  return JSON.parse(printed.split('\n').at(-2)!) as [number, number][];
}
