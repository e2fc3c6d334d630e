import { known, missing, type Figure } from './figure.ts';

/** Amounts by ISO 4217 code; '' for those without one. */
export type Amounts = ReadonlyMap<string, number>;

/** Which currency an answer is in, or why it can't be told in one. */
export type CurrencyChoice =
  | { readonly currency: string | null; readonly reason: null }
  | { readonly currency: null; readonly reason: string };

/**
 * One answer has one currency: the one that was asked for, or the only one there is. Without rates several can't be told as one; with rates
 * answers are told in the first currency that has one, however many there are, so that what is told goes on in one currency when another turns up. Amounts of a
 * single currency without a rate stay in it.
 */
export function chooseCurrency(
  asked: string | null,
  present: ReadonlySet<string>,
  rates: Readonly<Record<string, number>>,
): CurrencyChoice {
  if (asked !== null) return { currency: asked, reason: null };
  const [common] = Object.keys(rates);
  const [only] = present;
  if (common !== undefined && (present.size !== 1 || rates[only!] !== undefined)) return { currency: common, reason: null };
  if (present.size <= 1) return { currency: only || null, reason: null };
  // Nothing is told by asking for one of them: the others would have no rate to be told by.
  return { currency: null, reason: `amounts are in several currencies (${named(present)}), and no rates are set` };
}

/** The amounts as one, in the currency chosen. */
export function inCurrency(amounts: Amounts, choice: CurrencyChoice, rates: Readonly<Record<string, number>>): Figure {
  if (choice.reason !== null) return missing(choice.reason);
  let sum = 0;
  for (const [currency, amount] of amounts) {
    if (currency === (choice.currency ?? '')) sum += amount;
    else {
      const [from, to] = [rates[currency], rates[choice.currency ?? '']];
      if (from === undefined || to === undefined) {
        return missing(
          `amounts ${currency === '' ? 'without a currency' : `in ${currency}`} can not be told in ${choice.currency}: no rate is set`,
        );
      }
      sum += (amount * from) / to;
    }
  }
  return known(sum);
}

function named(currencies: ReadonlySet<string>): string {
  const all = [...currencies].map((currency) => currency || 'none').sort();
  return all.slice(0, 6).join(', ') + (all.length > 6 ? `, and ${all.length - 6} more` : '');
}
