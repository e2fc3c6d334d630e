import { ATTRIBUTION_MODELS, chooseCurrency, CREDIT_UNITS, inCurrency, type AttributionModel, type CurrencyChoice } from '@touchstone/kpis';
import type { CreditRow } from '@touchstone/store';

type Rates = Readonly<Record<string, number>>;
type ByModel<Value> = Readonly<Record<AttributionModel, Value>>;

/** A campaign, channel, creative, kind or role, with what it gets. */
export interface CreditLine {
  /** Null for opportunities that no touch has a part in, '' for touches without one. */
  readonly key: string | null;
  readonly touches: number;
  readonly opportunities: number;
  /** Opportunities' worth of credit. */
  readonly credit: ByModel<number>;
  readonly amount: ByModel<number | null>;
}

interface Totals {
  readonly opportunities: number;
  readonly amount: number | null;
  readonly withoutAmount: number;
}

export interface CreditTable {
  readonly choice: CurrencyChoice;
  readonly opportunities: number;
  readonly amount: number | null;
  /** Why there is no amount; null where there is one. */
  readonly reason: string | null;
  /** Opportunities whose amount is not known. */
  readonly withoutAmount: number;
  /** Of opportunities with a touch, and of those without. */
  readonly attributed: Totals;
  readonly unattributed: Totals;
  /** In no order. */
  readonly lines: readonly CreditLine[];
}

/** Rows by key and currency as lines in one currency. Whatever the model, credit and amounts of the lines add up to the whole. */
export function creditTable(rows: readonly CreditRow[], asked: string | null, rates: Rates): CreditTable {
  const present = new Set(rows.filter(({ hundredths }) => Object.values(hundredths).some((sum) => sum !== 0)).map((row) => row.currency));
  const choice = chooseCurrency(asked, present, rates);
  const amountOf = (some: readonly CreditRow[], model: AttributionModel) => {
    const sums = new Map<string, number>();
    for (const { currency, hundredths } of some) {
      if (hundredths[model] !== 0) sums.set(currency, (sums.get(currency) ?? 0) + hundredths[model]);
    }
    const { reason, value } = inCurrency(sums, choice, rates);
    return { value: value === null ? null : value / 100, reason };
  };
  // Every model shares the whole.
  const unitsOf = (some: readonly CreditRow[]): number => some.reduce((sum, { units }) => sum + units.linear, 0) / CREDIT_UNITS;
  const unknownOf = (some: readonly CreditRow[]): number =>
    some.reduce((sum, { unitsWithoutAmount }) => sum + unitsWithoutAmount, 0) / CREDIT_UNITS;
  const totalsOf = (some: readonly CreditRow[]): Totals => ({
    opportunities: unitsOf(some),
    amount: amountOf(some, 'linear').value,
    withoutAmount: unknownOf(some),
  });
  const without = rows.filter(({ key }) => key === null);
  const touched = rows.filter(({ key }) => key !== null);
  const whole = amountOf(rows, 'linear');
  return {
    choice,
    opportunities: unitsOf(rows),
    amount: whole.value,
    reason: whole.reason,
    withoutAmount: unknownOf(rows),
    attributed: totalsOf(touched),
    unattributed: totalsOf(without),
    lines: [...Map.groupBy(rows, ({ key }) => key)].map(([key, some]) => ({
      key,
      touches: some.reduce((sum, { touches }) => sum + touches, 0),
      opportunities: some.reduce((sum, { opportunities }) => sum + opportunities, 0),
      credit: byModel((model) => some.reduce((sum, { units }) => sum + units[model], 0) / CREDIT_UNITS),
      amount: byModel((model) => amountOf(some, model).value),
    })),
  };
}

export function byModel<Value>(of: (model: AttributionModel) => Value): ByModel<Value> {
  return Object.fromEntries(ATTRIBUTION_MODELS.map((model) => [model, of(model)])) as Record<AttributionModel, Value>;
}
