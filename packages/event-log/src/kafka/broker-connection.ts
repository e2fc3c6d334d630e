import { connect as connectPlain, isIP } from 'node:net';
import type { OnReadOpts, Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { ConnectionOptions as TlsOptions } from 'node:tls';
import type { SASLOptions } from 'kafkajs';
import { EventLogError } from '../event-log.ts';
import { FrameCollector } from './frame-collector.ts';
import { FrameMemory } from './frame-memory.ts';
import type { Api } from './protocol/api.ts';
import { apiVersions } from './protocol/api-versions.ts';
import { WireReader } from './protocol/wire-reader.ts';
import { WireWriter } from './protocol/wire-writer.ts';
import { authenticate } from './sasl.ts';
import type { SaslExchange } from './sasl.ts';

export interface BrokerAddress {
  readonly host: string;
  readonly port: number;
  readonly clientId: string;
  readonly ssl: TlsOptions | null;
  readonly sasl: SASLOptions | null;
  readonly connectTimeoutMs: number;
  /** Where the memory of large answers comes from, and whoever reads them may give it back. Default: it is kept for good. */
  readonly memory?: FrameMemory;
}

interface Pending {
  readonly timer: NodeJS.Timeout;
  readonly resolve: (answer: Buffer) => void;
  readonly reject: (cause: unknown) => void;
}

/** What TLS says of certificates that it does not take, and of a broker that speaks no TLS. */
const TLS_REFUSAL = /CERT|SELF_SIGNED|UNABLE_TO|ERR_SSL_WRONG_VERSION|ERR_TLS/;
const KEEP_ALIVE_MS = 30_000;
/** Part of a session after which a connection is made anew, so that the broker never ends it in the middle of a request. */
const SESSION_PART = 0.8;

/**
 * One connection to one broker. It is closed for good by the first thing that goes wrong, a request without an answer included: what comes
 * later would be answers to requests that nobody waits for. Whoever uses it then opens another.
 *
 * kafkajs has a class for this too. Ours differs in that hostile bytes can not throw inside a socket's event, that nothing waits behind a dead
 * connection, and that a slow answer may take its time as long as bytes of it come in.
 */
export class BrokerConnection {
  readonly #options: BrokerAddress;
  readonly #socket: Socket;
  readonly #collector: FrameCollector;
  readonly #pending = new Map<number, Pending>();
  #versions: ReadonlyMap<number, { readonly min: number; readonly max: number }> = new Map();
  #nextId = 0;
  #closedBy: unknown = null;
  /** By the clock of `performance.now`. */
  #expiresAt = Infinity;

  private constructor(options: BrokerAddress, socket: Socket, collector: FrameCollector) {
    this.#options = options;
    this.#socket = socket;
    this.#collector = collector;
    socket.setNoDelay(true);
    socket.setKeepAlive(true, KEEP_ALIVE_MS);
    socket.on('error', (cause) => this.close(cause));
    socket.on('close', () => this.close(new Error('the broker closed the connection')));
  }

  /** @throws EventLogError `io`, `refused` when the broker does not take us */
  static async open(options: BrokerAddress): Promise<BrokerConnection> {
    const collector = new FrameCollector(options.memory ?? new FrameMemory());
    let connection: BrokerConnection | null = null;
    // A broker says nothing before it is asked, so nothing is read before the connection is there.
    const onread = { buffer: () => collector.room(), callback: (count: number) => connection === null || connection.#collect(count) };
    const socket = await connected(options, onread);
    connection = new BrokerConnection(options, socket, collector);
    try {
      await connection.#introduce();
      return connection;
    } catch (cause) {
      connection.close(cause);
      throw cause;
    }
  }

  /** False once it is closed, or too old to begin another request on it. */
  get usable(): boolean {
    return this.#closedBy === null && performance.now() < this.#expiresAt;
  }

  get address(): string {
    return `${this.#options.host}:${this.#options.port}`;
  }

  supports(api: Api<never, unknown>): boolean {
    const range = this.#versions.get(api.key);
    return range !== undefined && range.min <= api.version && api.version <= range.max;
  }

  /**
   * Sends and awaits the answer. `timeoutMs` is how long nothing at all may come in.
   * @throws EventLogError `io` with the connection closed, `refused` for a broker that is too old or too new, `corrupt`
   */
  async request<Request, Response>(api: Api<Request, Response>, request: Request, timeoutMs: number): Promise<Response> {
    if (this.#versions.size > 0 && !this.supports(api)) {
      throw new EventLogError(
        'refused',
        `${this.address} does not know version ${api.version} of ${api.name}: Kafka 2.8 to 4 are supported`,
      );
    }
    const writer = new WireWriter(api.flexible, api.sizeOf?.(request));
    const id = this.#header(writer, api.key, api.version);
    writer.tags();
    api.encode(writer, request);
    const answer = await this.#exchange(id, writer, timeoutMs);
    try {
      const reader = new WireReader(answer, api.flexible);
      reader.tags();
      return api.decode(reader);
    } catch (cause) {
      this.close(cause);
      throw cause;
    }
  }

  close(cause: unknown = new Error('closed by us')): void {
    if (this.#closedBy !== null) return;
    this.#closedBy = cause;
    this.#socket.destroy();
    for (const { timer, reject } of this.#pending.values()) {
      clearTimeout(timer);
      reject(this.#lost());
    }
    this.#pending.clear();
  }

  async #introduce(): Promise<void> {
    const { sasl, host, port, connectTimeoutMs } = this.#options;
    const { errorCode, apis } = await this.request(apiVersions, null, connectTimeoutMs);
    if (errorCode !== 0) throw new EventLogError('refused', `${this.address} does not tell what it understands: error code ${errorCode}`);
    this.#versions = new Map(apis.map(({ key, min, max }) => [key, { min, max }]));
    if (sasl === null) return;
    const send = (exchange: SaslExchange) => this.#sendForSasl(exchange);
    const lifetime = await authenticate(sasl, { host, port, versions: this.#versions, send });
    if (lifetime !== null) this.#expiresAt = performance.now() + lifetime * SESSION_PART;
  }

  async #sendForSasl({ request, response }: SaslExchange): Promise<unknown> {
    const writer = new WireWriter();
    const id = this.#header(writer, request.apiKey, request.apiVersion);
    writer.raw((await request.encode()).buffer);
    const answer = await this.#exchange(id, writer, this.#options.connectTimeoutMs);
    return response.parse(await response.decode(answer));
  }

  #header(writer: WireWriter, key: number, version: number): number {
    const id = this.#nextId;
    this.#nextId = (id + 1) % 2 ** 31;
    // The length comes first and is known last.
    writer.int32(0).int16(key).int16(version).int32(id).oldText(this.#options.clientId);
    return id;
  }

  #exchange(id: number, writer: WireWriter, timeoutMs: number): Promise<Buffer> {
    if (this.#closedBy !== null) return Promise.reject(this.#lost());
    const bytes = writer.bytes();
    bytes.writeInt32BE(bytes.length - 4, 0);
    const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
    const timer = setTimeout(() => this.close(new Error(`nothing came for ${timeoutMs} ms`)), timeoutMs);
    this.#pending.set(id, { timer, resolve, reject });
    this.#socket.write(bytes);
    return promise;
  }

  /** @returns whether the socket is to read on */
  #collect(count: number): boolean {
    try {
      this.#collector.filled(count, (frame) => this.#settle(frame));
      for (const { timer } of this.#pending.values()) timer.refresh();
    } catch (cause) {
      this.close(cause);
    }
    return this.#closedBy === null;
  }

  #settle(frame: Buffer): void {
    const id = frame.readInt32BE(0);
    const pending = this.#pending.get(id);
    if (pending === undefined) throw new EventLogError('corrupt', `the broker answered a request that was not sent: ${id}`);
    this.#pending.delete(id);
    clearTimeout(pending.timer);
    pending.resolve(frame.subarray(4));
  }

  #lost(): EventLogError {
    const why = this.#closedBy instanceof Error ? this.#closedBy.message : String(this.#closedBy);
    return new EventLogError('io', `the connection to ${this.address} was lost: ${why}`, { cause: this.#closedBy });
  }
}

function connected({ host, port, ssl, connectTimeoutMs }: BrokerAddress, onread: OnReadOpts): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const fail = (cause: NodeJS.ErrnoException) => {
      clearTimeout(timer);
      socket.destroy();
      const code = TLS_REFUSAL.test(cause.code ?? '') ? 'refused' : 'io';
      reject(new EventLogError(code, `${host}:${port} could not be reached: ${cause.message}`, { cause }));
    };
    const done = () => {
      clearTimeout(timer);
      socket.off('error', fail);
      resolve(socket);
    };
    const timer = setTimeout(() => fail(new Error(`no connection after ${connectTimeoutMs} ms`)), connectTimeoutMs);
    const place = { host, port, onread };
    const socket =
      ssl === null ? connectPlain(place, done) : connectTls({ ...(isIP(host) === 0 ? { servername: host } : {}), ...ssl, ...place }, done);
    socket.once('error', fail);
  });
}
