import { setTimeout as sleep } from 'node:timers/promises';
import { defaultModel } from '@touchstone/engine';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { describeAccountRecords } from './account-records.contract.ts';
import { ClickHouseStore } from './click-house-store.ts';
import { describeAlerts } from './alerts.contract.ts';
import { describeAttribution } from './opportunities/attribution.contract.ts';
import { describeDatedOpportunities } from './opportunities/dated-opportunities.contract.ts';
import { describeInfluence } from './opportunities/influence.contract.ts';
import { describeOpportunityStays } from './opportunities/opportunity-stays.contract.ts';
import { describeRevenueKpis } from './kpis/revenue-kpis.contract.ts';
import { describeDeadLetters } from './dead-letters.contract.ts';
import { describeHonestKpis } from './kpis/honest-kpis.contract.ts';
import { describeKpis } from './kpis/kpis.contract.ts';
import { describeMrrBridge } from './kpis/mrr-bridge.contract.ts';
import { describeNotifications } from './notifications.contract.ts';
import { APPENDED_AT, checkpointOf, entriesOf, GENERATION, leadAt, offsetsOf, PLAIN_TOUCH, touchAt } from './test-records.ts';
import { describeStageStays } from './stage-stays.contract.ts';
import { jsonRows } from './json-rows.ts';
import { describeReplay } from './replay.contract.ts';
import { readBounded } from './read-bounded.ts';
import type { RowTransport } from './row-transport.ts';
import { describeSchema } from './schema.contract.ts';
import type { ApiKeyRow, ScoreRow } from './store.ts';
import { WHOLE_TOUCH } from './touch-columns.ts';

const HOUR_MS = 3_600_000;

