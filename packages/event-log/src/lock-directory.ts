import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { EventLogError } from './event-log.ts';

/**
 * One process at a time in a directory, with a lock that the operating system itself drops when its holder dies, however it dies.
 *
 * Node offers no file lock of its own, but the SQLite inside it does: `BEGIN EXCLUSIVE` on an otherwise empty database takes the locks of
 * the platform (fcntl on Linux and macOS, LockFileEx on Windows). They work between containers that share the directory,
 * they refuse a second holder inside one process as well, two racing starters can not both win, and nothing needs to be cleaned up after a
 * kill -9. A pid file does none of this: a pid is reused, and a container's first process always has the same one. So `lock.json`, which
 * says who holds the lock, is for people only.
 */
export interface DirectoryLock {
  /** May be called again; the directory is free from the first call on. */
  release(): void;
}

/** SQLite takes the lock in steps, so two that start at once may each stop the other; it backs off and tries again for so long. */
const PATIENCE_MS = 250;
/** SQLite's result codes for a lock that somebody else holds. */
const SQLITE_BUSY = 5;
const SQLITE_LOCKED = 6;

/** Databases whose lock we hold. One that nothing refers to would be collected and closed, and its lock given up with it. */
const held = new Set<DatabaseSync>();

/**
 * Makes the directory if needed and takes it for this process.
 * @throws EventLogError `locked`, whose message names the directory and, where it can be known, the process; `io` when the directory can
 * not be made or its file system has no locks
 */
export function lockDirectory(directory: string): DirectoryLock {
  const holderPath = join(directory, 'lock.json');
  let database: DatabaseSync | null = null;
  try {
    mkdirSync(directory, { recursive: true });
    database = new DatabaseSync(join(directory, 'lock'), { timeout: PATIENCE_MS });
    // In memory, so that a killed holder leaves no journal that the next one would have to roll back.
    database.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE');
    writeFileSync(holderPath, JSON.stringify({ pid: process.pid, host: hostname(), since: new Date().toISOString() }));
  } catch (cause) {
    database?.close();
    if (isHeldByOther(cause)) throw new EventLogError('locked', `${directory} is in use by ${nameOfHolder(holderPath)}`, { cause });
    throw new EventLogError('io', `${directory} can not be locked: ${String(cause)}`, { cause });
  }
  const holding = database;
  held.add(holding);
  return {
    release() {
      if (!held.delete(holding)) return;
      rmSync(holderPath, { force: true });
      holding.close();
    },
  };
}

function isHeldByOther(cause: unknown): boolean {
  return cause instanceof Error && 'errcode' in cause && (cause.errcode === SQLITE_BUSY || cause.errcode === SQLITE_LOCKED);
}

/** Never fails: the file may be missing or half written in the moment after the lock was taken, or left from a holder that was killed. */
function nameOfHolder(holderPath: string): string {
  try {
    const { pid, host, since } = JSON.parse(readFileSync(holderPath, 'utf8')) as { pid: number; host: string; since: string };
    if (host === hostname() && pid === process.pid) return `this process (${pid})`;
    if (host === hostname() && !isAlive(pid)) return 'another process';
    return `process ${pid}${host === hostname() ? '' : ` on ${host}`} since ${since}`;
  } catch {
    return 'another process';
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: alive, but another user's.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
