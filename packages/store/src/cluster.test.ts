import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ChdbTransport } from './chdb-transport.ts';
import { CLUSTER_NAME, CLUSTER_READ_SETTINGS, clusterCommandSettings, clusterInsertSettings, schemaStatement } from './cluster.ts';
import { jsonRows } from './json-rows.ts';
import { readMigrations } from './migrate.ts';

const REPLICA = "'/clickhouse/tables/touchstone/{database}/{table}', '{replica}'";
const root = mkdtempSync(join(tmpdir(), 'touchstone-cluster-'));
let transport: ChdbTransport;

beforeAll(async () => {
  transport = await ChdbTransport.open(root);
});

afterAll(async () => {
  await transport.close();
  rmSync(root, { recursive: true });
});

describe('a schema statement on a cluster', () => {
  it.each([
    ['CREATE TABLE IF NOT EXISTS t (x Int8)', "CREATE TABLE IF NOT EXISTS t ON CLUSTER 'c' (x Int8)"],
    ['\ncreate table if not exists `a b`\n(x Int8)', "\ncreate table if not exists `a b` ON CLUSTER 'c'\n(x Int8)"],
    [
      'CREATE MATERIALIZED VIEW IF NOT EXISTS v TO t AS SELECT 1',
      "CREATE MATERIALIZED VIEW IF NOT EXISTS v ON CLUSTER 'c' TO t AS SELECT 1",
    ],
    ['CREATE DATABASE IF NOT EXISTS {database:Identifier}', "CREATE DATABASE IF NOT EXISTS {database:Identifier} ON CLUSTER 'c'"],
    ['ALTER TABLE t ADD COLUMN IF NOT EXISTS y Int8', "ALTER TABLE t ON CLUSTER 'c' ADD COLUMN IF NOT EXISTS y Int8"],
    ['DROP TABLE IF EXISTS t', "DROP TABLE IF EXISTS t ON CLUSTER 'c'"],
    [
      'CREATE TABLE IF NOT EXISTS t (x Int8) ENGINE = {replicated}ReplacingMergeTree ORDER BY x',
      `CREATE TABLE IF NOT EXISTS t ON CLUSTER 'c' (x Int8) ENGINE = ReplicatedReplacingMergeTree(${REPLICA}) ORDER BY x`,
    ],
    [
      'CREATE TABLE IF NOT EXISTS t (x Int8) ENGINE = {replicated}ReplacingMergeTree(x)\nORDER BY x',
      `CREATE TABLE IF NOT EXISTS t ON CLUSTER 'c' (x Int8) ENGINE = ReplicatedReplacingMergeTree(${REPLICA}, x)\nORDER BY x`,
    ],
  ])('%s', (statement, expected) => {
    expect(schemaStatement(statement, 'c')).toBe(expected);
  });

  it('that fills a table is run once, as it is: replicas get the rows from each other', () => {
    expect(schemaStatement('\nINSERT INTO t\nSELECT x FROM s', 'c')).toBe('\nINSERT INTO t\nSELECT x FROM s');
  });

  it.each(['INSERT INTO t VALUES (1)', 'CREATE TABLE t (x Int8)', 'SYSTEM STOP MERGES'])('%s can not be one', (statement) => {
    expect(() => schemaStatement(statement, 'c')).toThrow('can not be run on a cluster');
  });

  it('on one server stays as it is, without the places', () => {
    expect(schemaStatement('CREATE TABLE t (x Int8) ENGINE = {replicated}MergeTree', undefined)).toBe(
      'CREATE TABLE t (x Int8) ENGINE = MergeTree',
    );
  });

  it.each([undefined, 'c'])('that names a place which nothing fills is a slip (cluster %s)', (cluster) => {
    expect(() => schemaStatement('CREATE TABLE IF NOT EXISTS t (x Int8) {nothing}', cluster)).toThrow('{nothing}');
  });
});

const FILLS = /^\s*INSERT INTO/;
const all = readMigrations().flatMap(({ name, statements }) => statements.map((statement): [string, string] => [name, statement]));
const statements = all.filter(([, statement]) => !FILLS.test(statement));

it.each(statements)('a statement of %s is one that ClickHouse reads, and makes replicated tables: %s', async (_, statement) => {
  const onCluster = schemaStatement(statement, 'my-cluster');
  expect(onCluster).toContain(" ON CLUSTER 'my-cluster'");
  const text = await transport.read(`SELECT formatQuery({onCluster:String}) AS text FORMAT JSONEachRow`, { onCluster });
  const [row] = jsonRows<{ text: string }>(text);
  expect(row?.text).toMatch(/ON CLUSTER [`']my-cluster[`']/);
  if (/CREATE TABLE/.test(statement)) {
    // Rows that are written again replace themselves, or are the same least value: nothing else may be repeated.
    expect(row?.text).toMatch(/ENGINE = Replicated(?:Replacing|Aggregating)MergeTree\(/);
    expect(row?.text).toContain(REPLICA);
    // A version column that is lost would let an older row win.
    const version = /\{replicated\}ReplacingMergeTree\((\w+)\)/.exec(statement)?.[1];
    expect(row?.text).toContain(version === undefined ? "'{replica}')" : `'{replica}', ${version})`);
  }
});

describe('settings of a cluster', () => {
  it('are ones that ClickHouse has and takes', async () => {
    const settings = {
      ...clusterInsertSettings('touches', 10_000),
      ...CLUSTER_READ_SETTINGS,
      ...clusterCommandSettings(30_000),
      insert_deduplication_token: 'x',
      max_execution_time: 1,
      timeout_before_checking_execution_speed: 0,
    };
    const pairs = Object.entries(settings).map(([name, value]) => `${name} = '${value}'`);
    const answer = await transport.read(`SELECT 1 AS one SETTINGS ${pairs.join(', ')} FORMAT JSONEachRow`);
    expect(jsonRows(answer)).toEqual([{ one: 1 }]);
  });

  it('let inserts of state wait for more than half of the replicas, one at a time, and give up before we do', () => {
    expect(clusterInsertSettings('positions', 10_000)).toEqual({
      insert_quorum: 'auto',
      insert_quorum_parallel: 0,
      insert_quorum_timeout: 8000,
    });
    expect(clusterInsertSettings('account_scores', 10_000)).toEqual({});
    expect(clusterCommandSettings(30_000)).toEqual({ distributed_ddl_task_timeout: 24 });
  });
});

it.each([
  ['main', true],
  ['eu-west.1', true],
  ['{cluster}', true],
  ["it's", false],
  ['{a b}', false],
  ['', false],
])('%s as the name of a cluster: %s', (name, expected) => {
  expect(CLUSTER_NAME.test(name)).toBe(expected);
});
