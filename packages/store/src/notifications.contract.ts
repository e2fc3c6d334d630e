import type { AccountFact } from '@touchstone/engine';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ClickHouseStore } from './click-house-store.ts';
import type { RowTransport } from './row-transport.ts';
import type { DeliveryRow, EndpointRow } from './notification-store.ts';

const NOON = Date.UTC(2026, 10, 22, 12);
const DAY = 86_400_000;

/** The part of the store's contract about endpoints and deliveries: the last thing written stands, and what is pending is found again. */
export function describeNotifications(name: string, open: () => Promise<RowTransport>): void {
  describe(`notifications on ${name}`, () => {
    let transport: RowTransport;
    let store: ClickHouseStore;

    beforeEach(async () => {
      transport = await open();
      store = new ClickHouseStore(transport);
      await store.migrate();
      await transport.command('SYSTEM STOP MERGES deliveries');
    });

    afterEach(() => store.close());

    const endpoint = (changes: Partial<EndpointRow> = {}): EndpointRow => ({
      id: 'ep_1',
      revision: 0,
      name: `Bo's "desk"\n`,
      kind: 'webhook',
      url: 'https://hooks.example/a?b=c',
      secrets: ['whsec_b', 'whsec_a'],
      filter: '{"types":[]}',
      ownerBudget: null,
      state: 'active',
      stateReason: '',
      createdAt: NOON,
      updatedAt: NOON + 1,
      ...changes,
    });

    const delivery = (changes: Partial<DeliveryRow> = {}): DeliveryRow => ({
      endpointId: 'ep_1',
      at: NOON,
      id: 'alr_1',
      revision: 0,
      kind: 'alert',
      partition: 3,
      owner: `o'hara\n`,
      state: 'pending',
      takenAt: NOON + 5,
      nextAttemptAt: NOON + 10,
      attempts: 0,
      attemptLog: '[]',
      payload: '{"é":"\\n"}',
      ...changes,
    });

    const ids = (rows: readonly { readonly id: string }[]): string[] => rows.map(({ id }) => id);

    describe('endpoints', () => {
      it('are listed as last saved, oldest first, whatever is written late', async () => {
        await store.saveEndpoint(endpoint({ id: 'ep_2', createdAt: NOON + 9 }));
        await store.saveEndpoint(endpoint({ revision: 2, ownerBudget: 7, state: 'disabled', stateReason: 'gone' }));
        await store.saveEndpoint(endpoint({ revision: 1 }));
        expect(await store.endpoints()).toEqual([
          endpoint({ revision: 2, ownerBudget: 7, state: 'disabled', stateReason: 'gone' }),
          endpoint({ id: 'ep_2', createdAt: NOON + 9 }),
        ]);
      });

      it('that were deleted are gone, and stay so', async () => {
        await store.saveEndpoint(endpoint());
        await store.saveEndpoint(endpoint({ revision: 1, state: 'deleted', secrets: [] }));
        await store.saveEndpoint(endpoint());
        expect(await store.endpoints()).toEqual([]);
      });
    });

    it('know what the CRM said last of accounts, by its own clock', async () => {
      const account = (id: string, updatedAt: number, tier: string): AccountFact => ({
        type: 'account',
        id,
        updatedAt,
        tier,
        name: null,
        domains: [],
        industry: null,
        employees: null,
        targetList: null,
        owner: null,
        parentId: null,
        attributes: { 'a\nb': `o'hara` },
      });
      const said = [account('acme', NOON, '1'), account('acme', NOON - 5, '2'), account('b"\n', NOON, '3'), account('acme', NOON, '4')];
      const facts = said.map((fact, offset) => ({ partition: 0, offset, appendedAt: NOON, fact }));
      const nothing = { touches: store.touchRows(0), deadLetters: [], transitions: [] };
      await store.checkpoint([{ partition: 0, offset: 4, generation: 'g', facts, ...nothing }]);
      const found = await store.accountFacts(['acme', 'b"\n', 'c']);
      expect(new Map([...found].map(([id, { tier }]) => [id, tier]))).toEqual(
        new Map([
          ['acme', '4'],
          ['b"\n', '3'],
        ]),
      );
      expect(found.get('acme')).toEqual(said[3]);
      expect(await store.accountFacts([])).toEqual(new Map());
    });

    it('know what was done with a note', async () => {
      await store.saveAlertAction({ alertId: 'alr_1', action: 'ack', by: 'bo', at: NOON, until: null, note: `it's "x"` });
      expect(await store.hasActionNoted('alr_1', `it's "x"`)).toBe(true);
      expect(await store.hasActionNoted('alr_1', 'x')).toBe(false);
      expect(await store.hasActionNoted('alr_2', `it's "x"`)).toBe(false);
    });

    describe('deliveries', () => {
      it('come back as written, the highest revision of each', async () => {
        const last = delivery({ revision: 2, state: 'delivered', attempts: 2, attemptLog: '[{}]', nextAttemptAt: NOON + 99 });
        await store.saveDeliveries([delivery(), last]);
        await store.saveDeliveries([delivery({ revision: 1, attempts: 1 })]);
        expect(await store.deliveries({ endpointId: 'ep_1', limit: 10 })).toEqual([last]);
        expect(await store.deliveriesOf('alr_1')).toEqual([last]);
        expect(await store.deliveriesOf('alr_2')).toEqual([]);
      });

      it('have no owner where there is none', async () => {
        await store.saveDeliveries([delivery({ owner: null })]);
        expect((await store.deliveriesOf('alr_1'))[0]!.owner).toBeNull();
      });

      it('are paged newest first, and by state', async () => {
        const rows = [0, 1, 2, 3, 4].map((i) =>
          delivery({ id: `alr_${i}`, at: NOON + Math.floor(i / 2), state: i === 3 ? 'failed' : 'pending' }),
        );
        await store.saveDeliveries([...rows, delivery({ endpointId: 'ep_2', id: 'alr_9' })]);
        await store.saveDeliveries(rows.slice(2));
        const pages: string[][] = [];
        let page = await store.deliveries({ endpointId: 'ep_1', limit: 2 });
        while (page.length > 0) {
          pages.push(ids(page));
          page = await store.deliveries({ endpointId: 'ep_1', limit: 2, before: page.at(-1)! });
        }
        expect(pages).toEqual([['alr_4', 'alr_3'], ['alr_2', 'alr_1'], ['alr_0']]);
        expect(ids(await store.deliveries({ endpointId: 'ep_1', limit: 9, state: 'failed' }))).toEqual(['alr_3']);
      });

      it('that are pending are found by partition, what is due first before the rest', async () => {
        await store.saveDeliveries([
          delivery({ id: 'late', nextAttemptAt: NOON + 30 }),
          delivery({ id: 'soon', nextAttemptAt: NOON + 20, partition: 5 }),
          delivery({ id: 'elsewhere', partition: 4 }),
          delivery({ id: 'other', endpointId: 'ep_2' }),
          delivery({ id: 'done', at: NOON - 1 }),
          delivery({ id: 'done', at: NOON - 1, revision: 1, state: 'delivered' }),
        ]);
        const find = async (partitions: readonly number[], limit = 9, from = 0) =>
          ids(await store.pendingDeliveries({ endpointId: 'ep_1', partitions, from, limit }));
        expect(await find([3, 5])).toEqual(['soon', 'late']);
        expect(await find([3, 5], 1)).toEqual(['soon']);
        expect(await find([4])).toEqual(['elsewhere']);
        expect(await find([])).toEqual([]);
        expect(await find([3, 5], 9, NOON)).toEqual(['soon', 'late']);
        expect(await find([3, 5], 9, NOON + 1)).toEqual([]);
        expect(await store.pendingCounts([3, 5], NOON)).toEqual(
          new Map([
            ['ep_1', 2],
            ['ep_2', 1],
          ]),
        );
        expect(await store.pendingCounts([3, 5], NOON + 1)).toEqual(new Map());
        expect(await store.pendingCounts([], NOON)).toEqual(new Map());
      });

      it('are known by their keys, in whatever state', async () => {
        await store.saveDeliveries([delivery(), delivery({ id: 'alr_2', at: NOON + 5, state: 'held' })]);
        const key = (id: string, at: number, endpointId = 'ep_1') => ({ endpointId, at, id });
        const known = await store.knownDeliveries([
          key('alr_1', NOON),
          key('alr_2', NOON + 5),
          key('alr_3', NOON),
          key('alr_1', NOON, 'ep_2'),
        ]);
        expect(known.toSorted((one, other) => one.at - other.at)).toEqual([key('alr_1', NOON), key('alr_2', NOON + 5)]);
        expect(await store.knownDeliveries([])).toEqual([]);
      });

      it('are known by their keys, however many of a short time or a long one are asked for', async () => {
        const HOUR = 3_600_000;
        const stored = [0, 7, 120, 299].map((n) => delivery({ id: `alr_${n}`, at: NOON + n }));
        await store.saveDeliveries([
          ...stored,
          delivery({ id: 'alr_8', at: NOON + 9 }),
          delivery({ id: 'alr_9', at: NOON + 9, endpointId: 'ep_2' }),
          delivery({ id: 'later_3', at: NOON + 3 * HOUR }),
        ]);
        const keys = Array.from({ length: 300 }, (_, n) => ({ endpointId: 'ep_1', at: NOON + n, id: `alr_${n}` }));
        const later = Array.from({ length: 150 }, (_, n) => ({ endpointId: 'ep_1', at: NOON + n * HOUR, id: `later_${n}` }));
        const known = await store.knownDeliveries([...later, ...keys]);
        expect(known.map(({ id }) => id).toSorted()).toEqual(['alr_0', 'alr_120', 'alr_299', 'alr_7', 'later_3']);
      });

      it('that were held back are listed once, until they are digested', async () => {
        await store.saveDeliveries([
          delivery({ id: 'a', state: 'held' }),
          delivery({ id: 'b', state: 'held', takenAt: NOON + 3 }),
          delivery({ id: 'c', state: 'held', takenAt: NOON + 50 }),
          delivery({ id: 'd', state: 'held' }),
          delivery({ id: 'd', state: 'digested', revision: 1 }),
        ]);
        expect(ids(await store.heldDeliveries(NOON + 50, 9))).toEqual(['a', 'b']);
        expect(ids(await store.heldDeliveries(NOON + 50, 1))).toEqual(['a']);
      });

      it('that were held back come by endpoint, owner and hour', async () => {
        const held = (id: string, owner: string | null, takenAt: number, endpointId = 'ep_1') =>
          delivery({ id, owner, takenAt, endpointId, state: 'held' });
        await store.saveDeliveries([
          held('f', 'ann', NOON, 'ep_2'),
          held('a', null, NOON + 7),
          held('e', 'bo', NOON),
          held('b', 'ann', NOON - 1),
          held('c', 'ann', NOON + 9),
          held('d', 'ann', NOON),
        ]);
        expect(ids(await store.heldDeliveries(NOON + 50, 9))).toEqual(['a', 'b', 'c', 'd', 'e', 'f']);
      });

      it('are counted by owner, those that were sent or will be', async () => {
        await store.saveDeliveries([
          delivery({ id: 'a' }),
          delivery({ id: 'a', revision: 1, state: 'delivered' }),
          delivery({ id: 'b', state: 'failed' }),
          delivery({ id: 'c', state: 'held' }),
          delivery({ id: 'd', owner: null }),
          delivery({ id: 'e', takenAt: NOON }),
          delivery({ id: 'f', kind: 'digest' }),
          delivery({ id: 'g', endpointId: 'ep_2' }),
          delivery({ id: 'h', at: NOON - 31 * DAY }),
        ]);
        const counts = await store.toldCounts(['ep_1'], NOON + 5);
        expect(counts.toSorted((one, other) => other.told - one.told)).toEqual([
          { endpointId: 'ep_1', owner: `o'hara\n`, told: 2 },
          { endpointId: 'ep_1', owner: null, told: 1 },
        ]);
        expect(await store.toldCounts([], 0)).toEqual([]);
      });

      it('are forgotten after 90 days', async () => {
        const now = Date.now();
        await store.saveDeliveries([delivery({ id: 'old', takenAt: now - 91 * DAY }), delivery({ id: 'new', takenAt: now - 89 * DAY })]);
        await transport.command('SYSTEM START MERGES deliveries');
        await transport.command('OPTIMIZE TABLE deliveries FINAL');
        expect(ids(await store.deliveries({ endpointId: 'ep_1', limit: 9 }))).toEqual(['new']);
      });
    });
  });
}
