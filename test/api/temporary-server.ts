import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TEST_PARTITIONS } from '../support/partitions.ts';
import { startServer, type Server, type ServerOptions } from '../support/start-server.ts';

/** A server on a data directory of its own, which goes when the server does. */
export interface TemporaryServer {
  /** The running server; another one after `restart`. */
  readonly server: Server;
  /** Ends it the hard way and starts it again on the same data and port. */
  restart(options?: Pick<ServerOptions, 'waitFor'>): Promise<void>;
  close(): Promise<void>;
}

/** What was posted is stored after a moment, so that tests of what comes from the store need not wait. */
const ENVIRONMENT = { PARTITIONS: String(TEST_PARTITIONS), CHECKPOINT_INTERVAL_MS: '50', PUBLISH_INTERVAL_MS: '10' };

export async function openTemporaryServer(env: Readonly<Record<string, string>> = {}): Promise<TemporaryServer> {
  const data = mkdtempSync(join(tmpdir(), 'touchstone-api-'));
  const options = { data, env: { ...ENVIRONMENT, ...env } };
  let server = await startServer(options);
  return {
    get server() {
      return server;
    },
    async restart({ waitFor = 'ready' } = {}) {
      await server.kill();
      server = await startServer({ ...options, port: Number(new URL(server.url).port), waitFor });
    },
    async close() {
      await server.kill();
      rmSync(data, { recursive: true });
    },
  };
}

/** Resolves with what `look` gives once `isThere` holds for it: what is posted shows a moment later. Fails with the last look. */
export async function eventually<Seen>(look: () => Promise<Seen>, isThere: (seen: Seen) => boolean): Promise<Seen> {
  const deadline = Date.now() + 20_000;
  for (;;) {
    const seen = await look();
    if (isThere(seen)) return seen;
    if (Date.now() > deadline) throw new Error(`still not there: ${JSON.stringify(seen)}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
