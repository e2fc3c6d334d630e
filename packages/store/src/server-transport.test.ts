import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startChdbHttpFront } from '@touchstone/testkit';
import type { ChdbHttpFront } from '@touchstone/testkit';
import { afterAll, beforeAll } from 'vitest';
import { ServerTransport } from './server-transport.ts';
import { describeStore } from './store.contract.ts';

const root = mkdtempSync(join(tmpdir(), 'touchstone-store-'));
let front: ChdbHttpFront;
let databases = 0;

beforeAll(async () => {
  front = await startChdbHttpFront({ directory: root, username: 'ada', password: 'pä ss' });
});

afterAll(async () => {
  await front.stop();
  rmSync(root, { recursive: true });
});

describeStore('a server', async () => {
  return new ServerTransport({
    url: front.url,
    username: 'ada',
    password: 'pä ss',
    database: `test_${++databases}`,
    requestTimeoutMs: 20_000,
  });
});
