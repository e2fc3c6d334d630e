import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { assertAccepted, Lane } from './lane.ts';

const REQUEST = Buffer.from('GET / HTTP/1.1\r\n\r\n');
const servers: Server[] = [];

/** A server that answers each request with the next script: pieces of bytes, each sent on its own. */
async function serve(...answers: readonly (readonly string[])[]): Promise<number> {
  const left = [...answers];
  const server = createServer((socket) => {
    socket.setNoDelay(true);
    socket.on('error', () => {});
    socket.on('data', () => void send(socket, left.shift() ?? []));
  });
  servers.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as { port: number }).port;
}

async function send(socket: Socket, pieces: readonly string[]): Promise<void> {
  for (const piece of pieces) {
    if (piece === '') socket.destroy();
    else await new Promise((resolve) => socket.write(piece, resolve));
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

describe('a lane', () => {
  test.each([
    ['in one piece', ['HTTP/1.1 202 Accepted\r\ncontent-length: 4\r\n\r\nabcd']],
    ['in many pieces', ['HTTP/1.1 202 Acc', 'epted\r\nContent-Length: 4\r\n\r', '\nab', 'cd']],
  ])('reads an answer that comes %s, and the next one', async (_, pieces) => {
    const port = await serve(pieces, ['HTTP/1.1 503 Unavailable\r\ncontent-length: 0\r\n\r\n']);
    const lane = await Lane.open(port);
    expect(await lane.send(REQUEST)).toEqual({ status: 202, body: 'abcd' });
    expect(await lane.send(REQUEST)).toEqual({ status: 503, body: '' });
    lane.close();
  });

  test.each([
    [
      'an answer whose length it can not know',
      ['HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n'],
      'without Content-Length',
    ],
    ['a connection that ends in the midst of an answer', ['HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc', ''], 'closed the connection'],
  ])('fails for %s', async (_, pieces, message) => {
    const lane = await Lane.open(await serve(pieces));
    await expect(lane.send(REQUEST)).rejects.toThrow(message);
    lane.close();
  });

  test('fails when the connection ended while nothing was asked', async () => {
    const port = await serve();
    const accepted = once(servers.at(-1)!, 'connection') as Promise<[Socket]>;
    const lane = await Lane.open(port);
    const [socket] = await accepted;
    socket.end();
    await once(socket, 'close');
    await expect(lane.send(REQUEST)).rejects.toThrow('closed the connection');
    lane.close();
  });
});

test.each([
  ['another status', { status: 503, body: '{"rejected":[]}' }],
  ['an item that was rejected', { status: 202, body: '{"accepted":1,"rejected":[{"index":0}]}' }],
])('%s is not accepted', (_, answer) => expect(() => assertAccepted(answer)).toThrow(String(answer.status)));
