import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Item } from './outcome.ts';
import { createLanes } from './send-lanes.ts';

function itemOf(line: number, orderKey: string): Item {
  return { line, orderKey, body: JSON.stringify({ line, orderKey }), text: '', accountId: orderKey };
}

/** Lets requests end in any order. */
async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await Promise.resolve();
}

describe('lanes', () => {
  const keys = fc.array(fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'), { maxLength: 60 });

  it('sends every item once, those of one account in order, with one request a lane at a time', async () => {
    await fc.assert(
      fc.asyncProperty(
        keys,
        fc.integer({ min: 1, max: 4 }),
        fc.integer({ min: 1, max: 5 }),
        fc.infiniteStream(fc.nat(9)),
        async (keys, count, batchItems, delays) => {
          const arrived: Item[] = [];
          const busy = new Set<number>();
          const lanes = createLanes({
            count,
            batchItems,
            batchBytes: 1000,
            answered: [],
            async send(items, lane) {
              expect(busy.has(lane)).toBe(false);
              expect(items.length).toBeLessThanOrEqual(batchItems);
              busy.add(lane);
              await turns(delays.next().value as number);
              arrived.push(...items);
              busy.delete(lane);
            },
          });
          const items = keys.map((key, line) => itemOf(line, key));
          for (const item of items) await lanes.push(item);
          await lanes.drain();
          for (const key of new Set(keys)) {
            const ofKey = (all: readonly Item[]): number[] => all.filter(({ orderKey }) => orderKey === key).map(({ line }) => line);
            expect(ofKey(arrived)).toEqual(ofKey(items));
          }
          expect(arrived).toHaveLength(items.length);
        },
      ),
    );
  });

  it('passes over what was answered before, whatever had been answered of each lane', async () => {
    await fc.assert(
      fc.asyncProperty(keys, fc.integer({ min: 0, max: 60 }), async (keys, stopAfter) => {
        const items = keys.map((key, line) => itemOf(line, key));
        const answered = [0, 0, 0];
        const arrived: number[] = [];
        async function run(from: readonly number[], mayFail: boolean): Promise<void> {
          const lanes = createLanes({
            count: 3,
            batchItems: 2,
            batchBytes: 1000,
            answered: [...from],
            send: async (batch, lane) => {
              if (mayFail && arrived.length >= stopAfter) throw new Error('crash');
              arrived.push(...batch.map(({ line }) => line));
              answered[lane]! += batch.length;
            },
          });
          for (const item of items) await lanes.push(item);
          await lanes.drain();
        }
        await run([], true).catch(() => undefined);
        await run(answered, false);
        expect(arrived.toSorted((a, b) => a - b)).toEqual(items.map(({ line }) => line));
      }),
    );
  });

  it('begins a new request before one grows too large', async () => {
    const sizes: number[] = [];
    const lanes = createLanes({
      count: 1,
      batchItems: 100,
      batchBytes: 100,
      answered: [],
      send: async (items) => void sizes.push(items.length),
    });
    for (let line = 0; line < 9; line++) await lanes.push({ ...itemOf(line, 'a'), body: 'x'.repeat(line === 4 ? 300 : 30) });
    await lanes.drain();
    expect(sizes).toEqual([3, 1, 1, 3, 1]);
  });

  it('tells the first failure to the reader, and sends nothing more in that lane', async () => {
    let requests = 0;
    const lanes = createLanes({
      count: 1,
      batchItems: 1,
      batchBytes: 100,
      answered: [],
      async send() {
        requests++;
        throw new Error('refused');
      },
    });
    await expect(
      (async () => {
        for (let line = 0; line < 5; line++) await lanes.push(itemOf(line, 'a'));
      })(),
    ).rejects.toThrow('refused');
    await expect(lanes.drain()).rejects.toThrow('refused');
    expect(requests).toBe(1);
  });
});
