import { EventLogError } from '../event-log.ts';
import type { BrokerConnection } from './broker-connection.ts';
import type { Api } from './protocol/api.ts';

interface LaneOptions {
  readonly open: (nodeId: number) => Promise<BrokerConnection>;
  /** Whether the broker still has this address. */
  readonly isAt: (nodeId: number, address: string) => boolean;
  readonly onClosed: () => void;
}

/**
 * Connections that are used for one purpose, one to each broker. A broker answers the requests of a connection one after the other, so a fetch
 * that waits for data would hold up an append behind it: each has a lane of its own.
 */
export class Lane {
  readonly #options: LaneOptions;
  readonly #connections = new Map<number, Promise<BrokerConnection>>();
  #closed = false;

  constructor(options: LaneOptions) {
    this.#options = options;
  }

  /** @throws EventLogError as `BrokerConnection.request`; `closed` */
  async request<Request, Response>(nodeId: number, api: Api<Request, Response>, request: Request, timeoutMs: number): Promise<Response> {
    const connection = await this.connection(nodeId);
    return connection.request(api, request, timeoutMs);
  }

  /** @throws EventLogError `io`, `refused`, `closed` */
  async connection(nodeId: number): Promise<BrokerConnection> {
    this.#assertOpen();
    const known = this.#connections.get(nodeId);
    if (known !== undefined) {
      const connection = await known;
      if (connection.usable && this.#options.isAt(nodeId, connection.address)) return connection;
      if (this.#connections.get(nodeId) === known) this.#connections.delete(nodeId);
      connection.close();
      return this.connection(nodeId);
    }
    const opening = this.#options.open(nodeId);
    this.#connections.set(nodeId, opening);
    try {
      const connection = await opening;
      if (this.#closed) connection.close();
      this.#assertOpen();
      return connection;
    } catch (cause) {
      if (this.#connections.get(nodeId) === opening) this.#connections.delete(nodeId);
      throw cause;
    }
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const connection of this.#connections.values())
      void connection.then(
        (open) => open.close(),
        () => {},
      );
    this.#connections.clear();
    this.#options.onClosed();
  }

  #assertOpen(): void {
    if (this.#closed) throw new EventLogError('closed', 'the log is closed');
  }
}
