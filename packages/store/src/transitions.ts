import type { Alert, Transition } from '@touchstone/engine';
import { jsonRows } from './json-rows.ts';
import type { RowTransport } from './row-transport.ts';

/** Of a kilobyte or two each. */
const TRANSITIONS_A_PAGE = 2000;

const PLACE = 'offset, at, account_id, rule_id, step';

const STATEMENT = `SELECT offset, step, is_held AS isHeld, body FROM alert_transitions
  WHERE partition = {partition:UInt16} AND offset >= {from:UInt64} AND offset < {before:UInt64}
    AND (${PLACE}) > ({offset:UInt64}, fromUnixTimestamp64Milli({at:Int64}, 'UTC'), {accountId:String}, {ruleId:String}, {step:UInt32})
  ORDER BY ${PLACE} LIMIT 1 BY ${PLACE} LIMIT {rows:UInt32} FORMAT JSONEachRow`;

interface Wanted {
  readonly partition: number;
  readonly from: number;
  readonly before: number;
}

/** The transitions of a range of offsets, a page at a time. */
export async function* readTransitions(
  transport: RowTransport,
  { before, from, partition }: Wanted,
  pageRows = TRANSITIONS_A_PAGE,
): AsyncGenerator<readonly Transition[]> {
  let after = { offset: from, at: 0, accountId: '', ruleId: '', step: 0 };
  for (;;) {
    const answer = await transport.read(STATEMENT, { partition, from, before, ...after, rows: pageRows }, { isPage: true });
    const rows = jsonRows<{ offset: number | string; step: number; isHeld: number | boolean; body: string }>(answer);
    const transitions = rows.map(({ body, isHeld, offset, step }): Transition => {
      return { step, offset: Number(offset), isHeld: Boolean(isHeld), alert: JSON.parse(body) as Alert };
    });
    if (transitions.length > 0) yield transitions;
    const last = transitions.at(-1);
    if (last === undefined || transitions.length < pageRows) return;
    const { accountId, at, ruleId } = last.alert;
    after = { offset: last.offset, at, accountId, ruleId, step: last.step };
  }
}
