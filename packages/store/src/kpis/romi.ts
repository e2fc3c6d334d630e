import { known, minus, outcome, product, quotient } from '@touchstone/kpis';
import { costOfRevenue, grossMargin } from './gross-margin.ts';
import { declareKpi } from './kpi.ts';
import { moneyOf, type Condition } from './measure.ts';
import { isMarketing } from './spend-classes.ts';

const isWon: Condition = () => `outcome = 'won'`;
const isOfMarketing: Condition = (scope) =>
  `outcome = 'won' AND lower(source) IN ${scope.list([...scope.settings.marketingSources, ...scope.settings.adSources])}`;

export const romi = declareKpi({
  name: 'romi',
  title: 'Return on marketing investment',
  unit: 'percent',
  formula:
    'Marketing revenue less its cost less marketing spend, divided by marketing spend, times 100. Marketing revenue is that of opportunities won in the period whose ' +
    'source the settings call marketing; marketing spend is all but that of categories sales and cogs; the cost of revenue is by the gross margin of the settings, else ' +
    'spend of category cogs by share of all revenue.',
  source: 'Farris et al., Marketing Metrics: (incremental revenue x contribution margin - marketing cost) / marketing cost.',
  inputs: ['opportunities', 'spend', 'gross margin of the settings, or spend of category cogs'],
  better: 'higher',
  figures: {
    revenue: 'Marketing revenue',
    cost: 'Cost of that revenue',
    spend: 'Marketing spend',
    allRevenue: 'Revenue of all opportunities won',
  },
  // 50,000 x 0.8 - 16,000 = 24,000 by 16,000, at a margin of 0.8
  example: { inputs: { revenue: 50_000, allRevenue: 80_000, spend: 16_000, cost: 10_000 }, value: 150 },
  measures: {
    revenue: { ...moneyOf('opportunities', { at: 'closed_at' }, 'amount', 'zero', isOfMarketing), needs: ['sources'] },
    allRevenue: moneyOf('opportunities', { at: 'closed_at' }, 'amount', 'zero', isWon),
    spend: moneyOf('spend', { day: 'date' }, 'amount', 'missing', isMarketing),
    cost: costOfRevenue,
  },
  combine: ({ allRevenue, cost, revenue, spend }, { settings }) => {
    const costOfMarketing = product(revenue, minus(known(1), grossMargin(settings, cost, allRevenue)));
    const gain = minus(revenue, costOfMarketing, spend);
    const percent = product(quotient(gain, spend, 'no marketing spend in the period'), known(100));
    return outcome(percent, { numerator: gain, denominator: spend, figures: { revenue, cost: costOfMarketing, spend, allRevenue } });
  },
});
