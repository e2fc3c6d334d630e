import { jsonRows } from './json-rows.ts';
import type { RowTransport } from './row-transport.ts';
import type { StageFigures, StageQuery, StalledAccount } from './store.ts';

/**
 * Stays of accounts in stages, as their stored steps were known then: each begins with a step into the stage and ends with the account's next
 * step, if there is one. A step that is there twice, because a checkpoint was repeated, counts once.
 */
const STAYS = `SELECT stage, account_id AS accountId, toUnixTimestamp64Milli(at) AS enteredAt,
    toUnixTimestamp64Milli(leadInFrame(at) OVER steps) AS leftAt, leadInFrame(toString(direction)) OVER steps AS leftBy
  FROM
    (SELECT partition, account_id, step, at, stage, direction FROM alert_transitions
     WHERE rule_id = 'stages' AND NOT is_held AND at < fromUnixTimestamp64Milli({until:Int64}, 'UTC')
     LIMIT 1 BY partition, account_id, step)
  WINDOW steps AS (PARTITION BY account_id ORDER BY step ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING)`;

interface Row {
  readonly stage: string;
  readonly hours: number | string;
  readonly stays: number | string;
  readonly balance: number | string;
  readonly stalled: number | string;
  readonly left: number | string;
  readonly leftMs: number | string;
  readonly advanced: number | string;
  readonly ended: number | string;
}

/** Of every stage that an account was in before `until`. Stays that began in the period come by their length in whole hours: a bounded number of rows. */
export async function readStageFigures(transport: RowTransport, { since, stalledSince, until }: StageQuery): Promise<StageFigures[]> {
  const answer = await transport.read(
    `SELECT stage, if(enteredAt < {since:Int64}, -1, intDiv(if(leftBy = '', {until:Int64}, leftAt) - enteredAt, 3600000)) AS hours,
       count() AS stays, countIf(leftBy = '') AS balance, countIf(leftBy = '' AND enteredAt <= {stalledSince:Int64}) AS stalled,
       countIf(leftBy != '' AND leftAt >= {since:Int64}) AS left,
       sumIf(leftAt - enteredAt, leftBy != '' AND leftAt >= {since:Int64}) AS leftMs,
       countIf(leftBy = 'up') AS advanced, countIf(leftBy != '') AS ended
     FROM (${STAYS}) WHERE stage != '' GROUP BY stage, hours ORDER BY stage, hours FORMAT JSONEachRow`,
    { since, until, stalledSince },
    { mayLag: true },
  );
  const byStage = new Map<string, Row[]>();
  for (const row of jsonRows<Row>(answer)) byStage.set(row.stage, [...(byStage.get(row.stage) ?? []), row]);
  return [...byStage].map(([stage, rows]) => {
    const sum = (of: (row: Row) => number | string, some = rows): number => some.reduce((total, row) => total + Number(of(row)), 0);
    const began = rows.filter(({ hours }) => Number(hours) >= 0);
    return {
      stage,
      balance: sum((row) => row.balance),
      entered: sum((row) => row.stays, began),
      left: sum((row) => row.left),
      leftMs: sum((row) => row.leftMs),
      advanced: sum((row) => row.advanced, began),
      stalled: sum((row) => row.stalled),
      stays: began.map((row) => ({ hours: Number(row.hours), ended: Number(row.ended), open: Number(row.stays) - Number(row.ended) })),
    };
  });
}

/** Of each stage the accounts that have been in it longest, and longer than since `stalledSince`. */
export async function findStalled(transport: RowTransport, { stalledSince, until }: StageQuery, most: number): Promise<StalledAccount[]> {
  const answer = await transport.read(
    `SELECT stage, accountId, enteredAt FROM (${STAYS}) WHERE stage != '' AND leftBy = '' AND enteredAt <= {stalledSince:Int64}
     ORDER BY stage, enteredAt, accountId LIMIT {most:UInt32} BY stage FORMAT JSONEachRow`,
    { until, stalledSince, most },
    { mayLag: true },
  );
  return jsonRows<{ stage: string; accountId: string; enteredAt: number | string }>(answer).map(({ accountId, enteredAt, stage }) => ({
    stage,
    accountId,
    since: Number(enteredAt),
  }));
}
