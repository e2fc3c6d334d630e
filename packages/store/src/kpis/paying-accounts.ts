import type { MeasureScope, SharedRows } from './measure.ts';

/**
 * What each account pays as a span begins and as it ends, a row for each of its currencies: `begun`, `ended`, whether it paid and pays anything in any currency
 * (`hasBegun`, `hasStayed`), and `isOnce` in one row of the account in a span. What begins or ends with a span is as `edge` of a measure's placing has it.
 *
 * Accounts are added up as arrays, a place for each span, before they become rows: a year by days of each subscription would be rows in their millions.
 */
export const PAYING_ACCOUNTS: SharedRows = {
  key: 'paying accounts from start to end',
  from: (
    scope,
  ) => `(SELECT toUInt32(number - 1) AS span, segment, one.1 AS currency, one.2[number] AS begun, one.3[number] AS ended, nth = 1 AS isOnce,
      beguns[number] > 0 AS hasBegun, endeds[number] > 0 AS hasStayed
    FROM
      (SELECT segment, groupArray((currency, begun, ended)) AS all, sumForEach(begun) AS beguns, sumForEach(ended) AS endeds
       FROM
         (SELECT segment, currency, account_id, sumForEach(${paidAt(scope, 'from')}) AS begun, sumForEach(${paidAt(scope, 'to')}) AS ended
          FROM ${scope.rows('subscriptions', 'always', scope.spans.slice(0, 1))} GROUP BY segment, currency, account_id)
       GROUP BY segment, account_id)
    ARRAY JOIN all AS one, arrayEnumerate(all) AS nth
    ARRAY JOIN range(1, ${scope.spans.length + 1}) AS number
    WHERE (hasBegun OR hasStayed) AND ${scope.isTold('span', 'segment')})`,
};

function paidAt({ spans }: MeasureScope, edge: 'from' | 'to'): string {
  const instants = `[${spans.map((span) => span[edge]).join(', ')}]`;
  return `arrayMap(instant -> if(toUnixTimestamp64Milli(begins_at) < instant AND (toUnixTimestamp64Milli(ends_at) = 0 OR toUnixTimestamp64Milli(ends_at) >= instant), mrr, 0), ${instants})`;
}
