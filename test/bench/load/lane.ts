import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

export interface Answer {
  readonly status: number;
  readonly body: string;
}

const END_OF_HEAD = Buffer.from('\r\n\r\n');

/**
 * One keep-alive connection that sends ready-made requests, one after another. It reads no more of HTTP than the answers to them need (a
 * status, a Content-Length): a whole client would take more of the cores than the server it is to measure.
 */
export class Lane {
  readonly #socket: Socket;
  #received: Buffer = Buffer.alloc(0);
  #waiting: PromiseWithResolvers<Answer> | null = null;
  #isClosing = false;
  #failure: Error | null = null;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on('data', (chunk) => this.#take(chunk));
    socket.on('error', (cause) => this.#fail(cause));
    socket.on('close', () => this.#fail(new Error('the server closed the connection')));
  }

  static async open(port: number): Promise<Lane> {
    const socket = connect(port, '127.0.0.1');
    await once(socket, 'connect');
    return new Lane(socket);
  }

  /** @throws Error when the connection is gone, also when it went while nothing was asked: an answer that can't come is not waited for */
  send(request: Buffer): Promise<Answer> {
    if (this.#failure !== null) return Promise.reject(this.#failure);
    if (this.#waiting !== null) throw new Error('a lane sends one request at a time');
    this.#waiting = Promise.withResolvers();
    this.#socket.write(request);
    return this.#waiting.promise;
  }

  close(): void {
    this.#isClosing = true;
    this.#socket.destroy();
  }

  #take(chunk: Buffer): void {
    this.#received = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk]);
    const headEnd = this.#received.indexOf(END_OF_HEAD);
    if (headEnd < 0) return;
    const head = this.#received.toString('latin1', 0, headEnd);
    const bodyStart = headEnd + END_OF_HEAD.length;
    const bodyEnd = bodyStart + Number(/^content-length: (\d+)$/im.exec(head)?.[1]);
    if (Number.isNaN(bodyEnd)) {
      this.#fail(new Error(`an answer without Content-Length: ${head}`));
      return;
    }
    if (this.#received.length < bodyEnd) return;
    const body = this.#received.toString('utf8', bodyStart, bodyEnd);
    this.#received = this.#received.subarray(bodyEnd);
    const waiting = this.#waiting;
    this.#waiting = null;
    waiting?.resolve({ status: Number(head.slice(9, 12)), body });
  }

  #fail(cause: Error): void {
    if (this.#isClosing) return;
    this.#failure ??= cause;
    this.#waiting?.reject(cause);
    this.#waiting = null;
  }
}

/** @throws Error unless everything in the request was accepted */
export function assertAccepted({ status, body }: Answer): void {
  if (status !== 202 || !body.includes('"rejected":[]')) throw new Error(`a request was answered ${status}: ${body.slice(0, 500)}`);
}
