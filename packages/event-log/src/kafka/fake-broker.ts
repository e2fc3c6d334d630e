import { createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';

/** A TCP server on 127.0.0.1 that answers requests of Kafka's protocol as a test wants. For tests. */
export class FakeBroker {
  readonly #server = createServer((socket) => this.#serve(socket));
  readonly #sockets = new Set<Socket>();
  readonly #answer: (request: FakeRequest) => Buffer | null;
  port = 0;

  private constructor(answer: (request: FakeRequest) => Buffer | null) {
    this.#answer = answer;
  }

  /** `answer` gives the bytes to send, raw, for every frame that comes in; null for none. */
  static async start(answer: (request: FakeRequest) => Buffer | null): Promise<FakeBroker> {
    const broker = new FakeBroker(answer);
    await new Promise<void>((resolve) => broker.#server.listen(0, '127.0.0.1', resolve));
    broker.port = (broker.#server.address() as AddressInfo).port;
    return broker;
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #serve(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => this.#sockets.delete(socket));
    let bytes = Buffer.alloc(0);
    socket.on('data', (chunk: Buffer) => {
      bytes = Buffer.concat([bytes, chunk]);
      while (bytes.length >= 4 && bytes.length >= 4 + bytes.readInt32BE(0)) {
        const frame = bytes.subarray(4, 4 + bytes.readInt32BE(0));
        bytes = bytes.subarray(4 + frame.length);
        const [key, version, id] = [frame.readInt16BE(0), frame.readInt16BE(2), frame.readInt32BE(4)];
        const answer = this.#answer({ key, version, id, body: frame.subarray(10 + frame.readInt16BE(8)), socket });
        if (answer !== null) socket.write(answer);
      }
    });
  }
}

export interface FakeRequest {
  readonly key: number;
  readonly version: number;
  readonly id: number;
  /** What comes after the client's name. */
  readonly body: Buffer;
  readonly socket: Socket;
}

/** An answer to the request, framed. */
export function answerTo({ id }: FakeRequest, body: Buffer): Buffer {
  const head = Buffer.alloc(8);
  head.writeInt32BE(body.length + 4, 0);
  head.writeInt32BE(id, 4);
  return Buffer.concat([head, body]);
}

/** What a broker that understands everything says of itself. */
export function allVersions(): Buffer {
  const keys = [0, 1, 2, 3, 9, 10, 17, 18, 19, 32, 36];
  const body = Buffer.alloc(6 + keys.length * 6);
  body.writeInt32BE(keys.length, 2);
  for (const [i, key] of keys.entries()) {
    body.writeInt16BE(key, 6 + i * 6);
    body.writeInt16BE(30, 10 + i * 6);
  }
  return body;
}
