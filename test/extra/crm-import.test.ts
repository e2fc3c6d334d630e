import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { generateCrm } from '../support/generate-crm.ts';
import { verifyCrm } from './verify-crm.ts';

const directory = mkdtempSync(join(tmpdir(), 'touchstone-test-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

test('a CRM export is imported whole, and its revenue by sector and month is that of the files', async () => {
  const { accounts, pipeline } = generateCrm(7, 2000);
  writeFileSync(join(directory, 'accounts.csv'), accounts);
  writeFileSync(join(directory, 'sales_pipeline.csv'), pipeline);
  const { cells, wrong } = await verifyCrm(directory, console.log);
  expect(wrong).toEqual([]);
  expect(cells).toBeGreaterThan(30);
});
