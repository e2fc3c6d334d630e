import type { Condition } from './measure.ts';

/** Which spend is which, by its category and channel. */

/** What it costs to deliver what was sold; it wins no customer. */
export const COST_OF_REVENUE = `lower(category) = 'cogs'`;

export const isSalesAndMarketing: Condition = () => `NOT (${COST_OF_REVENUE})`;

export const isMarketing: Condition = () => `NOT (${COST_OF_REVENUE}) AND lower(category) != 'sales'`;

export const isAdvertising: Condition = (scope) => {
  const ads = scope.settings.adSources;
  return `(lower(channel) IN ${scope.list(ads)} OR lower(category) IN ${scope.list(ads)})`;
};
