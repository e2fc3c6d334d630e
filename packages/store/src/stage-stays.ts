import { jsonRows } from './json-rows.ts';
import { opportunityStays } from './opportunities/opportunity-stays.ts';
import { BoundValues } from './opportunities/opportunity-scope.ts';
import type { RowTransport } from './row-transport.ts';
import type { JourneyDimension, StageFigures, StageQuery, StalledPage, StalledStay } from './store.ts';

/**
 * Stays of accounts in stages, as their stored steps were known then: each begins with a step into the stage and ends with the account's next
 * step, if there is one. A step that is there twice, because a checkpoint was repeated, counts once.
 */
function accountStays(until: number, bound: BoundValues): string {
  return `SELECT toString(stage) AS stage, account_id AS id, account_id AS accountId, toUnixTimestamp64Milli(at) AS enteredAt,
      toUnixTimestamp64Milli(leadInFrame(at) OVER steps) AS leftAt, leadInFrame(toString(direction)) OVER steps AS leftBy, step
    FROM
      (SELECT partition, account_id, step, at, stage, direction FROM alert_transitions
       WHERE rule_id = 'stages' AND NOT is_held AND at < ${bound.instant(until)}
       LIMIT 1 BY partition, account_id, step)
    WINDOW steps AS (PARTITION BY account_id ORDER BY step ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING)`;
}

const STAYS = { accounts: accountStays, opportunities: opportunityStays };

/** What stays are compared by, as the account and the opportunity are now. */
const GROUPS: Readonly<Record<JourneyDimension, string>> = {
  tier: 'account.tier',
  industry: 'account.industry',
  targetList: "if(account.target_list, 'true', 'false')",
  owner: 'account.owner',
  source: 'opportunity.source',
};
const OWNER_OF_OPPORTUNITY = "if(opportunity.owner = '', account.owner, opportunity.owner)";

/** The stays of a journey that meet the filters, with the `group` they are compared by; '' for everything. */
function staysOf({ by = null, filters = {}, journey = 'accounts', until }: StageQuery, bound: BoundValues): string {
  const ofOpportunities = journey === 'opportunities';
  const expressions = { ...GROUPS, ...(ofOpportunities && { owner: OWNER_OF_OPPORTUNITY }) };
  const asked = Object.entries(filters) as [JourneyDimension, readonly string[]][];
  const conditions = asked.map(([dimension, values]) => `${expressions[dimension]} IN ${bound.list(values)}`);
  const isPlain = by === null && asked.length === 0;
  return `SELECT stay.stage AS stage, stay.id AS id, stay.accountId AS accountId, stay.enteredAt AS enteredAt, stay.leftAt AS leftAt, stay.leftBy AS leftBy,
      stay.step AS step, ${by === null ? "''" : `toString(${expressions[by]})`} AS group
    FROM (${STAYS[journey](until, bound)}) AS stay
    ${isPlain ? '' : 'LEFT ANY JOIN (SELECT * FROM accounts FINAL) AS account ON stay.accountId = account.id'}
    ${isPlain || !ofOpportunities ? '' : 'LEFT ANY JOIN (SELECT id, source, owner FROM opportunities FINAL) AS opportunity ON stay.id = opportunity.id'}
    WHERE ${["stay.stage != ''", ...conditions].join(' AND ')}`;
}

interface Row {
  readonly group: string;
  readonly stage: string;
  readonly hours: number | string;
  readonly leftBy: string;
  readonly stays: number | string;
  readonly steps: number | string;
  readonly balanceAtStart: number | string;
  readonly stalled: number | string;
  readonly left: number | string;
  readonly leftMs: number | string;
}

/**
 * Of every stage that something was in before `until`. Stays that began in the period come by their length in whole hours: a bounded number of rows. Opportunities have no
 * stages in an order that is told: it is that of how-many-eth stay a stage is on average.
 */
