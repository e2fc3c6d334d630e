import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { open, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { createClient } from '@clickhouse/client';
import type { ClickHouseClient, ClickHouseClientConfigOptions } from '@clickhouse/client';
import { endAtOnceWhile } from './end-at-once.ts';
import { mapStoreError } from './map-store-error.ts';
import type { ColumnType } from './row-binary.ts';
import { collect, columnList, INSERT_SETTINGS } from './row-transport.ts';
import type { Params, RowTransport } from './row-transport.ts';
import { StoreError } from './store-error.ts';

/** chDB runs one statement of a connection at a time; this many may wait before callers are told to come back. */
const STATEMENTS_MAX = 1000;
/** Of these so many may be reads: a checkpoint waits its turn behind them. */
const READS_MAX = 64;
/** The most that a system call takes. */
const CHUNKS_A_CALL = 1024;
/** `file()` takes these for patterns and archives: a path that has them would name other files, or none, without an error. */
const PATTERN_IN_PATH = /[*?{}]|::/;

type ChdbConnection = NonNullable<ClickHouseClientConfigOptions['connection']>;

/** chDB lets one process open a directory twice, but the files of an insert are this class's to delete. */
const openHere = new Set<string>();

/**
 * ClickHouse in this process, one process a directory:
 *
 *     <directory>/clickhouse   the engine's own
 *     <directory>/incoming     rows on their way in, a file per insert, gone when it ends
 *
 * The engine takes statements as text, so rows of bytes go by way of a file, which it reads several times faster than text anyway.
 */
export class ChdbTransport implements RowTransport {
  /** They are in their file by then. */
  readonly letsGoOfChunks = true;
  readonly #client: ClickHouseClient;
  readonly #root: string;
  readonly #incoming: string;
  readonly #letExit: () => void;
  #files = 0;
  #statements = 0;
  #reads = 0;
  #last: Promise<unknown> = Promise.resolve();
  /** A statement failed: the engine may still hold the part of its answer that was ready. */
  #hasRemains = false;
  #closed = false;

  private constructor(client: ClickHouseClient, root: string, incoming: string) {
    this.#client = client;
    this.#root = root;
    this.#incoming = incoming;
    openHere.add(root);
    this.#letExit = endAtOnceWhile(() => this.#statements > 0);
  }

  /** @throws StoreError `locked` when the directory is open already, here or in another process; `rejected` when it can not be opened */
  static async open(directory: string): Promise<ChdbTransport> {
    const root = resolve(directory);
    if (PATTERN_IN_PATH.test(root)) {
      throw new StoreError(
        'rejected',
        `The data directory ${root} has one of * ? { } :: in its path, which ClickHouse takes for a pattern`,
      );
    }
    const path = join(root, 'clickhouse');
    const incoming = join(root, 'incoming');
    // Loaded only here: a process that uses a server should not carry the engine, half a gigabyte of library.
    const { createChdbConnection } = await import('chdb/connection');
    if (openHere.has(root)) throw new StoreError('locked', `The data directory ${root} is open in this process already`);
    let client: ClickHouseClient;
    try {
      mkdirSync(path, { recursive: true });
      mkdirSync(incoming, { recursive: true });
      // chDB types the connection by another copy of the client's declarations, which is the same in all but name.
      client = createClient({ connection: createChdbConnection({ path }) as unknown as ChdbConnection });
    } catch (cause) {
      throw openError(root, path, cause);
    }
    // The directory is ours now, so what is left here is from a process that did not end its inserts.
    for (const name of readdirSync(incoming)) rmSync(join(incoming, name));
    return new ChdbTransport(client, root, incoming);
  }

  async prepare(): Promise<void> {}

  async command(statement: string, params: Params = {}): Promise<void> {
    await this.#inTurn(() => this.#client.command({ query: statement, query_params: params }));
  }

  async read(statement: string, params: Params = {}): Promise<Uint8Array> {
    if (this.#reads >= READS_MAX) throw new StoreError('unavailable', `${READS_MAX} reads wait for chDB already`);
    this.#reads++;
    try {
      return await this.#inTurn(async () => {
        const { stream } = await this.#client.exec({ query: statement, query_params: params });
        return collect(stream);
      });
    } finally {
      this.#reads--;
    }
  }

  async insert(table: string, columns: readonly ColumnType[], chunks: readonly Uint8Array[]): Promise<void> {
    const path = join(this.#incoming, `${table}-${++this.#files}.bin`);
    const names = columnList(columns);
    await this.#inTurn(async () => {
      try {
        await writeChunks(path, chunks);
        await this.#client.command({
          query: `INSERT INTO ${table} (${names}) ${INSERT_SETTINGS} SELECT ${names} FROM file({path:String}, 'RowBinary', {structure:String})`,
          query_params: { path, structure: columns.map(({ name, type }) => `${name} ${type}`).join(', ') },
        });
      } finally {
        await rm(path, { force: true });
      }
    });
  }

  async ping(): Promise<void> {
    await this.read('SELECT 1 FORMAT TabSeparated');
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#last;
    await this.#client.close();
    const { drainPending } = await import('chdb');
    await drainPending();
    this.#letExit();
    openHere.delete(this.#root);
  }

  /** A statement waiting inside the engine holds one of the few threads that file and log writes need too, so they wait here. */
  async #inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    if (this.#closed) throw new StoreError('closed', 'The store is closed');
    if (this.#statements >= STATEMENTS_MAX) throw new StoreError('unavailable', `${STATEMENTS_MAX} statements wait for chDB already`);
    this.#statements++;
    const result = this.#last.then(() => this.#dropRemains()).then(work);
    // Not the result itself: it would be kept until the next statement.
    this.#last = result.then(
      () => {},
      () => {
        this.#hasRemains = true;
      },
    );
    try {
      return await result;
    } catch (error) {
      throw mapStoreError(error);
    } finally {
      this.#statements--;
    }
  }

  /**
   * chDB puts what a failed statement had answered so far in front of the answer to the next one, where it would pass for rows of that. So an
   * answer that nobody reads comes in between.
   */
  async #dropRemains(): Promise<void> {
    if (!this.#hasRemains) return;
    await this.#client.command({ query: 'SELECT 1' });
    this.#hasRemains = false;
  }
}

