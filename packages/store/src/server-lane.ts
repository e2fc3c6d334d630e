import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { ClickHouseLogLevel, createClient } from '@clickhouse/client';
import type { ClickHouseClient } from '@clickhouse/client';
import { StoreError } from './store-error.ts';

export type Compression = 'none' | 'gzip' | 'zstd';

export interface LaneOptions {
  readonly url: string;
  readonly username: string;
  readonly password: string;
  readonly database: string;
  readonly ca: Buffer | undefined;
  readonly compression: Compression;
  /** The longest that a statement may take. */
  readonly timeoutMs: number;
  readonly socketsMax: number;
}

/** So many statements may wait or be under way in a lane before callers are told to come back: an outage gathers no more than these. */
const STATEMENTS_MAX = 64;

/**
 * Sockets to a server and the statements on them. Inserts have a lane of their own: a checkpoint should not wait behind pages of a restore.
 */
export class ServerLane {
  readonly client: ClickHouseClient;
  /** Of no database: a server refuses every statement of a session whose database is missing. */
  readonly bareClient: ClickHouseClient;
  readonly #agent: HttpAgent;
  readonly #underWay = new Set<Promise<unknown>>();

  constructor(options: LaneOptions) {
    // One kind of agent whatever the URL, because a client that is given a CA sends the password in other headers, which not every gateway
    // takes.
    const sockets = { keepAlive: true, maxSockets: options.socketsMax };
    this.#agent = options.url.startsWith('https:') ? new HttpsAgent({ ...sockets, ca: options.ca }) : new HttpAgent(sockets);
    const codec = options.compression === 'none' ? false : { codec: options.compression };
    const rest = {
      url: options.url,
      username: options.username,
      password: options.password,
      request_timeout: options.timeoutMs + 1000,
      compression: { request: codec, response: codec },
      keep_alive: { enabled: true, eagerly_destroy_stale_sockets: true },
      http_agent: this.#agent,
      log: { level: ClickHouseLogLevel.OFF },
    };
    this.client = createClient({ ...rest, database: options.database });
    this.bareClient = createClient({ ...rest, database: 'default' });
  }

  async run<Result>(work: () => Promise<Result>): Promise<Result> {
    if (this.#underWay.size >= STATEMENTS_MAX)
      throw new StoreError('unavailable', `${STATEMENTS_MAX} statements wait for ClickHouse already`);
    const result = work();
    this.#underWay.add(result);
    try {
      return await result;
    } finally {
      this.#underWay.delete(result);
    }
  }

  /** Closes sockets that wait for use: when one of them is broken, so are the others, as after a restart of the server. */
  dropIdleSockets(): void {
    for (const socket of Object.values(this.#agent.freeSockets).flatMap((sockets) => sockets ?? [])) socket.destroy();
  }

  async ended(): Promise<void> {
    await Promise.allSettled(this.#underWay);
  }

  close(): void {
    this.#agent.destroy();
  }
}
