import { EventLogError } from '../event-log.ts';
import { BrokerConnection } from './broker-connection.ts';
import type { BrokerAddress } from './broker-connection.ts';
import { COORDINATOR_NOT_AVAILABLE, findGroupCoordinator, GROUP_ERRORS, NOT_COORDINATOR } from './group-requests.ts';
import type { Api } from './protocol/api.ts';
import { BrokerError } from './protocol/broker-error.ts';

/** How members reach the cluster: any brokers of it, and what to say to them. */
export interface GroupCluster extends Omit<BrokerAddress, 'host' | 'port'> {
  readonly brokers: readonly BrokerPlace[];
}

export interface BrokerPlace {
  readonly host: string;
  readonly port: number;
}

/**
 * A broker answers the requests of a connection one after the other, and JoinGroup only when all members have joined. Heartbeats must not wait
 * behind it, nor behind a commit that waits for slow replicas: each has a connection of its own.
 */
export type Lane = 'heartbeat' | 'join' | 'commit';

/** The broker that looks after a group, wherever that is at the moment. */
export class GroupCoordinator {
  readonly #cluster: GroupCluster;
  readonly #group: string;
  readonly #lanes = new Map<Lane, Promise<BrokerConnection>>();
  #place: Promise<BrokerPlace> | null = null;
  /** Where the coordinator was last: one more broker to ask. */
  #lastPlace: BrokerPlace | null = null;
  /** Which broker to ask first, so that a dead one is not asked first for ever. */
  #first = 0;
  #closed = false;

  constructor(cluster: GroupCluster, group: string) {
    this.#cluster = cluster;
    this.#group = group;
  }

  /**
   * Sends over the lane's connection, made anew if need be.
   * @throws EventLogError `io`, `refused`; BrokerError for any error code in the answer that is not in `expected`
   */
  async request<Request, Response extends { readonly errorCode: number }>(
    lane: Lane,
    api: Api<Request, Response>,
    request: Request,
    { timeoutMs, expected = [] }: { readonly timeoutMs: number; readonly expected?: readonly number[] },
  ): Promise<Response> {
    const connection = await this.#lane(lane);
    try {
      const response = await connection.request(api, request, timeoutMs);
      if (response.errorCode !== 0 && !expected.includes(response.errorCode))
        throw groupError(response.errorCode, `${api.name} of ${this.#group}`);
      return response;
    } catch (cause) {
      // Without an answer to a heartbeat there is no point in waiting for one on the other lanes.
      if (movedAway(cause) || (lane === 'heartbeat' && !connection.usable)) this.#forget();
      throw cause;
    }
  }

  /** Ends what is under way on the lane; the next request goes over a new connection. */
  drop(lane: Lane, why: string): void {
    const opening = this.#lanes.get(lane);
    this.#lanes.delete(lane);
    opening?.then(
      (connection) => connection.close(new Error(why)),
      () => {},
    );
  }

  close(): void {
    this.#closed = true;
    this.#forget();
  }

  #forget(): void {
    this.#place = null;
    for (const lane of this.#lanes.keys()) this.drop(lane, 'the coordinator is looked up anew');
  }

  async #lane(lane: Lane): Promise<BrokerConnection> {
    const known = this.#lanes.get(lane);
    if (known !== undefined) {
      const connection = await known;
      if (connection.usable) return connection;
      if (this.#lanes.get(lane) === known) this.#lanes.delete(lane);
      connection.close();
      return this.#lane(lane);
    }
    const opening = this.#open();
    this.#lanes.set(lane, opening);
    try {
      const connection = await opening;
      if (this.#closed) connection.close();
      return connection;
    } catch (cause) {
      if (this.#lanes.get(lane) === opening) this.#lanes.delete(lane);
      throw cause;
    }
  }

  async #open(): Promise<BrokerConnection> {
    if (this.#closed) throw new EventLogError('closed', 'the membership has ended');
    const looking = (this.#place ??= this.#lookUp());
    try {
      return await BrokerConnection.open({ ...this.#cluster, ...(await looking) });
    } catch (cause) {
      if (this.#place === looking) this.#place = null;
      throw cause;
    }
  }

  async #lookUp(): Promise<BrokerPlace> {
    const { brokers, connectTimeoutMs } = this.#cluster;
    const places = this.#lastPlace === null ? brokers : [...brokers, this.#lastPlace];
    let failure = new EventLogError('io', 'no broker is named');
    for (let i = 0; i < places.length; i++) {
      const at = (this.#first + i) % places.length;
      try {
        const connection = await BrokerConnection.open({ ...this.#cluster, ...places[at]! });
        try {
          const { errorCode, host, port } = await connection.request(findGroupCoordinator, this.#group, connectTimeoutMs);
          if (errorCode !== 0) throw groupError(errorCode, `the coordinator of ${this.#group} is not known`);
          this.#first = at;
          return (this.#lastPlace = { host, port });
        } finally {
          connection.close();
        }
      } catch (cause) {
        // A broker that does not let us in is no broker that is down: the others would say the same.
        if (cause instanceof EventLogError && cause.code === 'refused') throw cause;
        failure = cause instanceof EventLogError ? cause : new EventLogError('io', String(cause), { cause });
      }
    }
    throw failure;
  }
}

function movedAway(cause: unknown): boolean {
  return cause instanceof BrokerError && (cause.code === NOT_COORDINATOR || cause.code === COORDINATOR_NOT_AVAILABLE);
}

/** An error code as what it means to a member: `refused` where trying again is of no use. */
function groupError(code: number, what: string): BrokerError | EventLogError {
  const known = GROUP_ERRORS[code];
  const error = new BrokerError(code, known === undefined ? what : `${what}: ${known.means}`);
  return known?.lasting === true || error.kind === 'refused' ? new EventLogError('refused', error.message, { cause: error }) : error;
}
