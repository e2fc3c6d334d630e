import { ratio } from '@touchstone/kpis';
import { declareKpi } from './kpi.ts';
import { countOf, moneyOf } from './measure.ts';
import { isAdvertising } from './spend-classes.ts';

export const cpl = declareKpi({
  name: 'cpl',
  title: 'Cost per lead',
  unit: 'currency',
  formula:
    'Ad spend of the period divided by the leads of ads created in it. Ad spend has a channel or category that the settings call an ad; a lead of ads has ' +
    'such a source, or a campaign with ad spend.',
  source: 'Cost per lead as ad platforms tell it: cost divided by leads.',
  inputs: ['spend', 'leads'],
  better: 'lower',
  example: { inputs: { spend: 4500, leads: 60 }, value: 75 },
  measures: {
    spend: moneyOf('spend', { day: 'date' }, 'amount', 'missing', isAdvertising),
    leads: countOf('leads', { at: 'created_at' }, (scope) => {
      const campaigns = `(SELECT campaign_id FROM spend FINAL WHERE campaign_id != '' AND ${isAdvertising(scope)})`;
      return `(lower(source) IN ${scope.list(scope.settings.adSources)} OR campaign_id IN ${campaigns})`;
    }),
  },
  combine: ({ leads, spend }) => ratio(spend, leads, { whenZero: 'no lead of ads was created in the period' }),
});
