import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, expect, test } from 'vitest';
import { generateAccessLog, LOG_FORMATS } from '../support/generate-access-log.ts';
import { verifyImport } from './verify-import.ts';

const directory = mkdtempSync(join(tmpdir(), 'touchstone-test-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

test.each(LOG_FORMATS)('an access log of the form %s is imported exactly, through restarts and kill -9', async (format) => {
  const file = join(directory, `${format}.log.gz`);
  writeFileSync(file, gzipSync(generateAccessLog(7, format, 600)));
  const { wrong, accounts } = await verifyImport(file, console.log);
  expect(wrong.slice(0, 20)).toEqual([]);
  expect(accounts).toBeGreaterThan(5);
});
