import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A small server for tests that keeps what it was sent, in order, and can be told to fail. */
export interface RecordingServer {
  readonly url: string;
  /** Every item of every accepted request, repeated ones too, in the order of arrival. */
  readonly items: Record<string, unknown>[];
  /** Items by id, the first of each: what a server that counts an id once would hold. */
  readonly byId: Map<string, Record<string, unknown>>;
  /** Method and path of each request. */
  readonly requests: string[];
  /** The body of each request, as text. */
  readonly bodies: string[];
  close(): Promise<void>;
}

/** What happens to a request that carries items: taken and answered, refused with a status, or taken but its answer lost on the way. */
export type Fate = 'taken' | 'answer lost' | { readonly status: number; readonly retryAfter?: string };

export interface RecordingOptions {
  /** Told the number of the request with items, from 0. */
  fateOf?(request: number): Fate;
  /** The reason to reject an item, or null. */
  rejectionOf?(item: Record<string, unknown>): { readonly code: string; readonly message: string } | null;
  /** Called after a request was taken, before it is answered. */
  onTaken?(): void;
  /** Answers to other requests, by "METHOD /path" without the query. */
  readonly answers?: Readonly<Record<string, { readonly status: number; readonly body?: unknown }>>;
}

export const TEST_KEY = 'sk_test';

export async function startRecordingServer(options: RecordingOptions = {}): Promise<RecordingServer> {
  const items: Record<string, unknown>[] = [];
  const byId = new Map<string, Record<string, unknown>>();
  const requests: string[] = [];
  const bodies: string[] = [];
  let batches = 0;

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const text = await readBody(request);
    const path = request.url!.split('?')[0]!;
    requests.push(`${request.method} ${request.url}`);
    bodies.push(text);
    const fixed = options.answers?.[`${request.method} ${path}`];
    if (path === '/readyz' && fixed === undefined) return answer(response, 200, {});
    if (request.headers.authorization !== `Bearer ${TEST_KEY}`) return answer(response, 401, { title: 'Unauthorized' });
    if (fixed !== undefined) return answer(response, fixed.status, fixed.body);
    if (request.headers['content-type'] !== 'application/x-ndjson') return answer(response, 404, { title: 'Not found' });
    takeItems(text, response);
  }

  function takeItems(text: string, response: ServerResponse): void {
    const fate = options.fateOf?.(batches++) ?? 'taken';
    if (typeof fate === 'object') {
      if (fate.retryAfter !== undefined) response.setHeader('retry-after', fate.retryAfter);
      return answer(response, fate.status, { title: 'Try again' });
    }
    const rejected: { index: number; id: unknown; code: string; message: string }[] = [];
    const sent = text.split('\n').filter((line) => line !== '');
    for (const [index, line] of sent.entries()) {
      const item = JSON.parse(line) as Record<string, unknown>;
      const rejection = options.rejectionOf?.(item) ?? null;
      if (rejection !== null) {
        rejected.push({ index, id: item['id'], ...rejection });
        continue;
      }
      items.push(item);
      if (!byId.has(String(item['id']))) byId.set(String(item['id']), item);
    }
    options.onTaken?.();
    if (fate === 'answer lost') response.destroy();
    else if (rejected.length === sent.length) answer(response, 400, { title: 'All rejected', rejected });
    else answer(response, 202, { accepted: sent.length - rejected.length, rejected });
  }

  const server = createServer((request, response) => {
    handle(request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    items,
    byId,
    requests,
    bodies,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

function answer(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': status >= 400 ? 'application/problem+json' : 'application/json' });
  response.end(body === undefined ? '' : JSON.stringify(body));
}
