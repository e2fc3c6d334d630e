import { jsonRows } from './json-rows.ts';
import type { RowTransport } from './row-transport.ts';
import type { ShownScores } from './store.ts';

interface ShownRow {
  readonly isAfter: number;
  readonly asOf: number | string;
  readonly modelVersion: string;
}

const ONE = `toUnixTimestamp64Milli(as_of) AS asOf, model_version AS modelVersion FROM score_history FINAL WHERE account_id = {accountId:String}`;
const AT = `fromUnixTimestamp64Milli({at:Int64}, 'UTC')`;

/** The kept scores of an account on both sides of an instant. A score's hour is that of its instant, so the hours on either side tell where to look. */
export async function readShownScores(transport: RowTransport, accountId: string, at: number): Promise<ShownScores> {
  const answer = await transport.read(
    `SELECT * FROM (SELECT 0 AS isAfter, ${ONE} AND hour <= ${AT} AND as_of <= ${AT} ORDER BY hour DESC LIMIT 1)
     UNION ALL
     SELECT * FROM (SELECT 1 AS isAfter, ${ONE} AND hour >= toStartOfHour(${AT}, 'UTC') AND as_of > ${AT} ORDER BY hour LIMIT 1)
     FORMAT JSONEachRow`,
    { accountId, at },
    { mayLag: true },
  );
  const rows = jsonRows<ShownRow>(answer).map(({ asOf, ...row }) => ({ ...row, asOf: Number(asOf) }));
  const of = (isAfter: number) => {
    const row = rows.find((one) => one.isAfter === isAfter);
    return row === undefined ? null : { asOf: row.asOf, modelVersion: row.modelVersion };
  };
  return { before: of(0), after: of(1) };
}
