import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Adds up what a run of everything left in a folder: reports of vitest (`*.json`) and the file `steps`, a line `ok NAME` or `not ok NAME` each.
 * A skipped test counts as failed: this run is the one that skips nothing.
 */
export interface Sum {
  passed: number;
  failed: number;
  /** What failed without being a failed test, for a person. */
  readonly notes: string[];
}

/** The part of vitest's JSON report that is read here. */
interface Report {
  readonly success: boolean;
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly assertionResults: readonly { readonly status: string }[];
  }[];
}

export function sumResults(folder: string): Sum {
  const sum: Sum = { passed: 0, failed: 0, notes: [] };
  for (const file of readdirSync(folder).toSorted()) {
    const content = readFileSync(join(folder, file), 'utf8');
    if (file === 'steps') addSteps(sum, content);
    else if (file.endsWith('.json')) addReport(sum, file, content);
  }
  if (sum.passed + sum.failed === 0) fail(sum, 1, 'nothing was run');
  return sum;
}

function addSteps(sum: Sum, content: string): void {
  for (const line of content.split('\n')) {
    if (line.startsWith('ok ')) sum.passed++;
    else if (line !== '') fail(sum, 1, line);
  }
}

function addReport(sum: Sum, file: string, content: string): void {
  const report = parseReport(content);
  if (report === null) {
    fail(sum, 1, `${file} is no report: the run ended before its end`);
    return;
  }
  const skipped = report.numPendingTests + report.numTodoTests;
  // A file that fails to load has no failed test in it, and an error outside of any test belongs to no file.
  const unloaded = report.testResults.filter(
    (result) => result.status === 'failed' && !result.assertionResults.some(({ status }) => status === 'failed'),
  );
  sum.passed += report.numPassedTests;
  sum.failed += report.numFailedTests;
  if (skipped > 0) fail(sum, skipped, `${file}: ${skipped} skipped`);
  for (const { name } of unloaded) fail(sum, 1, `${file}: ${name} failed outside of its tests`);
  if (!report.success && report.numFailedTests + unloaded.length === 0) fail(sum, 1, `${file}: an error outside of any test`);
}

function parseReport(content: string): Report | null {
  try {
    return JSON.parse(content) as Report;
  } catch {
    return null;
  }
}

function fail(sum: Sum, count: number, note: string): void {
  sum.failed += count;
  sum.notes.push(note);
}

if (import.meta.main) {
  const { passed, failed, notes } = sumResults(process.argv[2] ?? '.');
  for (const note of notes) console.log(`failed: ${note}`);
  console.log(`${passed} passed, ${failed} failed`);
  process.exitCode = failed === 0 ? 0 : 1;
}