/** What every way to ClickHouse must do. `open` gives a transport to a database with nothing in it. */
export function describeStore(name: string, open: () => Promise<RowTransport>): void {
  describeReplay(name, open);
  describeAccountRecords(name, open);
  describeDeadLetters(name, open);
  describeAlerts(name, open);
  describeStageStays(name, open);
  describeRevenueKpis(name, open);
  describeAttribution(name, open);
  describeDatedOpportunities(name, open);
  describeInfluence(name, open);
  describeOpportunityStays(name, open);
  describeNotifications(name, open);
  describeKpis(name, open);
  describeHonestKpis(name, open);
  describeMrrBridge(name, open);
  describeSchema(name, open);

  describe(`the store on ${name}`, () => {
    let transport: RowTransport;
    let store: ClickHouseStore;

    beforeEach(async () => {
      transport = await open();
      store = new ClickHouseStore(transport);
      await store.migrate();
    });

    afterEach(() => store.close());

    const rowsOf = async <Row>(statement: string): Promise<Row[]> => jsonRows(await transport.read(`${statement} FORMAT JSONEachRow`));
    const replayed = (partition: number, before: number) => entriesOf(store.replay(partition, before));

    it('lists the models published, each once, by partition and offset', async () => {
      const modelAt = (offset: number, partition: number, version: string) => ({
        partition,
        offset,
        appendedAt: APPENDED_AT,
        record: { type: 'model' as const, model: { ...defaultModel, version } },
      });
      const second = () => checkpointOf(store, [modelAt(2, 1, 'a'), leadAt(3, 'x', 1), modelAt(5, 1, 'b')]);
      await store.checkpoint([second(), checkpointOf(store, [modelAt(9, 0, 'a')])]);
      await store.checkpoint([second()]);
      const found = (await store.models()).map(({ appendedAt, model, offset, partition }) => [
        partition,
        offset,
        appendedAt,
        model.version,
      ]);
      expect(found).toEqual([
        [0, 9, APPENDED_AT, 'a'],
        [1, 2, APPENDED_AT, 'a'],
        [1, 5, APPENDED_AT, 'b'],
      ]);
    });

    describe('positions', () => {
      const write = (partition: number, offset: number, generation = GENERATION) =>
        store.checkpoint([checkpointOf(store, [], { partition, offset, generation })]);

      it('are the highest of a generation, even when a lower one is written later', async () => {
        await write(0, 10);
        await write(1, 4);
        await write(0, 25);
        await write(0, 12);
        expect([...(await store.positions()).values()]).toEqual([
          { partition: 0, offset: 25, generation: GENERATION },
          { partition: 1, offset: 4, generation: GENERATION },
        ]);
      });

      it('are of the generation written last', async () => {
        await write(0, 1000, 'old');
        await write(0, 3, 'new');
        expect((await store.positions()).get(0)).toEqual({ partition: 0, offset: 3, generation: 'new' });
      });
    });

    it('a checkpoint fails when a part of it can not be stored, and its position is not stored then', async () => {
      const deadLetter = { partition: 0, offset: 1, appendedAt: 0, reason: 'malformed', detail: '', key: null, value: new Uint8Array(0) };
      await transport.command('DROP TABLE dead_letters');
      const checkpoint = checkpointOf(store, [touchAt(0)], { offset: 2, deadLetters: [deadLetter] });
      await expect(store.checkpoint([checkpoint])).rejects.toMatchObject({ code: 'rejected' });
      expect((await store.positions()).size).toBe(0);
      await transport.command('DROP TABLE positions');
      await expect(store.checkpoint([checkpointOf(store, [touchAt(0)])])).rejects.toMatchObject({ code: 'rejected' });
    });

    describe('scores', () => {
      const asOf = Date.UTC(2026, 0, 1, 10, 30);
      const score = (changes: Partial<ScoreRow>): ScoreRow => ({
        accountId: `it's "acme"`,
        partition: 5,
        version: 100,
        modelVersion: 'm1',
        asOf,
        points: 1 / 3,
        score: 0.1 + 0.2,
        engaged: true,
        ...changes,
      });
      const latest = () => rowsOf<{ version: number; points: number }>('SELECT version, points FROM account_scores FINAL');

      it('never go back to an older version, nor within one to an earlier asOf', async () => {
        await store.saveScores([score({})]);
        await store.saveScores([score({ version: 99, asOf: asOf + 1000, points: 2 })]);
        expect(await latest()).toEqual([{ version: 100, points: 1 / 3 }]);
        await store.saveScores([score({ asOf: asOf - 1, points: 3 })]);
        expect(await latest()).toEqual([{ version: 100, points: 1 / 3 }]);
        await store.saveScores([score({ asOf: asOf + 1, points: 4 }), score({ asOf, points: 5 })]);
        expect(await latest()).toEqual([{ version: 100, points: 4 }]);
        await store.saveScores([score({ version: 101, asOf: asOf - 1000, points: 6 })]);
        expect(await latest()).toEqual([{ version: 101, points: 6 }]);
      });

      it('keep the last of each UTC hour as history', async () => {
        const hour = Date.UTC(2026, 0, 1, 10);
        const { accountId } = score({});
        await store.saveScores([score({}), score({ accountId: 'other' })]);
        await store.saveScores([score({ version: 102, asOf: hour + HOUR_MS - 1, points: 7 })]);
        await store.saveScores([score({ version: 101, asOf: hour + 100, points: 8 })]);
        await store.saveScores([score({ version: 103, asOf: hour + HOUR_MS, points: 9, modelVersion: 'm2' })]);
        const first = { hour, asOf: hour + HOUR_MS - 1, points: 7, score: 0.1 + 0.2, modelVersion: 'm1' };
        const second = { hour: hour + HOUR_MS, asOf: hour + HOUR_MS, points: 9, score: 0.1 + 0.2, modelVersion: 'm2' };
        expect(await store.history(accountId, hour, hour + HOUR_MS + 1)).toEqual([first, second]);
        expect(await store.history(accountId, hour, hour + HOUR_MS)).toEqual([first]);
        expect(await store.history(accountId, hour + 1, hour + 5 * HOUR_MS)).toEqual([second]);
        expect(await store.history('nobody', 0, hour * 2)).toEqual([]);
      });

      it('tell which model they were under on both sides of an instant', async () => {
        const at = (minutes: number): number => asOf + minutes * 60_000;
        const { accountId } = score({});
        await store.saveScores([score({ asOf: at(-40), modelVersion: 'a' }), score({ asOf: at(0), modelVersion: 'b' })]);
        await store.saveScores([score({ asOf: at(10), modelVersion: 'c' }), score({ asOf: at(90), modelVersion: 'd' })]);
        const shown = (minutes: number, modelVersion: string) => ({ asOf: at(minutes), modelVersion });
        const [a, c, d] = [shown(-40, 'a'), shown(10, 'c'), shown(90, 'd')];
        const rows: [minutes: number, before: typeof a | null, after: typeof a | null][] = [
          [-41, null, a],
          [-40, a, c],
          [0, a, c],
          [9, a, c],
          [10, c, d],
          [89, c, d],
          [90, d, null],
          [100_000, d, null],
        ];
        for (const [minutes, before, after] of rows)
          expect([minutes, await store.shownScores(accountId, at(minutes))]).toEqual([minutes, { before, after }]);
        expect(await store.shownScores('nobody', asOf)).toEqual({ before: null, after: null });
      });

      it('of nobody change nothing', async () => {
        await store.saveScores([]);
        expect(await latest()).toEqual([]);
      });
    });

    describe('timeline', () => {
      it('pages from the newest on, ties by offset, repeats once, other accounts never', async () => {
        const when = PLAIN_TOUCH.occurredAt;
        await transport.command('SYSTEM STOP MERGES touches');
        const entries = [
          touchAt(0, { occurredAt: when + 5 }),
          touchAt(1),
          touchAt(2, { accountId: 'acme.example2' }),
          touchAt(3),
          touchAt(4, { occurredAt: when - 5 }),
          touchAt(5),
          touchAt(6, { accountId: null, contactId: 'acme.example' }),
          touchAt(7, { occurredAt: when + 9 }),
        ];
        await store.checkpoint([checkpointOf(store, entries)]);
        await store.checkpoint([checkpointOf(store, entries.slice(2))]);
        await store.checkpoint([checkpointOf(store, entries.slice(4))]);
        const all = await store.timeline('acme.example', 100);
        expect(offsetsOf(all)).toEqual([7, 0, 5, 3, 1, 4]);
        expect(all[0]).toEqual({
          id: 't7',
          offset: 7,
          contactId: null,
          kind: 'web_visit',
          occurredAt: when + 9,
          appendedAt: APPENDED_AT + 7,
          minutes: 0,
          channel: null,
          campaignId: null,
          creativeId: null,
          url: null,
          source: null,
          properties: {},
        });
        for (const limit of [1, 2, 3, 5]) {
          const pages: number[][] = [];
          let page = await store.timeline('acme.example', limit);
          while (page.length > 0) {
            pages.push(offsetsOf(page));
            page = await store.timeline('acme.example', limit, page.at(-1));
          }
          const full = Array.from({ length: Math.ceil(6 / limit) }, (_, index) =>
            [7, 0, 5, 3, 1, 4].slice(index * limit, (index + 1) * limit),
          );
          expect(pages, `pages of ${limit}`).toEqual(full);
        }
        expect(await store.timeline('nobody', 10)).toEqual([]);
      });
    });

    describe('API keys', () => {
      const key: ApiKeyRow = { id: 'k1', name: `Bo's "key"`, hash: 'ab12', scopes: ['read', 'ingest'], createdAt: 1000, revokedAt: null };

      it('are listed as saved, oldest first', async () => {
        const younger = { ...key, id: 'k0', name: 'ü', scopes: [], createdAt: 2000 };
        await store.saveApiKey(younger);
        await store.saveApiKey(key);
        expect(await store.apiKeys()).toEqual([key, younger]);
      });

      it('once revoked stay so, whatever is written later', async () => {
        await store.saveApiKey(key);
        await store.saveApiKey({ ...key, revokedAt: 5000 });
        await store.saveApiKey(key);
        expect(await store.apiKeys()).toEqual([{ ...key, revokedAt: 5000 }]);
      });
    });

    describe('statements', () => {
      it('that ClickHouse refuses are rejected with its reason, and their remains are in no other answer', async () => {
        const failing = transport.read('SELECT number, throwIf(number = 300000) FROM numbers(1000000) FORMAT JSONEachRow');
        const next = transport.read('SELECT 1 AS one FORMAT JSONEachRow');
        await expect(failing).rejects.toMatchObject({
          code: 'rejected',
          message: expect.stringContaining('FUNCTION_THROW_IF_VALUE_IS_NON_ZERO'),
        });
        expect(jsonRows(await next)).toEqual([{ one: 1 }]);
        await expect(transport.read('SELECT {x:UInt64} FORMAT CSV', { x: Number.NaN })).rejects.toMatchObject({ code: 'rejected' });
        await expect(transport.command('DROP TABLE no_such_table')).rejects.toMatchObject({ code: 'rejected', retriable: false });
      });

      it('take no more memory than they may, and say whose fault it is', async () => {
        const large = 'SELECT length(groupArray(toString(number))) AS n FROM numbers(10000000) UNION ALL SELECT 1';
        const asked = readBounded(transport, large, {}, { bytesMax: 20_000_000 });
        await expect(asked).rejects.toMatchObject({ code: 'too_large', retriable: false });
        expect(jsonRows(await readBounded(transport, 'SELECT {x:String} AS x', { x: 'one' }))).toEqual([{ x: 'one' }]);
      });

      it('of an insert that fails leave the next one alone', async () => {
        const rows = [Uint8Array.of(1, 2, 3)];
        await expect(transport.insert('touches', WHOLE_TOUCH.columns, rows)).rejects.toMatchObject({ code: 'rejected' });
        await store.checkpoint([checkpointOf(store, [touchAt(0)])]);
        expect(offsetsOf(await replayed(0, 1))).toEqual([0]);
      });

      it('may be many at once', async () => {
        await store.checkpoint([
          checkpointOf(
            store,
            Array.from({ length: 50 }, (_, offset) => touchAt(offset, { accountId: `a${offset}` })),
          ),
        ]);
        const found = await Promise.all(Array.from({ length: 50 }, (_, offset) => store.timeline(`a${offset}`, 5)));
        expect(found.map(([entry]) => entry?.offset)).toEqual(Array.from({ length: 50 }, (_, offset) => offset));
      });

      it('are answered to a ping, and end with the store', async () => {
        await expect(store.ping()).resolves.toBeUndefined();
        const underWay = transport.read('SELECT sleep(0.5) AS slept FORMAT JSONEachRow');
        await sleep(100);
        const closing = store.close();
        await expect(store.ping()).rejects.toMatchObject({ code: 'closed' });
        await closing;
        expect(jsonRows(await underWay)).toEqual([{ slept: 0 }]);
        await expect(store.apiKeys()).rejects.toMatchObject({ code: 'closed' });
      });
    });
  });
}