/** In one call for many chunks: each call would wait for a turn of the event loop, which a backlog makes long. */
async function writeChunks(path: string, chunks: readonly Uint8Array[]): Promise<void> {
  const file = await open(path, 'w');
  try {
    for (let from = 0; from < chunks.length; from += CHUNKS_A_CALL) {
      const some = chunks.slice(from, from + CHUNKS_A_CALL);
      const bytes = some.reduce((sum, { length }) => sum + length, 0);
      const { bytesWritten } = await file.writev(some);
      // A disk that fills up may take a part without an error.
      if (bytesWritten < bytes) throw new StoreError('unavailable', `Only ${bytesWritten} of ${bytes} bytes could be written to ${path}`);
    }
  } finally {
    await file.close();
  }
}

/** The engine says on standard error what is wrong and throws next to nothing; the file it locks names the owner. */
function openError(directory: string, path: string, cause: unknown): StoreError {
  const owner = ownerOf(path);
  if (owner !== null) {
    return new StoreError('locked', `The data directory ${directory} is in use by process ${owner}; one process at a time can have it`, {
      cause,
    });
  }
  return new StoreError('rejected', `chDB can not open ${path}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
}

function ownerOf(path: string): number | null {
  const status = join(path, 'status');
  const pid = existsSync(status) ? Number(/^PID: (\d+)$/m.exec(readFileSync(status, 'utf8'))?.[1]) : 0;
  return pid > 0 && pid !== process.pid && isRunning(pid) ? pid : null;
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // A process of another user can not be signalled, but it is there.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
