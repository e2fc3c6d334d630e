import type { GeneratedEntry } from '@touchstone/testkit';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readAccountRecords } from './account-records.ts';
import { ClickHouseStore } from './click-house-store.ts';
import type { RowTransport } from './row-transport.ts';
import { APPENDED_AT, checkpointOf, entriesOf, leadAt, offsetsOf, touchAt } from './test-records.ts';
import { touchLayout, WHOLE_TOUCH } from './touch-columns.ts';

const ACCOUNTS = ['acme.example', `it's "acme"\\`, '漢😀', 'acme.example2'];

/** The part of the store's contract that an account's past is read by. */
export function describeAccountRecords(name: string, open: () => Promise<RowTransport>): void {
  describe(`the records of one account on ${name}`, () => {
    let transport: RowTransport;
    let store: ClickHouseStore;

    beforeEach(async () => {
      transport = await open();
      store = new ClickHouseStore(transport);
      await store.migrate();
    });

    afterEach(() => store.close());

    const leadOf = (offset: number, accountId: string | null, partition = 0): GeneratedEntry => {
      const lead = leadAt(offset, `lead${offset}`, partition);
      return { ...lead, record: { ...lead.record, accountId } as GeneratedEntry['record'] };
    };

    it('are those that a replay of its partition has of it, whatever the pages', async () => {
      const record = fc.record({ accountId: fc.constantFrom(...ACCOUNTS, null), isFact: fc.boolean(), gap: fc.nat(3), bytes: fc.nat(300) });
      const [drafts] = fc.sample(fc.array(record, { minLength: 120, maxLength: 120 }), { numRuns: 1, seed: 7 });
      let offset = -1;
      const entries = drafts!.map(({ accountId, bytes, gap, isFact }) => {
        offset += 1 + gap;
        return isFact ? leadOf(offset, accountId) : touchAt(offset, { accountId, properties: { long: 'x'.repeat(bytes) } });
      });
      await transport.command('SYSTEM STOP MERGES touches');
      await store.checkpoint([checkpointOf(store, entries), checkpointOf(store, [touchAt(1, {}, 1), leadOf(2, ACCOUNTS[0]!, 1)])]);
      // Rows that are there twice, of one half of the offsets.
      await store.checkpoint([checkpointOf(store, entries.slice(40, 100))]);
      for (const accountId of ACCOUNTS) {
        const own = entries.filter(({ record: each }) => 'accountId' in each && each.accountId === accountId);
        for (const rows of [3, 1000]) {
          for (const before of [offset + 1, 121, 0]) {
            const range = { partition: 0, accountId, before, layout: WHOLE_TOUCH };
            const found = await entriesOf(readAccountRecords(transport, range, { rows, bytesMax: 1_000_000 }));
            expect(found).toEqual(own.filter((one) => one.offset < before));
          }
        }
        // Pages that are too large are given up for shorter ones.
        const range = { partition: 0, accountId, before: offset + 1, layout: WHOLE_TOUCH };
        expect(await entriesOf(readAccountRecords(transport, range, { rows: 64, bytesMax: 2_000 }))).toEqual(own);
      }
    }, 120_000);

    it('are of its partition alone, and nobody has none', async () => {
      const [accountId] = ACCOUNTS as [string];
      await store.checkpoint([checkpointOf(store, [touchAt(0), leadOf(1, accountId)]), checkpointOf(store, [touchAt(5, {}, 1)])]);
      expect(offsetsOf(await entriesOf(store.accountRecords(0, accountId, 9)))).toEqual([0, 1]);
      expect(offsetsOf(await entriesOf(store.accountRecords(1, accountId, 9)))).toEqual([5]);
      expect(await entriesOf(store.accountRecords(0, 'nobody', 9))).toEqual([]);
    });

    it('are read with what is asked for alone', async () => {
      const all = { channel: 'web', campaignId: 'spring', url: '/x', properties: { k: 'v' } };
      await store.checkpoint([checkpointOf(store, [touchAt(0, all)])]);
      const layout = touchLayout(['channel', 'campaignId'], false);
      const found = await entriesOf(store.accountRecords(0, 'acme.example', 9, { fields: ['channel', 'campaignId'], ids: false }));
      expect(layout.columns).toHaveLength(10);
      expect(found).toEqual([
        {
          partition: 0,
          offset: 0,
          appendedAt: APPENDED_AT,
          record: { ...touchAt(0).record, id: null, channel: 'web', campaignId: 'spring' },
        },
      ]);
    });
  });
}
