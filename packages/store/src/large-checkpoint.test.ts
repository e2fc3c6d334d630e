import { expect, it } from 'vitest';
import { ClickHouseStore } from './click-house-store.ts';
import type { RowTransport } from './row-transport.ts';
import type { DeadLetter, ScoreRow } from './store.ts';
import { APPENDED_AT, checkpointOf, leadAt, touchAt } from './test-records.ts';

const MEGABYTE = 1024 * 1024;
/** What a statement may take: the rest of the row or chunk that goes over its bound is in it too. */
const STATEMENT_BYTES_MAX = 18 * MEGABYTE;

/** Keeps what a store inserts, statement by statement. */
function recorded() {
  const inserts: { table: string; bytes: Buffer }[] = [];
  const transport = {
    async insert(table, _columns, chunks) {
      inserts.push({ table, bytes: Buffer.concat(chunks) });
    },
  } satisfies Partial<RowTransport> as unknown as RowTransport;
  return { inserts, store: new ClickHouseStore(transport) };
}

it('what gathered during an outage goes in statements of bounded size, whole rows each, the position last', async () => {
  const { inserts, store } = recorded();
  const touches = Array.from({ length: 20_000 }, (_, offset) => touchAt(offset, { url: `https://example.com/${'x'.repeat(2000)}` }));
  const value = new Uint8Array(MEGABYTE);
  const deadLetters = Array.from({ length: 40 }, (_, offset): DeadLetter => {
    return { partition: 0, offset: 30_000 + offset, appendedAt: APPENDED_AT, reason: 'malformed', detail: '', key: null, value };
  });
  await store.checkpoint([checkpointOf(store, [...touches, leadAt(20_000)], { deadLetters })]);

  const times = (count: number, table: string): string[] => Array.from({ length: count }, () => table);
  const order = [times(3, 'touches'), 'facts', times(3, 'dead_letters'), 'positions'].flat();
  expect(inserts.map(({ table }) => table)).toEqual(order);
  for (const { bytes } of inserts) expect(bytes.length).toBeLessThan(STATEMENT_BYTES_MAX);
  // Rows begin with their partition and offset: the first of each statement follows the last of the one before.
  const rows = inserts.filter(({ table }) => table === 'touches').map(({ bytes }) => Number(bytes.readBigUInt64LE(2)));
  expect(rows[0]).toBe(0);
  expect(rows).toEqual(rows.toSorted((one, other) => one - other));
});

it('so do scores', async () => {
  const { inserts, store } = recorded();
  const row = { partition: 0, version: 1, modelVersion: 'm', asOf: 1, points: 1, score: 1, engaged: true };
  await store.saveScores(Array.from({ length: 200_000 }, (_, i): ScoreRow => ({ ...row, accountId: `${i}-${'x'.repeat(120)}` })));
  expect(inserts.length).toBeGreaterThan(1);
  for (const { bytes } of inserts) expect(bytes.length).toBeLessThan(STATEMENT_BYTES_MAX);
});
