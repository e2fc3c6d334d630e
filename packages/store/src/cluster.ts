/**
 * ClickHouse on several servers: every server of the cluster holds every row, so that any of them can be asked, and the state outlives the loss
 * of fewer than half of them.
 *
 * An insert is acknowledged when more than half of the replicas have it, and a read of state is answered only by a replica that has all that
 * was acknowledged: one that lags would otherwise hide stored touches behind a stored position, and a ledger restored from it would miss them
 * for good. ClickHouse promises this for one insert at a time into a table, so inserts that meet another are sent again after a moment.
 */

/** Of a cluster as ClickHouse's configuration names it, or the macro that does. */
export const CLUSTER_NAME = /^(?:[\w.-]{1,64}|\{[\w.-]{1,64}\})$/;

/** What a schema statement begins with, up to the name of what it makes or changes. */
const SCHEMA_STATEMENT =
  /^\s*(?:CREATE (?:TABLE|MATERIALIZED VIEW|VIEW|DATABASE) IF NOT EXISTS|ALTER TABLE|DROP (?:TABLE|VIEW) IF EXISTS|TRUNCATE TABLE IF EXISTS)\s+(?:`(?:[^`\\]|\\.)+`|[\w.]+|\{\w+:Identifier\})/i;

/** Fills a table from another. It runs once, on whichever server is asked: replicas of the table get its rows as they get any others. */
const FILL = /^\s*INSERT INTO \w+\s+SELECT\s/i;

const ENGINE = /\{replicated\}(\w*MergeTree)(?:\(([^)]*)\))?/g;

/**
 * A replica is found by the name of its table, not by the table's UUID, so that a server that joins later, or was made anew, takes part with the
 * same statement: its operator copies that from SHOW CREATE TABLE of another, since migrations are not run again. No shard in the path: servers
 * that a cluster's definition puts into different shards are replicas to us too.
 */
const REPLICA = "'/clickhouse/tables/touchstone/{database}/{table}', '{replica}'";

/**
 * A statement of a migration as it is run on one server, or on every server of a cluster.
 * @throws TypeError when it names a place that nothing fills, or is of a kind that can not be run on a cluster
 */
export function schemaStatement(statement: string, cluster: string | undefined): string {
  if (FILL.test(statement)) return checked(statement);
  if (cluster === undefined) return checked(statement.replaceAll('{replicated}', ''));
  const onCluster = statement.replace(SCHEMA_STATEMENT, `$& ON CLUSTER '${cluster}'`);
  if (onCluster === statement) throw new TypeError(`A schema statement that can not be run on a cluster: ${statement.trim().slice(0, 80)}`);
  return checked(onCluster.replaceAll(ENGINE, (_, engine: string, version?: string) => replicatedEngine(engine, version)));
}

function replicatedEngine(engine: string, version = ''): string {
  return `Replicated${engine}(${[REPLICA, version].filter((part) => part !== '').join(', ')})`;
}

/** Macros of the server stand in quotes and places of bound values have a type; what is left is a slip. */
function checked(statement: string): string {
  const unfilled = /\{\w+\}/.exec(statement.replaceAll(/'[^']*'/g, ''));
  if (unfilled !== null) throw new TypeError(`A migration names the place ${unfilled[0]}, which nothing fills`);
  return statement;
}

/** Tables whose rows can be made anew from those of the others: they need no quorum, which inserts into one table wait for in turn. */
const DERIVED_TABLES: ReadonlySet<string> = new Set(['account_scores']);

/** Settings of an insert whose answer is awaited for so long. */
export function clusterInsertSettings(table: string, timeoutMs: number): Record<string, string | number> {
  if (DERIVED_TABLES.has(table)) return {};
  return {
    insert_quorum: 'auto',
    // Without this a read can not tell whether its replica has everything: parallel inserts may each be on other replicas.
    insert_quorum_parallel: 0,
    // The server gives up before we do, so that its reason is heard.
    insert_quorum_timeout: Math.ceil(timeoutMs * 0.8),
  };
}

export const CLUSTER_READ_SETTINGS = { select_sequential_consistency: 1 } as const;

/** A schema statement ends when every server has run it; one that is down runs it when it is back, and the caller repeats until then. */
export function clusterCommandSettings(timeoutMs: number): Record<string, number> {
  return { distributed_ddl_task_timeout: Math.max(1, Math.floor((timeoutMs * 0.8) / 1000)) };
}
