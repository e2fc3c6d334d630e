import { once } from 'node:events';
import { createServer, request } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';

/** What ClickHouse, or the way to it, does until it is told otherwise. */
export type StoreFault =
  | { readonly kind: 'pass' }
  /** Each statement that writes, or each at all, is answered 500 with this exception. */
  | { readonly kind: 'exception'; readonly exception: StoreException; readonly statements: 'writing' | 'all' }
  /** Statements that write are carried out, and the connection is cut before their answer. */
  | { readonly kind: 'lose-answers' }
  /** No request is answered, nor passed on; all are cut when this ends. */
  | { readonly kind: 'stall' }
  /** Connections are cut as soon as they are made. */
  | { readonly kind: 'outage' };

export type StoreFaultKind = Exclude<StoreFault['kind'], 'pass'>;

export interface StoreException {
  readonly code: number;
  readonly name: string;
  readonly message: string;
}

export const READ_ONLY: StoreException = {
  code: 164,
  name: 'READONLY',
  message: 'default: Cannot execute query in readonly mode.',
};
export const TOO_MANY_PARTS: StoreException = {
  code: 252,
  name: 'TOO_MANY_PARTS',
  message: 'Too many parts (300). Merges are processing significantly slower than inserts.',
};

export interface StoreProxyOptions {
  /** Base address of the server; asked for each request. */
  readonly to: () => string;
}

/** ClickHouse's HTTP interface with faults that are switched while it runs. */
export interface StoreProxy {
  readonly url: string;
  readonly port: number;
  /** Requests that each fault hit. */
  readonly faults: ReadonlyMap<StoreFaultKind, number>;
  /** @param times so many requests are hit, then all pass again; without it until the next call */
  set(fault: StoreFault, times?: number): void;
  close(): Promise<void>;
}

const WRITES = /^\s*(INSERT|ALTER|CREATE|DROP|TRUNCATE|OPTIMIZE|RENAME)\b/i;

export async function startStoreProxy({ to }: StoreProxyOptions): Promise<StoreProxy> {
  const faults = new Map<StoreFaultKind, number>();
  const stalled = new Set<ServerResponse>();
  let fault: StoreFault = { kind: 'pass' };
  let left = Infinity;

  function met(): StoreFault {
    const current = fault;
    if (current.kind === 'pass') return current;
    faults.set(current.kind, (faults.get(current.kind) ?? 0) + 1);
    if (--left <= 0) fault = { kind: 'pass' };
    return current;
  }

  async function answer(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await buffer(incoming);
    const query = new URL(incoming.url ?? '/', 'http://127.0.0.1').searchParams.get('query');
    const isWriting = WRITES.test(query ?? body.subarray(0, 200).toString());
    const spared = (fault.kind === 'exception' && fault.statements === 'writing') || fault.kind === 'lose-answers';
    const hit = spared && !isWriting ? ({ kind: 'pass' } as const) : met();
    if (hit.kind === 'outage') response.destroy();
    else if (hit.kind === 'stall') stalled.add(response);
    else if (hit.kind === 'exception') fail(response, hit.exception);
    else await forward(incoming, body, response, hit.kind === 'lose-answers');
  }

  async function forward(incoming: IncomingMessage, body: Buffer, response: ServerResponse, lose: boolean): Promise<void> {
    const { method, url, headers } = incoming;
    const { host: _, 'transfer-encoding': __, ...kept } = headers;
    const outgoing = request(new URL(url ?? '/', to()), { method, headers: { ...kept, 'content-length': body.length } });
    outgoing.end(body);
    const [answered] = (await once(outgoing, 'response')) as [IncomingMessage];
    const bytes = await buffer(answered);
    if (lose) response.destroy();
    else response.writeHead(answered.statusCode ?? 502, withoutLength(answered.headers)).end(bytes);
  }

  const server = createServer((incoming, response) => {
    // Server or client may be killed at any moment: whoever is left sees the connection end.
    answer(incoming, response).catch(() => response.destroy());
  });
  server.on('connection', (socket) => {
    if (fault.kind === 'outage') socket.resetAndDestroy();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };

  const endStalled = (): void => {
    for (const response of stalled) response.destroy();
    stalled.clear();
  };
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    faults,
    set(next, times = Infinity) {
      fault = next;
      left = times;
      endStalled();
      if (next.kind === 'outage') server.closeAllConnections();
    },
    async close() {
      const closed = once(server, 'close');
      server.close();
      endStalled();
      server.closeAllConnections();
      await closed;
    },
  };
}

function fail(response: ServerResponse, { code, name, message }: StoreException): void {
  response.writeHead(500, { 'X-ClickHouse-Exception-Code': String(code), 'content-type': 'text/plain' });
  response.end(`Code: ${code}. DB::Exception: ${message} (${name})\n`);
}

function withoutLength({ 'transfer-encoding': _, 'content-length': __, connection: ___, ...kept }: IncomingMessage['headers']) {
  return kept;
}
