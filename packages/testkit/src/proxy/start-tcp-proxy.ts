import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import { FrameSplitter } from './frame-splitter.ts';
import { PASS } from './link-fault.ts';
import type { LinkAccident, LinkFault, LinkFaultKind } from './link-fault.ts';
import { relay } from './relay.ts';

export interface TcpProxyOptions {
  /** Where connections go on to; asked for each, so that it may be made known later, or change. */
  readonly to: () => { readonly host: string; readonly port: number };
  /** Port on 127.0.0.1; any free one by default. */
  readonly port?: number;
  /** How answers are told apart for accidents. Without framing each piece that comes in counts as one; `kafka` by default. */
  readonly framing?: 'kafka' | 'none';
}

/** A link to a server whose faults are switched while it runs. */
export interface TcpProxy {
  readonly port: number;
  readonly address: string;
  readonly connections: number;
  /** How often each fault did something: lasting ones once for each time they were switched on and met traffic. */
  readonly faults: ReadonlyMap<LinkFaultKind, number>;
  /** Holds for all connections there are and come, until the next call. */
  set(fault: LinkFault): Promise<void>;
  /** Happens to the next answer; `half-open` at once. */
  arm(accident: LinkAccident): void;
  close(): Promise<void>;
}

interface Link {
  readonly client: Socket;
  readonly server: Socket;
  lost: boolean;
}

/** Stands between clients and one server: 127.0.0.1 to wherever `to` says. */
export async function startTcpProxy(options: TcpProxyOptions): Promise<TcpProxy> {
  const links = new Set<Link>();
  /** Clients of half-open links: to them all seems well. */
  const deserted = new Set<Socket>();
  const faults = new Map<LinkFaultKind, number>();
  const armed: LinkAccident[] = [];
  let fault: LinkFault = PASS;
  let isCounted = true;
  let release = (): void => {};
  let released = Promise.resolve();
  let server: Server | null = null;
  let port = options.port ?? 0;

  const count = (kind: LinkFaultKind): void => void faults.set(kind, (faults.get(kind) ?? 0) + 1);
  const countOnce = (met: LinkFault): void => {
    if (met !== fault || met.kind === 'pass' || isCounted) return;
    isCounted = true;
    count(met.kind);
  };

  function accept(client: Socket): void {
    const upstream = connect(options.to());
    const link: Link = { client, server: upstream, lost: false };
    links.add(link);
    const end = (): void => {
      links.delete(link);
      client.destroy();
      upstream.destroy();
    };
    for (const socket of [client, upstream]) socket.setNoDelay(true).on('error', () => {});
    // The client of a half-open link is left in the dark; whatever else ends one side ends both.
    client.on('close', end);
    upstream.on('close', () => {
      if (links.has(link)) end();
    });
    const onLost = (): void => void (link.lost = true);
    const shared = { fault: () => fault, released: () => released, onFault: countOnce, onLost };
    relay({ ...shared, from: client, to: upstream, transform: (bytes) => [bytes] });
    const frames = options.framing === 'none' ? null : new FrameSplitter();
    relay({ ...shared, from: upstream, to: client, transform: (bytes) => afterAccident(frames?.push(bytes) ?? [bytes], link) });
  }

  /** Answers are handed over whole, so that an accident hits one and not a piece of two. */
  function afterAccident(whole: readonly Buffer[], link: Link): readonly Buffer[] {
    const [first, ...others] = whole;
    if (first === undefined || armed.length === 0) return whole;
    const accident = armed.shift()!;
    count(accident);
    if (accident === 'drop-response') return others;
    link.client.write(first.subarray(0, Math.ceil(first.length / 2)), () => reset(link));
    return [];
  }

  function reset(link: Link): void {
    links.delete(link);
    link.client.resetAndDestroy();
    link.server.destroy();
  }

  async function listen(): Promise<void> {
    if (server !== null) return;
    server = createServer({ allowHalfOpen: true }, accept).listen(port, '127.0.0.1');
    await once(server, 'listening');
    port = (server.address() as { port: number }).port;
  }

  async function refuse(): Promise<void> {
    const closing = server;
    server = null;
    const closed = closing === null ? null : once(closing, 'close');
    closing?.close();
    for (const link of links) reset(link);
    // The server has not ended while one of its connections is open.
    for (const client of deserted) client.resetAndDestroy();
    await closed;
  }

  await listen();
  return {
    port,
    address: `127.0.0.1:${port}`,
    get connections() {
      return links.size;
    },
    faults,
    async set(next) {
      for (const link of links) if (link.lost) reset(link);
      fault = next;
      isCounted = false;
      release();
      if (next.kind === 'hold') released = new Promise((resolve) => (release = resolve));
      if (next.kind === 'refuse') {
        countOnce(next);
        await refuse();
      } else await listen();
    },
    arm(accident) {
      if (accident !== 'half-open') {
        armed.push(accident);
        return;
      }
      for (const link of links) {
        count('half-open');
        links.delete(link);
        link.server.resetAndDestroy();
        deserted.add(link.client);
        link.client.removeAllListeners('data').resume();
        link.client.once('close', () => deserted.delete(link.client));
      }
    },
    async close() {
      fault = PASS;
      release();
      await refuse();
    },
  };
}
