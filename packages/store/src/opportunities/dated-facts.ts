/**
 * The newest versions of leads and opportunities, each with its times. What a version does not say must not move with every later one, nor be guessed where an
 * earlier one said it. An opportunity was made when the newest version that says so says, else with its first version. It was closed when the newest version since it was
 * open last that says so says, else with the first of these: whether it was won or lost is no matter, as what is lost and then won was closed once, and what is told of
 * a close before it was opened again is of another one. A lead was made when its newest version says, else with its first. The tables have the epoch for what a version
 * does not say. Stays in stages end by the same rule (`opportunityStays`).
 */
const UNSAID = `toDateTime64(0, 3, 'UTC')`;

/** In the place of `opportunities FINAL`. Where every version says its times, the other side of the join is empty. */
export const OPPORTUNITIES = `(SELECT newest.* REPLACE (
    if(newest.created_at = ${UNSAID}, told.made_at, newest.created_at) AS created_at,
    if(newest.outcome = '' OR newest.closed_at != ${UNSAID}, newest.closed_at, told.decided_at) AS closed_at)
  FROM (SELECT * FROM opportunities FINAL) AS newest
  LEFT ANY JOIN
    (SELECT id AS told_id, arrayReverseSort(groupUniqArray((rank, toString(outcome), updated_at, created_at, closed_at))) AS versions,
       arrayFirst(version -> version.4 != ${UNSAID}, versions).4 AS said_at, if(said_at = ${UNSAID}, versions[-1].3, said_at) AS made_at,
       if(arrayFirstIndex(version -> version.2 = '', versions) AS open = 0, versions, arraySlice(versions, 1, open - 1)) AS closed,
       arrayFirst(version -> version.5 != ${UNSAID}, closed).5 AS end_at, if(end_at = ${UNSAID}, closed[-1].3, end_at) AS decided_at
     FROM opportunity_versions
     WHERE id IN (SELECT id FROM opportunities FINAL WHERE created_at = ${UNSAID} OR (outcome != '' AND closed_at = ${UNSAID}))
     GROUP BY id) AS told ON newest.id = told.told_id)`;

/** In the place of `leads FINAL`. */
export const LEADS = `(SELECT newest.* REPLACE (if(newest.created_at = ${UNSAID}, told.made_at, newest.created_at) AS created_at)
  FROM (SELECT * FROM leads FINAL) AS newest
  LEFT ANY JOIN
    (SELECT id AS told_id, min(first_at) AS made_at FROM lead_firsts WHERE id IN (SELECT id FROM leads FINAL WHERE created_at = ${UNSAID}) GROUP BY id) AS told
    ON newest.id = told.told_id)`;

/**
 * Leads that the CRM says are qualified, by a time or by a status, with when: `id, account_id, at`. One that does not say when is from its first version with a
 * status that means it on, whatever its later ones are.
 * @param statuses a list in SQL, in small letters
 */
export function leadsOfCrm(statuses: string): string {
  return `SELECT id, account_id, if(qualified_at > ${UNSAID}, qualified_at, told.meant_at) AS at
  FROM (SELECT * FROM leads FINAL WHERE qualified_at > ${UNSAID} OR lower(status) IN ${statuses}) AS newest
  LEFT ANY JOIN
    (SELECT id AS told_id, min(first_at) AS meant_at FROM lead_firsts WHERE lower(status) IN ${statuses} GROUP BY id) AS told ON newest.id = told.told_id`;
}