export async function readStageFigures(transport: RowTransport, query: StageQuery): Promise<StageFigures[]> {
  const bound = new BoundValues();
  const [since, until, stalledSince] = [query.since, query.until, query.stalledSince].map((instant) => bound.integer(instant));
  const answer = await transport.read(
    `SELECT group, stage, leftBy, if(enteredAt < ${since}, -1, intDiv(if(leftBy = '', ${until}, leftAt) - enteredAt, 3600000)) AS hours,
       count() AS stays, sum(step) AS steps, countIf(enteredAt < ${since} AND (leftBy = '' OR leftAt >= ${since})) AS balanceAtStart,
       countIf(leftBy = '' AND enteredAt <= ${stalledSince}) AS stalled, countIf(leftBy != '' AND leftAt >= ${since}) AS left,
       sumIf(leftAt - enteredAt, leftBy != '' AND leftAt >= ${since}) AS leftMs
     FROM (${staysOf(query, bound)}) GROUP BY group, stage, leftBy, hours ORDER BY group, stage, hours, leftBy FORMAT JSONEachRow`,
    bound.params,
    { mayLag: true },
  );
  const all = jsonRows<Row>(answer);
  const placeOf = stagePlaces(all);
  const byStage = Map.groupBy(all, ({ group, stage }) => JSON.stringify([group, stage]));
  return [...byStage.values()].map((rows) => {
    const { group, stage } = rows[0]!;
    const ended = rows.filter(({ leftBy }) => leftBy !== '');
    const began = rows.filter(({ hours }) => Number(hours) >= 0);
    return {
      group,
      stage,
      place: placeOf.get(stage)!,
      balance: total(rows, 'stays') - total(ended, 'stays'),
      balanceAtStart: total(rows, 'balanceAtStart'),
      entered: total(began, 'stays'),
      left: total(rows, 'left'),
      leftMs: total(rows, 'leftMs'),
      advanced: total(
        began.filter(({ leftBy }) => isAdvance(leftBy, stage, placeOf)),
        'stays',
      ),
      stalled: total(rows, 'stalled'),
      stays: [...Map.groupBy(began, ({ hours }) => Number(hours))].map(([hours, some]) => {
        const open = some.filter(({ leftBy }) => leftBy === '');
        return { hours, ended: total(some, 'stays') - total(open, 'stays'), open: total(open, 'stays') };
      }),
    };
  });
}

function total(rows: readonly Row[], column: 'stays' | 'steps' | 'balanceAtStart' | 'stalled' | 'left' | 'leftMs'): number {
  return rows.reduce((sum, row) => sum + Number(row[column]), 0);
}

/** The how-many-eth stay each stage is, on average. */
function stagePlaces(rows: readonly Row[]): ReadonlyMap<string, number> {
  return new Map([...Map.groupBy(rows, ({ stage }) => stage)].map(([stage, some]) => [stage, total(some, 'steps') / total(some, 'stays')]));
}

/** Whether a stay that ended so led to a later stage. */
function isAdvance(leftBy: string, stage: string, placeOf: ReadonlyMap<string, number>): boolean {
  if (leftBy === 'up' || leftBy === 'won') return true;
  return leftBy.startsWith(':') && (placeOf.get(leftBy.slice(1)) ?? 0) > placeOf.get(stage)!;
}

/** Of each stage what has been in it longest, and longer than since `stalledSince`, at most so many a stage. */
export async function findStalled(transport: RowTransport, query: StageQuery, most: number): Promise<StalledStay[]> {
  const bound = new BoundValues();
  return readStalled(transport, query, bound, `ORDER BY stage, enteredAt, id LIMIT ${bound.integer(most)} BY stage`);
}

/** A page of what has been in a stage longer than since `stalledSince`, the longest first. */
export async function listStalled(transport: RowTransport, query: StageQuery & StalledPage): Promise<StalledStay[]> {
  const bound = new BoundValues();
  const { after, limit, stage } = query;
  const conditions = [];
  if (stage !== undefined) conditions.push(`stage = ${bound.text(stage)}`);
  if (after !== undefined) conditions.push(`(enteredAt, id) > (${bound.integer(after.since)}, ${bound.text(after.id)})`);
  const more = conditions.map((condition) => `AND ${condition}`).join(' ');
  return readStalled(transport, query, bound, `${more} ORDER BY enteredAt, id LIMIT ${bound.integer(limit)}`);
}

async function readStalled(transport: RowTransport, query: StageQuery, bound: BoundValues, rest: string): Promise<StalledStay[]> {
  const answer = await transport.read(
    `SELECT stage, id, accountId, enteredAt FROM (${staysOf(query, bound)})
     WHERE leftBy = '' AND enteredAt <= ${bound.integer(query.stalledSince)} ${rest} FORMAT JSONEachRow`,
    bound.params,
    { mayLag: true },
  );
  return jsonRows<{ stage: string; id: string; accountId: string; enteredAt: number | string }>(answer).map(({ enteredAt, ...row }) => ({
    ...row,
    since: Number(enteredAt),
  }));
}
