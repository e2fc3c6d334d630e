import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setImmediate } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, describe, expect, test } from 'vitest';
import { lockDirectory } from './lock-directory.ts';
import { temporaryDirectories } from './temporary-directory.ts';

const temporaryDirectory = temporaryDirectories();
const children: ChildProcess[] = [];

afterEach(async () => {
  await Promise.all(children.splice(0).map(kill));
});

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGKILL');
  await once(child, 'exit');
}

/** Starts a process that tries to take the lock; `answer` is what it said. */
function startHolder(directory: string, startAt = 0): { child: ChildProcess; answer: Promise<string> } {
  const script = join(import.meta.dirname, 'lock-directory.child.ts');
  const child = spawn(process.execPath, [script, directory, `${startAt}`], { stdio: ['ignore', 'pipe', 'inherit'] });
  children.push(child);
  return { child, answer: once(createInterface(child.stdout), 'line').then(([line]) => String(line)) };
}

const locked = (message: RegExp) => expect.objectContaining({ code: 'locked', message: expect.stringMatching(message) });

function errorOf(run: () => unknown): unknown {
  try {
    run();
  } catch (error) {
    return error;
  }
  return 'no error';
}

describe('the lock of a directory', () => {
  test('is taken once in a process, and free again when released', () => {
    const directory = join(temporaryDirectory(), 'made', 'as', 'needed');
    const lock = lockDirectory(directory);
    expect(errorOf(() => lockDirectory(directory))).toEqual(locked(/is in use by this process/));
    lock.release();
    lock.release();
    lockDirectory(directory).release();
  });

  test('stays taken when the caller keeps nothing of it, however much garbage is collected', async () => {
    const directory = temporaryDirectory();
    lockDirectory(directory);
    setFlagsFromString('--expose-gc');
    const collectGarbage = runInNewContext('gc') as () => void;
    for (let i = 0; i < 3; i++) {
      collectGarbage();
      await setImmediate();
    }
    expect(await startHolder(directory).answer).toMatch(/is in use by/);
  });

  test('of one directory does not hold another', () => {
    const first = lockDirectory(temporaryDirectory());
    lockDirectory(temporaryDirectory()).release();
    first.release();
  });

  test('held by another process is refused, with the directory and the process in the message', async () => {
    const directory = temporaryDirectory();
    const { child, answer } = startHolder(directory);
    expect(await answer).toBe('held');
    expect(errorOf(() => lockDirectory(directory))).toEqual(locked(new RegExp(`^${directory} is in use by process ${child.pid} since 2`)));
  });

  test('refused to another process names this one', async () => {
    const directory = temporaryDirectory();
    const lock = lockDirectory(directory);
    expect(await startHolder(directory).answer).toContain(`is in use by process ${process.pid} since`);
    lock.release();
  });

  test('is free as soon as its holder was killed, though the note about the holder stays', async () => {
    const directory = temporaryDirectory();
    const { child, answer } = startHolder(directory);
    await answer;
    await kill(child);
    expect(existsSync(join(directory, 'lock.json'))).toBe(true);
    lockDirectory(directory).release();
    expect(existsSync(join(directory, 'lock.json'))).toBe(false);
  });

  test('is not kept by a note whose pid is in use by something else', () => {
    const directory = temporaryDirectory();
    writeFileSync(join(directory, 'lock.json'), JSON.stringify({ pid: process.ppid, host: hostname(), since: 'then' }));
    const lock = lockDirectory(directory);
    expect(JSON.parse(readFileSync(join(directory, 'lock.json'), 'utf8'))).toMatchObject({ pid: process.pid });
    lock.release();
  });

  test.each([
    { what: 'a dead process', note: JSON.stringify({ pid: 2 ** 30, host: hostname(), since: 'then' }), named: /by another process$/ },
    { what: 'a half written note', note: '{"pid":', named: /by another process$/ },
    {
      what: 'another host',
      note: JSON.stringify({ pid: 1, host: 'elsewhere', since: 'then' }),
      named: /by process 1 on elsewhere since then$/,
    },
  ])('is refused all the same when the note tells of $what', ({ note, named }) => {
    const directory = temporaryDirectory();
    const lock = lockDirectory(directory);
    writeFileSync(join(directory, 'lock.json'), note);
    expect(errorOf(() => lockDirectory(directory))).toEqual(locked(named));
    lock.release();
  });

  test('goes to exactly one of several that start at once after a crash', async () => {
    const directory = temporaryDirectory();
    const { child, answer } = startHolder(directory);
    await answer;
    await kill(child);
    const startAt = Date.now() + 700;
    const answers = await Promise.all(Array.from({ length: 5 }, () => startHolder(directory, startAt).answer));
    expect(answers.filter((line) => line === 'held').length).toBe(1);
    expect(answers.filter((line) => line.includes(`${directory} is in use by`)).length).toBe(4);
  });

  test('that can not be taken at all is an io error', () => {
    const file = join(temporaryDirectory(), 'file');
    writeFileSync(file, '');
    expect(errorOf(() => lockDirectory(file))).toMatchObject({ code: 'io' });
  });
});
