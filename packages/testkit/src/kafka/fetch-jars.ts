import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { EventLogError, lockDirectory, type DirectoryLock } from '@touchstone/event-log';

const POM = fileURLToPath(new URL('../../kafka/pom.xml', import.meta.url));
const FETCH_WITHIN_MS = 5 * 60_000;
const run = promisify(execFile);

/** Directory of the jars for this pom, whether or not it is there yet. Another pom is another directory, so none is ever half right. */
export function jarsDirectory(): string {
  const cache = process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache');
  const version = createHash('sha256').update(readFileSync(POM)).digest('hex').slice(0, 12);
  return join(cache, 'touchstone', `kafka-${version}`);
}

/**
 * The directory of Kafka's jars, fetched by Maven where they are not there yet. Processes that ask at once wait for one another, as Maven's own
 * repository does not bear two writers; the directory appears whole, under its name, or not at all.
 */
export async function fetchJars(): Promise<string> {
  const jars = jarsDirectory();
  if (existsSync(jars)) return jars;
  const lock = await takeLock(`${jars}.lock`);
  try {
    if (existsSync(jars)) return jars;
    const unfinished = `${jars}.unfinished`;
    rmSync(unfinished, { recursive: true, force: true });
    mkdirSync(unfinished, { recursive: true });
    copyFileSync(POM, join(unfinished, 'pom.xml'));
    await run('mvn', ['-q', '-B', 'dependency:copy-dependencies', `-DoutputDirectory=${unfinished}`], {
      cwd: unfinished,
      timeout: FETCH_WITHIN_MS,
    });
    renameSync(unfinished, jars);
    return jars;
  } finally {
    lock.release();
  }
}

async function takeLock(directory: string): Promise<DirectoryLock> {
  const deadline = Date.now() + FETCH_WITHIN_MS;
  for (;;) {
    try {
      return lockDirectory(directory);
    } catch (error) {
      if (!(error instanceof EventLogError) || error.code !== 'locked' || Date.now() > deadline) throw error;
      await sleep(200);
    }
  }
}
