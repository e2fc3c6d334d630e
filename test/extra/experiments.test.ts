import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { experimentFigures, rowOf, wrongWith } from '../support/experiment-figures.ts';

const DOCUMENT = new URL('../../ARCHITECTURE.md', import.meta.url);

test('thousands of simulated experiments hold their level and find what is there, and the document has their figures', () => {
  const figures = experimentFigures({ seed: 1, same: 2_000, lifted: 200, auto: 500, ratio: 500, bandit: 200 });
  const rows = figures.map(rowOf);
  console.log(rows.join('\n'));
  expect(figures.map(wrongWith).filter((wrong) => wrong !== null)).toEqual([]);
  // Both ways: a row that nobody computes any more is one too many.
  expect(tableUnder('| experiments | runs | found | accounts, median |')).toEqual(rows);
});

/** The rows of the document's table with this head. */
function tableUnder(head: string): string[] {
  const lines = readFileSync(DOCUMENT, 'utf8').split('\n');
  const rows = lines.slice(lines.indexOf(head) + 2);
  return rows.slice(
    0,
    rows.findIndex((row) => !row.startsWith('|')),
  );
}
