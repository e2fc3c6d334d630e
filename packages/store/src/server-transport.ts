import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { SETTING_REFUSALS } from './click-house-exceptions.ts';
import { CLUSTER_READ_SETTINGS, clusterCommandSettings, clusterInsertSettings, schemaStatement } from './cluster.ts';
import { exceptionName, isBrokenConnection, mapStoreError } from './map-store-error.ts';
import type { ColumnType } from './row-binary.ts';
import { columnList, INSERT_SETTINGS } from './row-transport.ts';
import type { Params, ReadNeeds, RowTransport } from './row-transport.ts';
import { readAnswer } from './server-answer.ts';
import { ServerLane } from './server-lane.ts';
import { clusterOf, laneOptionsOf, pageTimeoutMsOf } from './server-options.ts';
import type { ServerOptions } from './server-options.ts';
import { StoreError } from './store-error.ts';

const PING_TIMEOUT_MS = 5000;
/** An insert that met another into the same table waits this long, and up to as long again. */
const QUORUM_PAUSE_MS = 40;

type Settings = Readonly<Record<string, string | number>>;

interface Statement {
  readonly text: string;
  readonly params: Params;
  readonly timeoutMs: number;
  readonly settings: (queryId: string) => Settings;
  readonly chunks?: readonly Uint8Array[];
  /** Sends again what broke off, within the time it has. */
  readonly mayRepeat: boolean;
  /** Runs outside of our database, which may not be there yet. */
  readonly isBare?: boolean;
}

/**
 * A ClickHouse server over HTTP. What it repeats by itself is what may be repeated at any time: reads, and inserts, whose rows replace themselves.
 * It does so when the connection broke, once and at once, since a server closes kept connections as it likes; and while another insert into
 * the same replicated table is under way. Everything else is for callers, who know how long to go on.
 */
export class ServerTransport implements RowTransport {
  readonly cluster: string | undefined;
  readonly #options: ServerOptions;
  readonly #pageTimeoutMs: number;
  readonly #reads: ServerLane;
  readonly #writes: ServerLane;
  readonly #underWay = new Set<AbortController>();
  #closed = false;
  /** Whether this user may set how long a read goes on in the server when nobody waits for it any more. */
  #mayLimit = true;

  /** @throws StoreError `rejected` when the CA file can not be read or the cluster's name is none */
  constructor(options: ServerOptions) {
    this.cluster = clusterOf(options);
    this.#options = options;
    this.#pageTimeoutMs = pageTimeoutMsOf(options);
    this.#reads = new ServerLane(laneOptionsOf(options, 12));
    this.#writes = new ServerLane(laneOptionsOf(options, 4));
  }

