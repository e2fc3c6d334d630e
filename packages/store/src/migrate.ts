import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { encodeRows, MIGRATIONS_APPLIED } from './tables.ts';
import { jsonRows } from './json-rows.ts';
import type { RowTransport } from './row-transport.ts';
import { StoreError } from './store.ts';

/** One file of migrations/: statements in order, each of which may run again, since a process can die between a statement and its record. */
export interface Migration {
  readonly number: number;
  readonly name: string;
  /** SHA-256 of the file as it is, hex. */
  readonly checksum: string;
  readonly statements: readonly string[];
}

/** What a statement's `{place}`s stand for. A cluster would give its tables the Replicated family of engines. */
const PLACES: Readonly<Record<string, string>> = { replicated: '' };

const RECORD_TABLE = `CREATE TABLE IF NOT EXISTS schema_migrations
  (number UInt32, name String, checksum String, applied_at DateTime64(3, 'UTC') DEFAULT now64(3))
  ENGINE = {replicated}ReplacingMergeTree ORDER BY number
  SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1`;

export function readMigrations(folder: URL = new URL('../migrations/', import.meta.url)): Migration[] {
  const files = readdirSync(folder).filter((name) => /^\d{4}-.*\.sql$/.test(name));
  return files.sort().map((name) => {
    const text = readFileSync(new URL(name, folder), 'utf8');
    return {
      number: Number(name.slice(0, 4)),
      name,
      checksum: createHash('sha256').update(text).digest('hex'),
      statements: text
        .replaceAll(/^\s*--.*$/gm, '')
        .split(/;\s*$/m)
        .filter((statement) => statement.trim() !== '')
        .map(fillPlaces),
    };
  });
}

/**
 * Applies what is new, in order.
 * @throws StoreError `schema_newer` when the database has migrations that are not among the given, `schema_edited` when one that is applied
 *   has another text now; both before anything is changed
 */
export async function migrate(transport: RowTransport, migrations: readonly Migration[]): Promise<void> {
  await transport.prepare();
  // A user that may not make tables can still find that there is nothing to do.
  const records = await transport.read(
    `SELECT name FROM system.tables WHERE database = currentDatabase() AND name = 'schema_migrations' FORMAT JSONEachRow`,
  );
  if (records.length === 0) await transport.command(fillPlaces(RECORD_TABLE));
  const answer = await transport.read('SELECT number, name, checksum FROM schema_migrations FINAL FORMAT JSONEachRow');
  const applied = new Map(jsonRows<{ number: number; name: string; checksum: string }>(answer).map((row) => [row.number, row]));
  const known = new Set(migrations.map(({ number }) => number));
  for (const { number, name } of applied.values()) {
    if (!known.has(number)) throw new StoreError('schema_newer', `The database has migration ${name}, which this version does not know`);
  }
  const missing = migrations.filter(({ number, name, checksum }) => {
    const before = applied.get(number);
    if (before !== undefined && before.checksum !== checksum) {
      throw new StoreError('schema_edited', `Migration ${name} was edited after it was applied; put a change into a new migration`);
    }
    return before === undefined;
  });
  for (const migration of missing) {
    for (const statement of migration.statements) await transport.command(statement);
    await transport.insert(MIGRATIONS_APPLIED.name, MIGRATIONS_APPLIED.columns, [encodeRows(MIGRATIONS_APPLIED, [migration])]);
  }
}

function fillPlaces(statement: string): string {
  return statement.replaceAll(/\{(\w+)\}/g, (_, place: string) => {
    const value = PLACES[place];
    if (value === undefined) throw new TypeError(`A migration names the place {${place}}, which nothing fills`);
    return value;
  });
}
