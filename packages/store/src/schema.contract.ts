import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ClickHouseStore } from './click-house-store.ts';
import { jsonRows } from './json-rows.ts';
import { migrate, readMigrations } from './migrate.ts';
import type { RowTransport } from './row-transport.ts';
import {
  ACCOUNT_SCORES,
  ALERT_ACTIONS_TAKEN,
  ALERT_TRANSITIONS,
  API_KEYS,
  DEAD_LETTER_REPLAYS,
  DEAD_LETTERS,
  DELIVERIES,
  ENDPOINTS,
  FACTS,
  KPI_TARGETS,
  MIGRATIONS_APPLIED,
  POSITIONS,
} from './tables.ts';
import { WHOLE_TOUCH } from './touch-columns.ts';

/** The part of the store's contract about its tables: how they come about, and what they promise of a row written. */
export function describeSchema(name: string, open: () => Promise<RowTransport>): void {
  describe(`the schema on ${name}`, () => {
    let transport: RowTransport;
    let store: ClickHouseStore;

    beforeEach(async () => {
      transport = await open();
      store = new ClickHouseStore(transport);
      await store.migrate();
    });

    afterEach(() => store.close());

    const rowsOf = async <Row>(statement: string): Promise<Row[]> => jsonRows(await transport.read(`${statement} FORMAT JSONEachRow`));

    it('may be migrated again, which changes nothing', async () => {
      const applied = await rowsOf('SELECT * FROM schema_migrations ORDER BY number');
      await store.migrate();
      expect(await rowsOf('SELECT * FROM schema_migrations ORDER BY number')).toEqual(applied);
      expect(applied).toHaveLength(readMigrations().length);
    });

    it('goes on after a migration that died half way', async () => {
      const [migration] = readMigrations();
      const next = {
        ...migration!,
        number: 9000,
        name: '9000-more.sql',
        checksum: 'c',
        statements: ['CREATE TABLE IF NOT EXISTS more (x Int8) ENGINE = Memory', 'nonsense'],
      };
      await expect(migrate(transport, [...readMigrations(), next])).rejects.toMatchObject({ code: 'rejected' });
      await store.migrate();
      await migrate(transport, [...readMigrations(), { ...next, statements: next.statements.slice(0, 1) }]);
      await expect(store.migrate()).rejects.toMatchObject({ code: 'schema_newer', message: expect.stringContaining('9000-more.sql') });
    });

    it('refuses a migration edited after it was applied, and applies nothing then', async () => {
      const [first, ...rest] = readMigrations();
      const unseen = { ...first!, number: 9000, name: '9000-more.sql', statements: ['CREATE TABLE more (x Int8) ENGINE = Memory'] };
      await expect(migrate(transport, [{ ...first!, checksum: 'edited' }, ...rest, unseen])).rejects.toMatchObject({
        code: 'schema_edited',
      });
      expect(await rowsOf(`SELECT name FROM system.tables WHERE name = 'more' AND database = currentDatabase()`)).toEqual([]);
    });

    it('has the columns that rows are written by', async () => {
      const found = await rowsOf<{ table: string; name: string; type: string }>(
        `SELECT table, name, type FROM system.columns WHERE database = currentDatabase()`,
      );
      const typeOf = new Map(
        found.map(({ table, name, type }) => [`${table}.${name}`, /^LowCardinality\((.*)\)$/.exec(type)?.[1] ?? type]),
      );
      const written = [
        FACTS,
        DEAD_LETTERS,
        DEAD_LETTER_REPLAYS,
        ALERT_TRANSITIONS,
        ALERT_ACTIONS_TAKEN,
        POSITIONS,
        ACCOUNT_SCORES,
        API_KEYS,
        ENDPOINTS,
        DELIVERIES,
        KPI_TARGETS,
        MIGRATIONS_APPLIED,
        { name: 'touches', ...WHOLE_TOUCH },
      ];
      for (const { name: table, columns } of written) {
        for (const { name, type } of columns)
          expect([`${table}.${name}`, typeOf.get(`${table}.${name}`)]).toEqual([`${table}.${name}`, type]);
      }
    });

    it.each([
      ['touches', 'partition'],
      ['facts', 'partition'],
      ['dead_letters', 'partition'],
      ['dead_letter_replays', 'partition'],
      ['alert_transitions', 'partition'],
      ['alert_actions', 'alert_id'],
      ['positions', 'partition'],
      ['api_keys', 'name'],
      ['endpoints', 'revision'],
      // One of long ago would be gone with the next merge.
      ['deliveries', 'taken_at', 'now64(3)'],
      ['leads', 'id'],
      ['lead_firsts', 'id'],
      ['kpi_targets', 'name'],
      ['schema_migrations', 'number'],
    ])('syncs what is written to %s, and what a merge makes of it', async (table, column, value = '1') => {
      const syncs = async (work: string) => {
        const before = await syncCounts();
        await transport.command(work);
        const after = await syncCounts();
        return { files: after.FileSync > before.FileSync, directories: after.DirectorySync > before.DirectorySync };
      };
      const insert = `INSERT INTO ${table} (${column}) SETTINGS async_insert = 0 VALUES (${value})`;
      expect(await syncs(insert)).toEqual({ files: true, directories: true });
      expect(await syncs(insert)).toEqual({ files: true, directories: true });
      expect(await syncs(`OPTIMIZE TABLE ${table} FINAL`)).toEqual({ files: true, directories: true });
    });

    async function syncCounts(): Promise<{ FileSync: number; DirectorySync: number }> {
      const rows = await rowsOf<{ event: string; value: number | string }>(
        `SELECT event, value FROM system.events WHERE event IN ('FileSync', 'DirectorySync')`,
      );
      return { FileSync: 0, DirectorySync: 0, ...Object.fromEntries(rows.map(({ event, value }) => [event, Number(value)])) };
    }
  });
}
