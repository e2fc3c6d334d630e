import { known, minus, missing, quotient, type Figure, type KpiSettings } from '@touchstone/kpis';
import { moneyOf } from './measure.ts';
import { COST_OF_REVENUE } from './spend-classes.ts';

/** Spend of category cogs. */
export const costOfRevenue = moneyOf('spend', { day: 'date' }, 'amount', 'missing', () => COST_OF_REVENUE);

const UNKNOWN = 'the gross margin is not known: set KPI_GROSS_MARGIN, or tell spend of category cogs';

/** Share of revenue that is left after its cost: as the settings say, else by the cost that was told and the revenue of the same time. */
export function grossMargin({ grossMargin: set }: KpiSettings, cost: Figure, revenue: Figure): Figure {
  if (set !== null) return known(set);
  if (cost.value === null) return missing(UNKNOWN);
  return minus(known(1), quotient(cost, revenue, 'there is no revenue to hold the cost of revenue against'));
}
