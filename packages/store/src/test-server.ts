import { createServer, request as send } from 'node:http';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';

export interface TestServer {
  readonly url: string;
  /** Connections taken so far. */
  connections(): number;
  close(): void;
}

/** Headers by which an answer passes for one of ClickHouse. */
export const SIGNED = { 'x-clickhouse-summary': '{}' } as const;

/** An HTTP server of a few lines in the place of ClickHouse. */
export async function listenWith(answers: RequestListener): Promise<TestServer> {
  let connections = 0;
  const server = createServer(answers).on('connection', () => connections++);
  server.listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    connections: () => connections,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** The statement of a request, wherever the client put it, and its settings. */
export interface Asked {
  readonly statement: string;
  readonly settings: URLSearchParams;
}

export interface Exchange extends Asked {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** Has the server behind answer, and gives that answer's end: what then happens to it here is for the caller to say. */
  forward(): Promise<{ readonly status: number; readonly headers: IncomingMessage['headers']; readonly body: Buffer }>;
}

/** A gateway before a server: each request is in the hands of `handle`. */
export function gatewayTo(url: string, handle: (exchange: Exchange) => Promise<void>): Promise<TestServer> {
  return listenWith((request, response) => void handleOne(request, response));

  async function handleOne(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await buffer(request);
    const settings = new URL(request.url ?? '/', url).searchParams;
    const forward = async () => {
      const answer = await new Promise<IncomingMessage>((resolve, reject) => {
        send(`${url}${request.url ?? '/'}`, { method: request.method ?? 'POST', headers: request.headers, agent: false }, resolve)
          .once('error', reject)
          .end(body);
      });
      return { status: answer.statusCode ?? 0, headers: answer.headers, body: await buffer(answer) };
    };
    await handle({ request, response, settings, statement: settings.get('query') ?? body.toString(), forward });
  }
}

/** Answers as the server behind did. */
export async function pass({ response, forward }: Exchange): Promise<void> {
  const { body, headers, status } = await forward();
  response.writeHead(status, headers).end(body);
}
