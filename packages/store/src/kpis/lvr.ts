import { minus, missing, ratio, whyUnqualified } from '@touchstone/kpis';
import { isQualifiedBy } from '../opportunities/qualified-leads.ts';
import { declareKpi } from './kpi.ts';
import type { Measure, MeasureScope } from './measure.ts';
import { qualifiedBy } from './qualified-lead.ts';

const AT = { at: 'at' } as const;

/** Qualified leads of each span, or of what it is held against. An account that qualified several times counts once. */
function qualified(of: 'itself' | 'before'): Measure {
  return {
    table: 'qualified',
    isMoney: false,
    whenAbsent: 'zero',
    rows: {
      key: `qualified ${of}`,
      from: (scope) =>
        of === 'itself'
          ? scope.rows('qualified', AT)
          : scope.rows(
              'qualified',
              AT,
              scope.spans.map(({ before }) => before),
            ),
    },
    value: (scope) => `uniqExactIf(lead, ${condition(scope)})`,
  };
}

function condition({ parameters }: MeasureScope): string {
  const by = parameters['qualifiedBy'];
  return isQualifiedBy(by === 'mqa' || by === 'either' || by === 'both' ? by : 'crm');
}

export const lvr = declareKpi({
  name: 'lvr',
  title: 'Lead velocity rate',
  unit: 'percent',
  formula:
    'Qualified leads of the period less those of the period before, divided by those of the period before, times 100. A month that is not over is held against the month before up to the ' +
    'same day and time. Leads count when they are qualified. /v1/lvr tells the month to date, projected, and under one constant model.',
  source: 'Lead velocity rate: growth of qualified leads from month to month.',
  inputs: ['alerts of the rule qualification, or leads, as qualifiedBy says'],
  better: 'higher',
  parameters: { qualifiedBy },
  figures: { qualified: 'Qualified leads of the period', before: 'Of the period before' },
  example: { inputs: { now: 24, before: 20 }, value: 20 },
  measures: { now: qualified('itself'), before: qualified('before') },
  combine: (counted, { parameters, settings }) => {
    const unqualified = whyUnqualified(parameters['qualifiedBy'], settings);
    const { before, now } = unqualified === null ? counted : { before: missing(unqualified), now: missing(unqualified) };
    return ratio(minus(now, before), before, {
      times: 100,
      whenZero: 'the period before has no qualified leads to compare with',
      figures: { qualified: now, before },
    });
  },
});
