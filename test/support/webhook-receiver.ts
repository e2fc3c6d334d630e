import { once } from 'node:events';
import { createServer, type Server } from 'node:http';

/** A message as it arrived. */
export interface Receipt {
  /** Path it was sent to: whoever it was for. */
  readonly path: string;
  readonly id: string;
  /** By `performance.now()`, when its last byte was here. */
  readonly at: number;
  readonly body: string;
}

/** How a path answers; a path without one takes everything. */
export type Manner = 'hangs' | 'fails';

export interface WebhookReceiver {
  readonly server: Server;
  close(): void;
}

/** Receivers of webhooks on 127.0.0.1, one a path; `onReceipt` is called before the answer. */
export async function listenForWebhooks(
  port: number,
  manners: Readonly<Record<string, Manner>>,
  onReceipt: (receipt: Receipt) => void,
): Promise<WebhookReceiver> {
  const server = createServer((request, response) => {
    const path = request.url ?? '/';
    const manner = manners[path];
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      onReceipt({ path, id: String(request.headers['webhook-id']), at: performance.now(), body: Buffer.concat(chunks).toString() });
      if (manner !== 'hangs') response.writeHead(manner === 'fails' ? 500 : 204).end();
    });
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return {
    server,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}
