import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FrameSplitter } from './frame-splitter.ts';
import type { LinkFault } from './link-fault.ts';
import { startTcpProxy, type TcpProxy } from './start-tcp-proxy.ts';

/** Answers each frame with the same frame. */
let echo: Server;
let proxy: TcpProxy;
const clients: Client[] = [];

beforeEach(async () => {
  echo = createServer((socket) => {
    socket.on('error', () => {});
    socket.pipe(socket);
  }).listen(0, '127.0.0.1');
  await once(echo, 'listening');
  proxy = await startTcpProxy({ to: () => ({ host: '127.0.0.1', port: (echo.address() as AddressInfo).port }) });
});

afterEach(async () => {
  for (const { socket } of clients.splice(0)) socket.destroy();
  await proxy.close();
  echo.close();
});

class Client {
  readonly socket: Socket;
  readonly answers: string[] = [];
  bytes = 0;
  readonly closed: Promise<unknown>;

  constructor() {
    this.socket = connect(proxy.port, '127.0.0.1');
    const frames = new FrameSplitter();
    this.socket.on('error', () => {});
    this.socket.on('data', (bytes) => {
      this.bytes += bytes.length;
      for (const frame of frames.push(bytes)) this.answers.push(frame.subarray(4).toString());
    });
    // `once` would reject for the reset that comes before.
    this.closed = new Promise((resolve) => this.socket.once('close', resolve));
    clients.push(this);
  }

  send(text: string): void {
    const size = Buffer.alloc(4);
    size.writeInt32BE(Buffer.byteLength(text), 0);
    this.socket.write(Buffer.concat([size, Buffer.from(text)]));
  }

  async answered(...texts: string[]): Promise<void> {
    await expect.poll(() => this.answers).toEqual(texts);
  }
}

async function connected(): Promise<Client> {
  const client = new Client();
  client.send('hello');
  await client.answered('hello');
  return client;
}

const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 50));

describe('startTcpProxy', () => {
  it('passes bytes both ways', async () => {
    const client = await connected();
    const long = 'x'.repeat(3_000_000);
    client.send(long);
    await client.answered('hello', long);
    expect(proxy.connections).toBe(1);
    expect([...proxy.faults]).toEqual([]);
  });

  it('drops one whole response and leaves the connection as it was', async () => {
    const client = await connected();
    proxy.arm('drop-response');
    client.send('lost');
    client.send('kept');
    await client.answered('hello', 'kept');
    expect(proxy.faults.get('drop-response')).toBe(1);
  });

  it('resets a connection in the middle of an answer', async () => {
    const client = await connected();
    proxy.arm('reset-mid-frame');
    const before = client.bytes;
    client.send('0123456789');
    await client.closed;
    expect(client.answers).toEqual(['hello']);
    expect(client.bytes - before).toBeLessThan(14);
    await connected();
  });

  it('leaves the client in the dark when its link is half open', async () => {
    const client = await connected();
    proxy.arm('half-open');
    client.send('nobody hears this');
    await pause();
    expect(client.answers).toEqual(['hello']);
    expect(client.socket.destroyed).toBe(false);
    await connected();
  });

  it('swallows what is sent into a blackhole, and resets those connections when it ends', async () => {
    const client = await connected();
    await proxy.set({ kind: 'blackhole' });
    client.send('swallowed');
    const late = new Client();
    late.send('swallowed, too');
    await pause();
    expect([client.socket.destroyed, late.socket.destroyed]).toEqual([false, false]);
    await proxy.set({ kind: 'pass' });
    await Promise.all([client.closed, late.closed]);
    expect([...client.answers, ...late.answers]).toEqual(['hello']);
    expect(proxy.faults.get('blackhole')).toBe(1);
    await connected();
  });

  it('holds bytes back and hands them over later', async () => {
    const client = await connected();
    await proxy.set({ kind: 'hold' });
    client.send('waits');
    await pause();
    expect(client.answers).toEqual(['hello']);
    await proxy.set({ kind: 'pass' });
    await client.answered('hello', 'waits');
  });

  it('refuses connections, resets those there are, half-open ones too, and takes new ones at the same port later', async () => {
    const deserted = await connected();
    proxy.arm('half-open');
    const client = await connected();
    await proxy.set({ kind: 'refuse' });
    await Promise.all([client.closed, deserted.closed]);
    const refused = new Client();
    const [error] = (await once(refused.socket, 'error')) as [NodeJS.ErrnoException];
    expect(error.code).toBe('ECONNREFUSED');
    await proxy.set({ kind: 'pass' });
    await connected();
  });

  it.each<[LinkFault]>([[{ kind: 'latency', ms: 20, jitterMs: 20 }], [{ kind: 'slow', bytesPerSecond: 400 }]])(
    'keeps order under %o',
    async (fault) => {
      const client = await connected();
      await proxy.set(fault);
      const texts = Array.from({ length: 8 }, (_, i) => `${i}`);
      for (const text of texts) client.send(text);
      await client.answered('hello', ...texts);
      expect(proxy.faults.get(fault.kind as 'slow')).toBe(1);
    },
  );
});
