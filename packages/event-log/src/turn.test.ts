import { expect, test } from 'vitest';
import { Turn } from './turn.ts';

/** Longer than a turn. */
const BLOCK_MS = 6;

function workFor(ms: number): void {
  const until = performance.now() + ms;
  while (performance.now() < until);
}

test('those who wait go on one in a turn of the event loop, each as often as the others', async () => {
  const turn = new Turn();
  const turns: string[][] = [[]];
  let isOver = false;
  const nextTurn = () => {
    turns.push([]);
    if (!isOver) setImmediate(nextTurn);
  };
  setImmediate(nextTurn);
  await Promise.all(
    ['a', 'b', 'c', 'd'].map(async (name) => {
      for (let block = 0; block < 3; block++) {
        await turn.take();
        turns.at(-1)!.push(name);
        workFor(BLOCK_MS);
      }
    }),
  );
  isOver = true;
  expect(turns.flat().join('')).toBe('abcdabcdabcd');
  // Those who come at the same moment find time left, all of them: only later do they wait for each other.
  expect(Math.max(...turns.slice(1).map((names) => names.length))).toBeLessThanOrEqual(2);
});

test('as long as there is time left, many go on in one turn', async () => {
  const turn = new Turn();
  let turns = 0;
  const count = setInterval(() => turns++, 0);
  const told: number[] = [];
  await Promise.all(
    [1, 2].map(async (name) => {
      for (let block = 0; block < 5; block++) {
        await turn.take();
        told.push(name);
      }
    }),
  );
  clearInterval(count);
  expect(told).toHaveLength(10);
  expect(turns).toBeLessThan(10);
});
