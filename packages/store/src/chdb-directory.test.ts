import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { ChdbTransport } from './chdb-transport.ts';
import { openStore } from './open-store.ts';

const root = mkdtempSync(join(tmpdir(), 'touchstone-chdb-'));
const OPEN_STORE = JSON.stringify(new URL('open-store.ts', import.meta.url).href);

const children = new Set<ChildProcess>();

afterEach(() => {
  for (const child of children) child.kill('SIGKILL');
  children.clear();
});

afterAll(() => rmSync(root, { recursive: true }));

/** A process that opens the directory, prints a line and then does what the given code says. */
function otherProcess(directory: string, code: string) {
  const script = `
    const { openStore } = await import(${OPEN_STORE});
    const store = await openStore({ kind: 'chdb', directory: ${JSON.stringify(directory)} });
    console.log('open');
    ${code}`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'pipe'] });
  children.add(child);
  return { child, opened: once(child.stdout, 'data'), ended: once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]> };
}

describe('a chDB directory', () => {
  it('is refused while another process has it, with that process named, and free again once it is dead', async () => {
    const directory = join(root, 'one');
    const { child, opened, ended } = otherProcess(directory, 'setInterval(() => {}, 1000);');
    await opened;
    const refused = openStore({ kind: 'chdb', directory });
    await expect(refused).rejects.toMatchObject({
      code: 'locked',
      message: expect.stringContaining(`${directory} is in use by process ${child.pid}`),
    });
    child.kill('SIGKILL');
    await ended;
    const store = await openStore({ kind: 'chdb', directory });
    await store.close();
  });

  it('is refused while this process has it open already', async () => {
    const directory = join(root, 'two');
    const store = await openStore({ kind: 'chdb', directory });
    await expect(openStore({ kind: 'chdb', directory })).rejects.toMatchObject({ code: 'locked' });
    await store.close();
    await (await openStore({ kind: 'chdb', directory })).close();
  });

  it('loses what a dead process left of its inserts', async () => {
    const directory = join(root, 'three');
    mkdirSync(join(directory, 'incoming'), { recursive: true });
    writeFileSync(join(directory, 'incoming', 'touches-1.bin'), 'half a row');
    const store = await openStore({ kind: 'chdb', directory });
    expect(readdirSync(join(directory, 'incoming'))).toEqual([]);
    await store.close();
  });

  it('holds the rows of an insert no longer than that lasts, also when it fails', async () => {
    const transport = await ChdbTransport.open(join(root, 'six'));
    const columns = [{ name: 'x', type: 'UInt8' }];
    const incoming = () => readdirSync(join(root, 'six', 'incoming'));
    await transport.command('CREATE TABLE t (x UInt8) ENGINE = Memory');
    await transport.insert('t', columns, [Uint8Array.of(1, 2)]);
    expect(incoming()).toEqual([]);
    await expect(transport.insert('none', columns, [Uint8Array.of(1, 2)])).rejects.toMatchObject({ code: 'rejected' });
    expect(incoming()).toEqual([]);
    await transport.close();
  });

  it.each(['a*', 'a?', '{a,b}', 'a::b'])('is refused when ClickHouse would take its name for a pattern: %s', async (name) => {
    await expect(openStore({ kind: 'chdb', directory: join(root, name) })).rejects.toMatchObject({ code: 'rejected' });
  });

  it('that can not be made is refused', async () => {
    writeFileSync(join(root, 'file'), '');
    await expect(openStore({ kind: 'chdb', directory: join(root, 'file') })).rejects.toMatchObject({ code: 'rejected' });
  });

  it.each([
    ['it exits', 'process.exit(3)', ''],
    ['an error ends it, which is still told', `throw new Error('boom')`, 'Error: boom'],
  ])('lets its process end at once when, in the middle of a statement, %s', async (_, ending, told) => {
    const { child, ended } = otherProcess(
      join(root, 'four'),
      `void store.migrate().then(() => Promise.all(Array.from({ length: 500 }, () => store.ping())));
       setTimeout(() => { ${ending} }, 50);`,
    );
    const errors = text(child.stderr);
    expect(await ended).toEqual([null, 'SIGKILL']);
    expect(await errors).toContain(told);
  });

  it('takes a bounded number of statements at a time, of which only some may be reads', async () => {
    const store = await openStore({ kind: 'chdb', directory: join(root, 'seven') });
    await store.migrate();
    const key = { id: 'k', name: 'k', hash: 'h', scopes: ['read'], createdAt: 1, revokedAt: null };
    const refusedOf = async (calls: readonly Promise<void>[]) =>
      (await Promise.allSettled(calls)).flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason as unknown] : []));
    const reads = Array.from({ length: 70 }, () => store.ping());
    const refusedWrites = refusedOf(Array.from({ length: 940 }, () => store.saveApiKey(key)));
    const refusedReads = await refusedOf(reads);
    expect(refusedReads).toHaveLength(6);
    expect(refusedReads[0]).toMatchObject({ code: 'unavailable' });
    expect(await refusedWrites).toHaveLength(4);
    await store.ping();
    await store.close();
    // Some nine hundred inserts, each synced.
  }, 120_000);

  it('lets its process exit as it likes once it is closed', async () => {
    const { ended } = otherProcess(join(root, 'five'), `await store.close(); process.exit(3);`);
    expect(await ended).toEqual([3, null]);
  });
});
