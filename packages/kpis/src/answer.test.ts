import { fc, test } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import { answerKpi, type Asked, type MeasuredRow } from './answer.ts';
import { chooseCurrency, inCurrency } from './currency.ts';
import { DEFAULT_SETTINGS, type KpiDefinition } from './definition.ts';
import { known, minus, missing, plus, product, quotient, ratio } from './figure.ts';
import { planSpans } from './plan.ts';

const DEFINITION: KpiDefinition = {
  name: 'cost',
  title: 'Cost',
  unit: 'currency',
  formula: 'Spend by leads.',
  source: 'Ours.',
  inputs: [],
  better: 'lower',
  example: { inputs: {}, value: 0 },
  combine: ({ leads, spend }) => ratio(spend!, leads!, { whenZero: 'no leads' }),
};

const plan = planSpans({ from: Date.UTC(2026, 2, 1), to: Date.UTC(2026, 3, 1) }, 'month', 'UTC')!;
const asked: Asked = {
  plan,
  currency: null,
  compare: 'previous',
  parameters: {},
  settings: DEFAULT_SETTINGS,
  segmentBy: null,
  target: null,
};
const measures = {
  spend: { isMoney: true, whenAbsent: { reason: 'no spend' } },
  leads: { isMoney: false, whenAbsent: 'zero' },
} as const;
const row = (measure: string, span: number, value: number, more: Partial<MeasuredRow> = {}): MeasuredRow => ({
  measure,
  span,
  value,
  segment: '',
  currency: measure === 'spend' ? 'EUR' : '',
  ...more,
});

describe('an answer', () => {
  it('has each span with its own reason, and the change where both are known', () => {
    const rows = [
      row('spend', 0, 90),
      row('leads', 0, 3),
      row('spend', 1, 40),
      row('leads', 1, 2),
      row('spend', 3, 90),
      row('leads', 3, 3),
    ];
    const answer = answerKpi(DEFINITION, { ...asked, target: 25 }, { rows, measures });
    expect(answer).toMatchObject({
      value: 30,
      currency: 'EUR',
      previous: { value: 20 },
      change: { absolute: 10, percent: 50, reason: null },
    });
    expect(answer.series).toEqual(
      [{ ...plan.spans[3], ...answer.series[0], value: 30 }].map(({ fromDay: _, toDay: __, months: ___, before: ____, ...one }) => one),
    );
    expect(answer.benchmark).toMatchObject({ lastYear: { value: null, reason: 'no spend' }, target: { value: 25, met: false } });
    const toLastYear = answerKpi(DEFINITION, { ...asked, compare: 'lastYear' }, { rows, measures });
    expect(toLastYear.change).toEqual({ absolute: null, percent: null, reason: 'no spend' });
  });

  it('names what is missing: an input, or a denominator of 0', () => {
    expect(answerKpi(DEFINITION, asked, { rows: [row('leads', 0, 3)], measures })).toMatchObject({
      value: null,
      reason: 'no spend',
      denominator: 3,
    });
    expect(answerKpi(DEFINITION, asked, { rows: [row('spend', 0, 9)], measures })).toMatchObject({
      value: null,
      reason: 'no leads',
      numerator: 9,
    });
  });

  it('has the largest segments, and the mean of those that have a value', () => {
    const rows = ['=a', '=b', '='].flatMap((segment, at) => [
      row('spend', 0, 10 * (at + 1), { segment }),
      row('leads', 0, at, { segment }),
    ]);
    const answer = answerKpi(DEFINITION, { ...asked, segmentBy: 'tier' }, { rows, measures });
    expect(answer.segments.map(({ segment, value }) => [segment, value])).toEqual([
      [null, 15],
      ['b', 20],
      ['a', null],
    ]);
    expect(answer.benchmark.segmentMean.value).toBe(17.5);
  });
});

describe('arithmetic of figures', () => {
  const figure = fc.oneof(fc.double({ noNaN: true, noDefaultInfinity: true }).map(known), fc.constant(missing('unknown')));

  test.prop([figure, figure])('gives a number or a reason, and never both or neither', (one, other) => {
    for (const { reason, value } of [plus(one, other), minus(one, other), product(one, other), quotient(one, other, 'zero')]) {
      expect(value === null).toBe(reason !== null);
      if (value !== null) expect(Number.isFinite(value)).toBe(true);
    }
  });

  it('hands on the first reason', () => {
    expect(plus(known(1), missing('a'), missing('b'))).toEqual({ value: null, reason: 'a' });
    expect(quotient(missing('a'), known(0), 'zero').reason).toBe('a');
    expect(quotient(known(0), known(0), 'zero').reason).toBe('zero');
  });
});

describe('currencies', () => {
  it.each([
    ['none present', null, [], {}, { currency: null, reason: null }],
    ['the only one', null, ['EUR'], {}, { currency: 'EUR', reason: null }],
    ['amounts without any', null, [''], {}, { currency: null, reason: null }],
    ['the one asked for', 'USD', ['EUR'], {}, { currency: 'USD', reason: null }],
    [
      'several',
      null,
      ['USD', 'EUR', ''],
      {},
      { currency: null, reason: 'amounts are in several currencies (EUR, USD, none), and no rates are set' },
    ],
    ['the only one with rates', null, ['USD'], { EUR: 1, USD: 0.8 }, { currency: 'EUR', reason: null }],
    ['the only one, without a rate', null, ['GBP'], { EUR: 1, USD: 0.8 }, { currency: 'GBP', reason: null }],
    ['none present with rates', null, [], { EUR: 1 }, { currency: 'EUR', reason: null }],
    ['several with rates', null, ['USD', 'EUR'], { EUR: 1, USD: 0.8 }, { currency: 'EUR', reason: null }],
  ] as const)('%s', (_, wanted, present, rates, choice) => {
    expect(chooseCurrency(wanted, new Set(present), rates)).toEqual(choice);
  });

  it('are told in one by rates, or not at all', () => {
    const amounts = new Map([
      ['EUR', 10],
      ['USD', 20],
    ]);
    expect(inCurrency(amounts, { currency: 'USD', reason: null }, { EUR: 1, USD: 0.5 }).value).toBe(40);
    expect(inCurrency(amounts, { currency: 'USD', reason: null }, { USD: 0.5 }).reason).toContain('in EUR can not be told in USD');
    expect(inCurrency(new Map([['', 1]]), { currency: 'USD', reason: null }, { USD: 1 }).reason).toContain('without a currency');
  });
});
