import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach } from 'vitest';
import { TEST_PARTITIONS } from './partitions.ts';
import { startServer, type Server, type ServerOptions } from './start-server.ts';

/** For test files: directories that are gone, and servers that are ended, after each test, also after one that failed. */
export function testServers(): { directory(): string; start(options: ServerOptions): Promise<Server> } {
  const directories: string[] = [];
  const servers: Server[] = [];
  afterEach(async () => {
    await Promise.all(servers.splice(0).map((server) => server.kill()));
    for (const directory of directories.splice(0)) rmSync(directory, { recursive: true, force: true });
  });
  return {
    directory() {
      const directory = mkdtempSync(join(tmpdir(), 'touchstone-test-'));
      directories.push(directory);
      return directory;
    },
    async start(options) {
      const server = await startServer({
        ...options,
        env: { PARTITIONS: String(TEST_PARTITIONS), ...options.env },
        waitFor: 'nothing',
      });
      servers.push(server);
      const { waitFor = 'ready' } = options;
      if (waitFor !== 'nothing') await server.becomes(waitFor);
      return server;
    },
  };
}
