import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { sumResults } from './sum-results.ts';

interface Counts {
  passed?: number;
  failed?: number;
  pending?: number;
  todo?: number;
  success?: boolean;
  files?: { name: string; status: string; assertionResults: { status: string }[] }[];
}

function report({ passed = 0, failed = 0, pending = 0, todo = 0, success = failed === 0, files = [] }: Counts): string {
  const counts = { numPassedTests: passed, numFailedTests: failed, numPendingTests: pending, numTodoTests: todo };
  return JSON.stringify({ ...counts, success, testResults: files });
}

const rows: [description: string, files: Record<string, string>, passed: number, failed: number, notes: string[]][] = [
  [
    'reports and steps together',
    { 'tests.json': report({ passed: 30 }), 'extra.json': report({ passed: 3, failed: 1 }), steps: 'ok install\nok lint\nnot ok types\n' },
    35,
    2,
    ['not ok types'],
  ],
  ['a skipped test', { 'tests.json': report({ passed: 2, pending: 1, todo: 1 }) }, 2, 2, ['tests.json: 2 skipped']],
  [
    'a file that does not load',
    { 'tests.json': report({ passed: 2, success: false, files: [{ name: 'a.test.ts', status: 'failed', assertionResults: [] }] }) },
    2,
    1,
    ['tests.json: a.test.ts failed outside of its tests'],
  ],
  [
    'a file with a failed test counts once',
    { 'tests.json': report({ failed: 1, files: [{ name: 'a.test.ts', status: 'failed', assertionResults: [{ status: 'failed' }] }] }) },
    0,
    1,
    [],
  ],
  [
    'an error outside of any test',
    { 'tests.json': report({ passed: 2, success: false }) },
    2,
    1,
    ['tests.json: an error outside of any test'],
  ],
  ['a report cut short', { 'tests.json': '{"num' }, 0, 1, ['tests.json is no report: the run ended before its end']],
  ['nothing at all', {}, 0, 1, ['nothing was run']],
];

it.each(rows)('%s', (_description, files, passed, failed, notes) => {
  const folder = mkdtempSync(join(tmpdir(), 'sum-results-'));
  try {
    for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
    expect(sumResults(folder)).toEqual({ passed, failed, notes });
  } finally {
    rmSync(folder, { recursive: true });
  }
});
