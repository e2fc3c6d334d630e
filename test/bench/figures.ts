import type { Plot } from './plot/plot.ts';

/** Something measured once or several times, each value in `unit`. */
export interface Figure {
  readonly label: string;
  readonly unit: string;
  readonly values: readonly number[];
  /** Label of the figure, in the same unit, of a part that does nothing but what this needs at least: what is possible here. */
  readonly ceiling?: string;
}

/** What one bench has to say. */
export interface Section {
  readonly title: string;
  /** What was measured, and how: a figure without it says nothing. */
  readonly text: string;
  readonly figures: readonly Figure[];
  readonly plots?: readonly Plot[];
}

export function figure(label: string, unit: string, values: readonly number[], ceiling?: string): Figure {
  if (values.length === 0) throw new Error(`${label} was never measured`);
  const wrong = values.find((value) => !Number.isFinite(value));
  if (wrong !== undefined) throw new Error(`${label} came out as ${wrong}`);
  return ceiling === undefined ? { label, unit, values } : { label, unit, values, ceiling };
}

/** How much of what is possible a figure is, by medians: of a rate the part that is reached, of a time or a cost the part that is needed. */
export function shareOf({ unit, values }: Figure, ceiling: Figure): number {
  const share = median(values) / median(ceiling.values);
  return unit.endsWith('/s') ? share : 1 / share;
}

/** The middle value, or the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** The smallest value that `share` (0 to 1) of all values do not exceed. Sorts `values` in place. */
export function quantile(values: number[], share: number): number {
  values.sort((a, b) => a - b);
  return values[Math.max(0, Math.ceil(values.length * share) - 1)] ?? NaN;
}

/** Three significant digits: more would be noise. */
export function numberText(value: number): string {
  if (value === 0) return '0';
  const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))));
  const step = 10 ** (Math.floor(Math.log10(Math.abs(value))) - 2);
  const rounded = digits > 0 ? value : Math.round(value / step) * step;
  return rounded.toLocaleString('en-GB', { minimumFractionDigits: Math.min(digits, 3), maximumFractionDigits: Math.min(digits, 3) });
}

/** The spread as `[min - max]`; empty for a single value. */
export function spreadText(values: readonly number[]): string {
  return values.length === 1 ? '' : `[${numberText(Math.min(...values))} - ${numberText(Math.max(...values))}]`;
}
