import { missing, ratio, whyUnqualified } from '@touchstone/kpis';
import { declareKpi } from './kpi.ts';
import { countOf } from './measure.ts';
import { isQualified, qualifiedBy } from './qualified-lead.ts';

export const qualifiedLeadRate = declareKpi({
  name: 'qualified_lead_rate',
  title: 'Qualified lead rate',
  unit: 'percent',
  formula:
    'Leads created in the period that are qualified by now, divided by all leads created in the period, times 100. What qualifies a lead is `qualifiedBy`.',
  source:
    'Conversion rate of a cohort by the date of creation; a lead that qualifies later raises the rate of the period it was created in.',
  inputs: ['leads', 'alerts of the rule qualification, where qualifiedBy says so'],
  better: 'higher',
  parameters: { qualifiedBy },
  example: { inputs: { qualified: 30, all: 120 }, value: 25 },
  measures: {
    qualified: countOf('leads', { at: 'created_at' }, isQualified),
    all: countOf('leads', { at: 'created_at' }),
  },
  combine: ({ all, qualified }, { parameters, settings }) => {
    const unqualified = whyUnqualified(parameters['qualifiedBy'], settings);
    const counted = unqualified === null ? qualified : missing(unqualified);
    return ratio(counted, all, { times: 100, whenZero: 'no lead was created in the period' });
  },
});
