import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { schemaStatement } from './cluster.ts';
import { jsonRows } from './json-rows.ts';
import type { RowTransport } from './row-transport.ts';
import { StoreError } from './store-error.ts';
import { encodeRows, MIGRATIONS_APPLIED } from './tables.ts';

/**
 * One file of migrations/: statements in order, each of which may run again: a process can die between a statement and its record, and two
 * that start at once run the same ones.
 */
export interface Migration {
  readonly number: number;
  readonly name: string;
  /** SHA-256 of the file as it is, hex. */
  readonly checksum: string;
  readonly statements: readonly string[];
}

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
        .filter((statement) => statement.trim() !== ''),
    };
  });
}

/**
 * Applies what is new, in order. Processes may do so at the same time.
 * @throws StoreError `schema_newer` when the database has migrations that are not among the given, `schema_edited` when one that is applied
 *   has another text now; both before anything is changed. `refused` in place of `denied`: at the start the settings are to blame, and whoever
 *   set them should hear it at once
 */
export async function migrate(transport: RowTransport, migrations: readonly Migration[]): Promise<void> {
  try {
    await transport.prepare();
    // A user that may not make tables can still find that there is nothing to do.
    const records = await transport.read(
      `SELECT name FROM system.tables WHERE database = currentDatabase() AND name = 'schema_migrations' FORMAT JSONEachRow`,
    );
    if (records.length === 0) await transport.command(schemaStatement(RECORD_TABLE, transport.cluster));
    for (const migration of await missingOf(transport, migrations)) await apply(transport, migration, migrations);
  } catch (error) {
    if (!(error instanceof StoreError) || error.code !== 'denied') throw error;
    throw new StoreError('refused', error.message, { cause: error.cause });
  }
}

/** Those that are not applied. */
async function missingOf(transport: RowTransport, migrations: readonly Migration[]): Promise<Migration[]> {
  const answer = await transport.read('SELECT number, name, checksum FROM schema_migrations FINAL FORMAT JSONEachRow');
  const applied = new Map(jsonRows<{ number: number; name: string; checksum: string }>(answer).map((row) => [row.number, row]));
  const known = new Set(migrations.map(({ number }) => number));
  for (const { number, name } of applied.values()) {
    if (!known.has(number)) throw new StoreError('schema_newer', `The database has migration ${name}, which this version does not know`);
  }
  return migrations.filter(({ number, name, checksum }) => {
    const before = applied.get(number);
    if (before !== undefined && before.checksum !== checksum) {
      throw new StoreError('schema_edited', `Migration ${name} was edited after it was applied; put a change into a new migration`);
    }
    return before === undefined;
  });
}

async function apply(transport: RowTransport, migration: Migration, migrations: readonly Migration[]): Promise<void> {
  try {
    for (const statement of migration.statements) await transport.command(schemaStatement(statement, transport.cluster));
  } catch (cause) {
    // Another process may have been faster, and a statement that may run again still fail while the same one runs.
    const missing = await missingOf(transport, migrations).catch(() => [migration]);
    if (missing.some(({ number }) => number === migration.number)) throw cause;
    return;
  }
  await transport.insert(MIGRATIONS_APPLIED.name, MIGRATIONS_APPLIED.columns, [encodeRows(MIGRATIONS_APPLIED, [migration])]);
}
