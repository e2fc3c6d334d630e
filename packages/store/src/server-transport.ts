import { Readable } from 'node:stream';
import { ClickHouseLogLevel, createClient } from '@clickhouse/client';
import type { ClickHouseClient } from '@clickhouse/client';
import { mapStoreError } from './map-store-error.ts';
import { collect, columnList, INSERT_SETTINGS } from './row-transport.ts';
import type { Params, RowTransport } from './row-transport.ts';
import { StoreError } from './store.ts';
import type { ColumnType } from './row-binary.ts';

export interface ServerOptions {
  readonly url: string;
  readonly username: string;
  readonly password: string;
  readonly database: string;
  /** A statement without a whole answer by then has failed; what it did is not known. */
  readonly requestTimeoutMs: number;
}

/** A ClickHouse server over HTTP. */
export class ServerTransport implements RowTransport {
  readonly #options: ServerOptions;
  readonly #client: ClickHouseClient;
  readonly #underWay = new Set<Promise<unknown>>();
  #closed = false;

  constructor(options: ServerOptions) {
    this.#options = options;
    this.#client = connect(options, options.database);
  }

  async prepare(): Promise<void> {
    // A server refuses every statement of a session whose database is missing, so these go without. To be asked first spares a user that may
    // not make databases.
    const { database } = this.#options;
    const client = connect(this.#options, 'default');
    try {
      const found = await this.#answer(client, 'SELECT name FROM system.databases WHERE name = {database:String} FORMAT JSONEachRow', {
        database,
      });
      if (found.length === 0) await this.#answer(client, 'CREATE DATABASE IF NOT EXISTS {database:Identifier}', { database });
    } finally {
      await client.close();
    }
  }

  async command(statement: string, params: Params = {}): Promise<void> {
    await this.#answer(this.#client, statement, params);
  }

  read(statement: string, params: Params = {}): Promise<Uint8Array> {
    return this.#answer(this.#client, statement, params);
  }

  async insert(table: string, columns: readonly ColumnType[], chunks: readonly Uint8Array[]): Promise<void> {
    const statement = `INSERT INTO ${table} (${columnList(columns)}) ${INSERT_SETTINGS} FORMAT RowBinary`;
    await this.#answer(this.#client, statement, {}, Readable.from(chunks, { objectMode: false }));
  }

  async ping(): Promise<void> {
    await this.read('SELECT 1 FORMAT TabSeparated');
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.allSettled(this.#underWay);
    await this.#client.close();
  }

  async #answer(client: ClickHouseClient, statement: string, params: Params, values?: Readable): Promise<Uint8Array> {
    if (this.#closed) throw new StoreError('closed', 'The store is closed');
    const answer = this.#exchange(client, statement, params, values);
    this.#underWay.add(answer);
    try {
      return await answer;
    } catch (error) {
      throw mapStoreError(error);
    } finally {
      this.#underWay.delete(answer);
    }
  }

  async #exchange(client: ClickHouseClient, statement: string, params: Params, values?: Readable): Promise<Uint8Array> {
    // The client's own timeout ends with the headers of the answer; this one holds until its last byte.
    const signal = AbortSignal.timeout(this.#options.requestTimeoutMs);
    try {
      const { stream } = await client.exec({
        query: statement,
        query_params: params,
        abort_signal: signal,
        // The answer begins when the statement is over, so that an exception has a status of its own instead of ending a good answer early.
        clickhouse_settings: { wait_end_of_query: 1 },
        ...(values === undefined ? {} : { values }),
      });
      return await collect(stream);
    } catch (cause) {
      if (!signal.aborted) throw cause;
      throw new StoreError('unavailable', `ClickHouse did not answer within ${this.#options.requestTimeoutMs} ms`, { cause });
    }
  }
}

function connect({ url, username, password, requestTimeoutMs }: ServerOptions, database: string): ClickHouseClient {
  return createClient({
    url,
    username,
    password,
    database,
    request_timeout: requestTimeoutMs + 1000,
    log: { level: ClickHouseLogLevel.OFF },
  });
}
