import type { Alert } from '@touchstone/engine';
import { jsonRows } from './json-rows.ts';
import type { RowTransport } from './row-transport.ts';
import { FAMILY } from './rule-family.ts';

/** Some megabytes. */
const CROSSINGS_A_PAGE = 20_000;

/** A step that a checkpoint wrote twice is left out once; the body, which is long, is read of the rule's own rows alone. */
const STATEMENT = `SELECT account_id AS accountId, step, direction, toUnixTimestamp64Milli(at) AS at, JSONExtractUInt(body, 'version') AS version
  FROM alert_transitions
  WHERE partition = {partition:UInt16} AND rule_id = {ruleId:String} AND ${FAMILY} = 'threshold' AND NOT is_held
    AND account_id >= {accountId:String} AND (account_id, step) > ({accountId:String}, {step:UInt32})
  ORDER BY account_id, step LIMIT 1 BY account_id, step LIMIT {rows:UInt32} FORMAT JSONEachRow`;

/** An account's crossing of a threshold. */
export type StoredCrossing = Pick<Alert, 'accountId' | 'direction' | 'at' | 'version'>;

interface CrossingRow extends Pick<Alert, 'accountId' | 'direction'> {
  readonly step: number;
  readonly at: number | string;
  readonly version: number | string;
}

/** The alerts of a threshold that were told in a partition, by account and in their order, a page at a time. */
export async function* readCrossings(
  transport: RowTransport,
  partition: number,
  ruleId: string,
  pageRows = CROSSINGS_A_PAGE,
): AsyncGenerator<readonly StoredCrossing[]> {
  let after = { accountId: '', step: 0 };
  for (;;) {
    const answer = await transport.read(STATEMENT, { partition, ruleId, ...after, rows: pageRows }, { isPage: true });
    const rows = jsonRows<CrossingRow>(answer);
    if (rows.length > 0) {
      yield rows.map(({ accountId, at, direction, version }) => ({ accountId, direction, at: Number(at), version: Number(version) }));
    }
    const last = rows.at(-1);
    if (last === undefined || rows.length < pageRows) return;
    after = { accountId: last.accountId, step: last.step };
  }
}
