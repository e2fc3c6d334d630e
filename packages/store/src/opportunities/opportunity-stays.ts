import { jsonRows } from '../json-rows.ts';
import type { RowTransport } from '../row-transport.ts';
import { BoundValues, opportunityRows, type OpportunityScope } from './opportunity-scope.ts';

/**
 * Stays of opportunities in their stages, from all versions of each by `updatedAt`: versions in a row with one stage are one stay. It begins with the first of
 * them, the first stay of all with the opportunity's creation, and ends with the next stay or the close. Creation and close are as `OPPORTUNITIES` has them: what the newest
 * version that says them says stands, and a correction moves both. An opportunity that is closed is in no stage; one that was opened again is in one again.
 *
 * Columns: `stage, id, accountId, enteredAt, leftAt, leftBy, step`. `leftBy` is '' for a stay that goes on, 'won' or 'lost' for one that the close ended, else ':' and the
 * next stage; `step` is the how-many-eth of its opportunity it is.
 */
export function opportunityStays(until: number, bound: BoundValues): string {
  const version = `(rank, if(outcome = '', concat(':', stage), ''), toString(outcome), toUnixTimestamp64Milli(updated_at),
    toUnixTimestamp64Milli(created_at), account_id, toUnixTimestamp64Milli(closed_at))`;
  return `SELECT substring(run.1, 2) AS stage, id, accountId, run.2 AS enteredAt, next.2 AS leftAt,
      if(next.2 = 0, '', if(next.1 = '', next.3, next.1)) AS leftBy, step
    FROM
      (SELECT id, versions[-1].6 AS accountId,
         arraySplit((version, isOther) -> isOther, versions, arrayMap((version, before) -> version.2 != before.2, versions, arrayPushFront(arrayPopBack(versions), versions[1]))) AS split,
         arrayLast(version -> version.5 != 0, versions).5 AS saidAt, if(saidAt = 0, versions[1].4, saidAt) AS createdAt,
         -- An opportunity is made before anything is known of it; a close that none of its versions tells is with the first of them.
         arrayMap((versions, index) -> multiIf(
             versions[1].2 = '' AND arrayExists(version -> version.7 != 0, versions), arrayLast(version -> version.7 != 0, versions).7,
             index = 1, least(createdAt, versions[1].4),
             versions[1].4), split, arrayEnumerate(split)) AS told,
         -- Nothing begins after what follows it: a close that is told late cuts off the stages that came after it.
         arrayMap(index -> arrayMin(arraySlice(told, index)), arrayEnumerate(told)) AS begins,
         arrayMap((versions, begin) -> (versions[1].2, begin, versions[-1].3), split, begins) AS all,
         arrayFilter(run -> run.2 < ${bound.integer(until)}, all) AS runs
       FROM (SELECT id, arraySort(groupUniqArray(${version})) AS versions FROM opportunity_versions GROUP BY id))
    ARRAY JOIN runs AS run, arraySlice(arrayPushBack(arrayPopFront(runs), ('', toInt64(0), '')), 1, length(runs)) AS next, arrayEnumerate(runs) AS step
    WHERE run.1 != ''`;
}

/** How many opportunities were closed in the period that were told of only then: nobody knows which stages they were in. */
export async function countUnstaged(transport: RowTransport, query: Pick<OpportunityScope, 'from' | 'to' | 'filters'>): Promise<number> {
  const bound = new BoundValues();
  const answer = await transport.read(
    `SELECT count() AS unstaged FROM (${opportunityRows({ ...query, basis: 'closed' }, bound)})
     WHERE id NOT IN (SELECT id FROM opportunity_versions WHERE outcome = '' AND stage != '') FORMAT JSONEachRow`,
    bound.params,
    { mayLag: true },
  );
  return Number(jsonRows<{ unstaged: number | string }>(answer)[0]!.unstaged);
}
