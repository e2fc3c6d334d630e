import type { RuleState } from '@touchstone/engine';
import { jsonRows } from './json-rows.ts';
import type { RowTransport } from './row-transport.ts';
import { FAMILY } from './rule-family.ts';

/** States in a page: some megabytes. */
const STATES_A_PAGE = 20_000;

interface StateRow extends Omit<RuleState, 'lastUpAt' | 'since' | 'stage' | 'isIn' | 'isHeld'> {
  readonly isIn: number | boolean;
  readonly isHeld: number | boolean;
  readonly lastUpAt: number | string;
  readonly since: number | string;
  readonly stage: string;
}

/**
 * A step that is there twice, because a checkpoint was repeated and no merge has dropped it yet, counts once: nothing here adds rows up, and
 * steps are gathered as a set.
 */
const STATEMENT = `SELECT account_id AS accountId, rule_id AS ruleId, ${FAMILY} AS family, max(step) AS lastStep,
    argMax(episode, step) AS episode,
    argMax(direction = 'up', step) AS isIn,
    argMax(is_held, step) AS isHeld,
    argMax(toUnixTimestamp64Milli(at), step) AS since,
    argMax(stage, step) AS stage,
    maxIf(toUnixTimestamp64Milli(at), direction = 'up' AND NOT is_held) AS lastUpAt,
    toUInt32(arrayCount(held -> held > lastTold, groupUniqArrayIf(step, direction = 'up' AND is_held))) AS heldBack,
    maxIf(step, NOT is_held) AS lastTold
  FROM alert_transitions
  WHERE partition = {partition:UInt16} AND offset < {before:UInt64}
    AND account_id >= {accountId:String} AND (account_id, rule_id, ${FAMILY}) > ({accountId:String}, {ruleId:String}, {family:String})
  GROUP BY account_id, rule_id, family ORDER BY account_id, rule_id, family LIMIT {rows:UInt32}
  SETTINGS optimize_aggregation_in_order = 1 FORMAT JSONEachRow`;

/** What the transitions below an offset come to, by account, rule and its family, a page at a time. */
export async function* readRuleStates(
  transport: RowTransport,
  partition: number,
  before: number,
  pageRows = STATES_A_PAGE,
): AsyncGenerator<readonly RuleState[]> {
  let after = { accountId: '', ruleId: '', family: '' };
  for (;;) {
    const answer = await transport.read(STATEMENT, { partition, before, ...after, rows: pageRows }, { isPage: true });
    const states = jsonRows<StateRow & { readonly lastStep: number }>(answer).map(stateOf);
    if (states.length > 0) yield states;
    const last = states.at(-1);
    if (last === undefined || states.length < pageRows) return;
    after = { accountId: last.accountId, ruleId: last.ruleId, family: last.family };
  }
}

function stateOf(row: StateRow & { readonly lastStep: number }): RuleState {
  const { accountId, episode, family, heldBack, isHeld, isIn, lastStep, lastUpAt, ruleId, since, stage } = row;
  return {
    accountId,
    family,
    ruleId,
    step: lastStep,
    episode,
    isIn: Boolean(isIn),
    isHeld: Boolean(isHeld),
    lastUpAt: Number(lastUpAt) || null,
    since: Number(since),
    heldBack,
    stage: stage || null,
  };
}
