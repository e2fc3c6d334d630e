import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { ChdbTransport } from './chdb-transport.ts';
import { describeStore } from './store.contract.ts';

const root = mkdtempSync(join(tmpdir(), 'touchstone-store-'));
let directories = 0;

afterAll(() => rmSync(root, { recursive: true }));

describeStore('chDB', () => ChdbTransport.open(join(root, `it's ${++directories}`)));