  async prepare(): Promise<void> {
    // To be asked first spares a user that may not make databases.
    const { database } = this.#options;
    const text = 'SELECT name FROM system.databases WHERE name = {database:String} FORMAT JSONEachRow';
    const found = await this.#read({ text, params: { database }, timeoutMs: this.#options.requestTimeoutMs, isBare: true });
    if (found.length > 0) return;
    await this.#command({
      text: schemaStatement('CREATE DATABASE IF NOT EXISTS {database:Identifier}', this.cluster),
      params: { database },
      isBare: true,
    });
  }

  command(text: string, params: Params = {}): Promise<void> {
    return this.#command({ text, params });
  }

  read(text: string, params: Params = {}, { isPage = false, mayLag = false }: ReadNeeds = {}): Promise<Uint8Array> {
    return this.#read({ text, params, timeoutMs: isPage ? this.#pageTimeoutMs : this.#options.requestTimeoutMs, mayLag });
  }

  async insert(table: string, columns: readonly ColumnType[], chunks: readonly Uint8Array[]): Promise<void> {
    const text = `INSERT INTO ${table} (${columnList(columns)}) ${INSERT_SETTINGS} FORMAT RowBinary`;
    const timeoutMs = this.#options.requestTimeoutMs;
    const settings = (queryId: string): Settings => ({
      // A replicated table drops an insert that is equal to one of the last thousands, though the rows of that may be gone by now: erased,
      // or newer than the backup that was restored. An own token makes each the first of its kind; rows replace themselves anyway.
      insert_deduplication_token: queryId,
      ...(this.cluster === undefined ? {} : clusterInsertSettings(table, timeoutMs)),
    });
    await this.#answer(this.#writes, { text, params: {}, timeoutMs, settings, chunks, mayRepeat: true });
  }

  async ping(): Promise<void> {
    const timeoutMs = Math.min(PING_TIMEOUT_MS, this.#options.requestTimeoutMs);
    await this.#read({ text: 'SELECT 1 FORMAT TabSeparated', params: {}, timeoutMs, mayLag: true });
  }

  async close(): Promise<void> {
    this.#closed = true;
    const lanes = [this.#reads, this.#writes];
    // Pages have longer, but nobody waits for one whose store is being closed.
    const timer = setTimeout(() => {
      for (const ending of this.#underWay) ending.abort(new StoreError('closed', 'The store was closed before ClickHouse answered'));
    }, this.#options.requestTimeoutMs);
    await Promise.all(lanes.map((lane) => lane.ended()));
    clearTimeout(timer);
    for (const lane of lanes) lane.close();
  }

  async #command(statement: Pick<Statement, 'text' | 'params' | 'isBare'>): Promise<void> {
    const timeoutMs = this.cluster === undefined ? this.#options.requestTimeoutMs : this.#pageTimeoutMs;
    const settings = () => (this.cluster === undefined ? {} : clusterCommandSettings(timeoutMs));
    await this.#answer(this.#writes, { ...statement, timeoutMs, settings, mayRepeat: false });
  }

  async #read(asked: Pick<Statement, 'text' | 'params' | 'timeoutMs' | 'isBare'> & { readonly mayLag?: boolean }): Promise<Uint8Array> {
    const isLimited = this.#mayLimit;
    const settings = (): Settings => ({
      // By the clock, not by what ClickHouse expects of a query: it works on for nobody otherwise, when the time here is over.
      ...(isLimited ? { max_execution_time: Math.ceil(asked.timeoutMs / 1000), timeout_before_checking_execution_speed: 0 } : {}),
      ...(this.cluster === undefined || asked.mayLag === true ? {} : CLUSTER_READ_SETTINGS),
    });
    try {
      return await this.#answer(this.#reads, { ...asked, settings, mayRepeat: true });
    } catch (error) {
      if (!isLimited || !SETTING_REFUSALS.has(exceptionName(error) ?? '')) throw error;
      this.#mayLimit = false;
      return this.#read(asked);
    }
  }

  /** The client's own timeout ends with the headers of an answer; this one holds until the last byte of the last repeat. */
  async #answer(lane: ServerLane, statement: Statement): Promise<Uint8Array> {
    if (this.#closed) throw new StoreError('closed', 'The store is closed');
    const { timeoutMs } = statement;
    const ending = new AbortController();
    const { signal } = ending;
    const timer = setTimeout(() => {
      ending.abort(new StoreError('unavailable', `ClickHouse did not answer within ${timeoutMs} ms`));
    }, timeoutMs);
    this.#underWay.add(ending);
    try {
      return await lane.run(() => this.#repeat(lane, statement, signal));
    } catch (error) {
      throw mapStoreError(signal.aborted ? signal.reason : error);
    } finally {
      this.#underWay.delete(ending);
      clearTimeout(timer);
    }
  }

  async #repeat(lane: ServerLane, statement: Statement, signal: AbortSignal): Promise<Uint8Array> {
    let mayBreak = statement.mayRepeat;
    for (;;) {
      try {
        return await this.#exchange(lane, statement, signal);
      } catch (error) {
        if (signal.aborted || !statement.mayRepeat) throw error;
        if (isBrokenConnection(error) && mayBreak) {
          mayBreak = false;
          lane.dropIdleSockets();
        } else if (exceptionName(mapStoreError(error)) === 'UNSATISFIED_QUORUM_FOR_PREVIOUS_WRITE') {
          await sleep(QUORUM_PAUSE_MS * (1 + Math.random()), undefined, { signal });
        } else throw error;
      }
    }
  }

  async #exchange(lane: ServerLane, { text, params, settings, chunks, isBare }: Statement, signal: AbortSignal): Promise<Uint8Array> {
    // Of its own for each repeat: a server refuses an id that is still under way. By its beginning operators find ours.
    const queryId = `touchstone-${randomUUID()}`;
    const client = isBare === true ? lane.bareClient : lane.client;
    const answer = await client.exec({
      query: text,
      query_params: params,
      query_id: queryId,
      abort_signal: signal,
      // Then an answer begins when the statement is over, so that an exception has a status of its own instead of ending a good answer early.
      clickhouse_settings: { wait_end_of_query: 1, ...settings(queryId) },
      ignore_error_response: true,
      ...(chunks === undefined ? {} : { values: Readable.from(chunks, { objectMode: false }) }),
    });
    return readAnswer(answer, signal);
  }
}
