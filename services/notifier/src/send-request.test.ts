import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import { createServer as createTcpServer, type AddressInfo, type Server as TcpServer } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, describe, expect, it, test } from 'vitest';
import { createAddressGuard } from './address-guard.ts';
import { createSender, type ResolveAll, type Sender, type SenderOptions } from './send-request.ts';

const servers: (Server | TcpServer)[] = [];
const senders: Sender[] = [];

afterEach(() => {
  for (const sender of senders.splice(0)) sender.close();
  for (const server of servers.splice(0)) {
    server.close();
    if ('closeAllConnections' in server) server.closeAllConnections();
  }
});

async function listen(server: Server | TcpServer): Promise<number> {
  servers.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

const serve = (listener: RequestListener): Promise<number> => listen(createServer(listener));

/** A sender that may reach loopback at these ports, unless the test says otherwise. */
function senderFor(ports: readonly number[], options: Partial<SenderOptions> & { readonly allowed?: readonly string[] } = {}): Sender {
  const { allowed = ['127.0.0.0/8'], ...rest } = options;
  const guard = createAddressGuard({ allowedNetworks: allowed, allowsHttp: true, ports: new Set(ports) });
  const sender = createSender({ guard, ...rest });
  senders.push(sender);
  return sender;
}

const message = { endpointId: 'ep_1', headers: { 'content-type': 'application/json', 'webhook-id': 'alr_1' }, body: '{"é":1}' };
const at = (port: number, host = '127.0.0.1', path = '/hook?a=b'): string => `http://${host}:${port}${path}`;
const resolvesTo =
  (...addresses: string[]): ResolveAll =>
  (_, callback) =>
    callback(
      null,
      addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
    );

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** The body of an answer is read after it is known, and only then is the connection free: some turns of the event loop, however long each takes. */
async function readToItsEnd(): Promise<void> {
  for (let turn = 0; turn < 10; turn++) await pause(2);
}

describe('a request', () => {
  it('is a POST with the body as it is, and its answer is the status alone', async () => {
    let seen: { request: IncomingMessage; body: string } | undefined;
    const port = await serve((request, response) => {
      void text(request).then((body) => {
        seen = { request, body };
        response.writeHead(204).end();
      });
    });
    expect(await senderFor([port]).send({ url: at(port), ...message })).toEqual({ kind: 'answered', status: 204, retryAfter: undefined });
    expect(seen).toMatchObject({
      body: message.body,
      request: { method: 'POST', url: '/hook?a=b', headers: { ...message.headers, 'content-length': '8' } },
    });
  });

  it('uses a connection again', async () => {
    const ports = new Set<number | undefined>();
    const port = await serve((request, response) => {
      ports.add(request.socket.remotePort);
      response.end('some words');
    });
    const sender = senderFor([port]);
    for (let i = 0; i < 3; i++) {
      await sender.send({ url: at(port), ...message });
      await readToItsEnd();
    }
    expect(ports.size).toBe(1);
  });

  it('goes by another connection when the receiver closes one that it has used before, once', async () => {
    const requests = new Map<IncomingMessage['socket'], number>();
    let isWell = true;
    const port = await serve((request, response) => {
      const count = (requests.get(request.socket) ?? 0) + 1;
      requests.set(request.socket, count);
      if (isWell && count === 1) response.end();
      else request.socket.destroy();
    });
    const sender = senderFor([port]);
    for (let i = 0; i < 2; i++) {
      expect(await sender.send({ url: at(port), ...message })).toMatchObject({ kind: 'answered' });
      await readToItsEnd();
    }
    expect([...requests.values()]).toEqual([2, 1]);
    isWell = false;
    expect(await sender.send({ url: at(port), ...message })).toEqual({ kind: 'unreachable', error: 'ECONNRESET' });
    expect([...requests.values()]).toEqual([2, 2, 1]);
  });

  describe('on a connection that was used before', () => {
    /** A receiver that answers the first request of all, and then does as the test says; with a sender that has a connection to it. */
    async function used(next: RequestListener, timeoutMs: number) {
      const counts = { requests: 0, connections: new Set<IncomingMessage['socket']>() };
      const port = await serve((request, response) => {
        counts.requests++;
        counts.connections.add(request.socket);
        if (counts.requests === 1) response.end();
        else next(request, response);
      });
      const sender = senderFor([port], { timeoutMs });
      await sender.send({ url: at(port), ...message });
      await readToItsEnd();
      return { counts, sender, send: () => sender.send({ url: at(port), ...message }) };
    }

    it('is given up for good when there is no answer', async () => {
      let closed = 0;
      const { counts, send } = await used((_, response) => void response.on('close', () => closed++), 500);
      expect(await send()).toMatchObject({ kind: 'timeout' });
      await expect.poll(() => closed).toBe(1);
      await pause(100);
      expect([counts.requests, counts.connections.size, closed]).toEqual([2, 1, 1]);
    });

    it('is not sent again when the sender is closed', async () => {
      const { counts, send, sender } = await used(() => setTimeout(() => sender.close(), 20), 10_000);
      expect(await send()).toEqual({ kind: 'unreachable', error: 'ECONNRESET' });
      await pause(100);
      expect(counts.requests).toBe(2);
    });

    it('is not sent again when the connection is reset after the head of the answer', async () => {
      const { counts, send } = await used((request, response) => {
        response.writeHead(200, { 'content-length': '100' }).write('x');
        setTimeout(() => request.socket.resetAndDestroy(), 30);
      }, 10_000);
      expect(await send()).toMatchObject({ kind: 'answered', status: 200 });
      await pause(100);
      expect([counts.requests, counts.connections.size]).toEqual([2, 1]);
    });
  });

  it('waits for no other endpoint at the same host, however many of its requests hang', async () => {
    const port = await serve((request, response) => void (request.url === '/hangs' || response.end()));
    const sender = senderFor([port], { timeoutMs: 20_000 });
    const hanging = Array.from({ length: 544 }, (_, i) =>
      sender.send({ url: at(port, '127.0.0.1', '/hangs'), ...message, endpointId: `ep_${i % 34}` }),
    );
    expect(await sender.send({ url: at(port), ...message, endpointId: 'ep_well' })).toMatchObject({ kind: 'answered' });
    sender.close();
    expect(new Set((await Promise.all(hanging)).map(({ kind }) => kind))).not.toContain('answered');
  });

  test.each([301, 302, 303, 307, 308])('is not sent again to where a redirect %i points', async (status) => {
    let redirected = 0;
    const target = await serve((_, response) => {
      redirected++;
      response.end();
    });
    const port = await serve((_, response) => void response.writeHead(status, { location: at(target) }).end());
    expect(await senderFor([port, target]).send({ url: at(port), ...message })).toMatchObject({ kind: 'answered', status });
    expect(redirected).toBe(0);
  });

  it('hands over what the receiver asks for', async () => {
    const port = await serve((_, response) => void response.writeHead(429, { 'retry-after': '7' }).end());
    expect(await senderFor([port]).send({ url: at(port), ...message })).toEqual({ kind: 'answered', status: 429, retryAfter: '7' });
  });

  it('is given up when there is no answer', async () => {
    const port = await serve(() => {});
    const result = await senderFor([port], { timeoutMs: 50 }).send({ url: at(port), ...message });
    expect(result).toEqual({ kind: 'timeout', error: 'no answer within 0.05 s' });
  });

  it('is given up when the name takes too long to resolve', async () => {
    const result = await senderFor([80], { timeoutMs: 50, resolveAll: () => {} }).send({ url: 'http://hooks.example/', ...message });
    expect(result).toMatchObject({ kind: 'timeout' });
  });

  it('is done when an endless body follows the head, and that is not read on', async () => {
    const closed = Promise.withResolvers<number>();
    let sent = 0;
    const port = await serve((_, response) => {
      const chunk = Buffer.alloc(16 * 1024);
      const timer = setInterval(() => {
        sent += chunk.length;
        response.write(chunk);
      }, 1);
      response.on('close', () => {
        clearInterval(timer);
        closed.resolve(sent);
      });
    });
    expect(await senderFor([port]).send({ url: at(port), ...message })).toMatchObject({ kind: 'answered', status: 200 });
    expect(await closed.promise).toBeLessThan(4 * 1024 * 1024);
  });

  test.each([
    ['closes at once', ''],
    ['speaks another protocol', 'SSH-2.0-OpenSSH_9.6\r\n'],
    ['sends a head that is too long', `HTTP/1.1 200 OK\r\na: ${'x'.repeat(100_000)}\r\n\r\n`],
    ['changes the protocol', 'HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n'],
  ])('fails when the target %s', async (_, answer) => {
    const port = await listen(
      createTcpServer((socket) => {
        socket.on('error', () => {});
        socket.end(answer);
      }),
    );
    expect(await senderFor([port]).send({ url: at(port), ...message })).toMatchObject({ kind: 'unreachable' });
  });

  it('fails when nobody listens', async () => {
    const port = await serve(() => {});
    servers.pop()!.close();
    expect(await senderFor([port]).send({ url: at(port), ...message })).toEqual({ kind: 'unreachable', error: 'ECONNREFUSED' });
  });

  it('fails when the name is not known', async () => {
    const resolveAll: ResolveAll = (_, callback) => callback(Object.assign(new Error('no such name'), { code: 'ENOTFOUND' }), []);
    const result = await senderFor([80], { resolveAll }).send({ url: 'http://hooks.example/', ...message });
    expect(result).toEqual({ kind: 'unreachable', error: 'ENOTFOUND' });
  });
});

describe('a name is refused when it stands for', () => {
  test.each([
    ['loopback', ['127.0.0.1']],
    ['a private address', ['10.0.0.1']],
    ['the metadata service', ['169.254.169.254']],
    ['a public and a private address', ['8.8.8.8', '192.168.1.1']],
    ['a public and a private IPv6 address', ['2606:4700::1111', 'fd00::1']],
    ['the metadata service over IPv6', ['fd00:ec2::254']],
    ['carrier-grade NAT', ['100.64.0.1']],
    ['this host', ['0.0.0.0']],
    ['IPv6 loopback', ['::1']],
    ['IPv6 link-local, with its zone', ['fe80::1%eth0']],
    ['multicast', ['224.0.0.1']],
    ['Teredo', ['2001:0:7f00:1::']],
    ['mapped IPv4', ['::ffff:10.0.0.1']],
    ['mapped IPv4 in hex', ['::ffff:a9fe:a9fe']],
    ['6to4', ['2002:a00:1::']],
    ['NAT64', ['64:ff9b::a00:1']],
    ['nothing', []],
  ])('%s', async (_, addresses) => {
    const sender = senderFor([80], { allowed: [], resolveAll: resolvesTo(...addresses) });
    expect(await sender.send({ url: 'http://hooks.example/', ...message })).toMatchObject({ kind: 'refused' });
  });

  it('something else than a moment ago: each connection is judged by the addresses that it uses', async () => {
    let received = 0;
    const port = await serve((_, response) => {
      received++;
      response.writeHead(200, { connection: 'close' }).end();
    });
    let asked = 0;
    const rebinding: ResolveAll = (name, callback) => resolvesTo(++asked === 1 ? '127.0.0.1' : '127.0.0.2')(name, callback);
    const sender = senderFor([port], { allowed: ['127.0.0.1/32'], resolveAll: rebinding });
    const url = at(port, 'hooks.example');
    expect(await sender.send({ url, ...message })).toMatchObject({ kind: 'answered' });
    expect(await sender.send({ url, ...message })).toMatchObject({ kind: 'refused' });
    expect(received).toBe(1);
  });
});

describe('nothing is sent to', () => {
  it.each([
    ['a password in the address', (port: number) => `http://a:b@127.0.0.1:${port}/`, []],
    ['another port than the allowed ones', (port: number) => at(port), [80]],
  ] as const)('%s, though the address is allowed', async (_, urlOf, ports) => {
    let received = 0;
    const port = await serve((_request, response) => {
      received++;
      response.end();
    });
    const sender = senderFor(ports.length === 0 ? [port] : ports);
    expect(await sender.send({ url: urlOf(port), ...message })).toMatchObject({ kind: 'refused' });
    expect(received).toBe(0);
  });

  test.each(['127.0.0.1', '[::1]', '2130706433', '0x7f.1', '017700000001', 'localhost', '0.0.0.0', '[::]', '[::ffff:127.0.0.1]'])(
    '%s',
    async (host) => {
      let received = 0;
      const port = await serve((_, response) => {
        received++;
        response.end();
      });
      expect(await senderFor([port], { allowed: [] }).send({ url: at(port, host), ...message })).toMatchObject({ kind: 'refused' });
      expect(received).toBe(0);
    },
  );
});
