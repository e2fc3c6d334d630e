/** A number, or why there is none. A missing input makes what is computed from it missing, with the same reason; it is never taken for 0. */
export interface Figure {
  /** Finite, or null. */
  readonly value: number | null;
  /** Null where there is a value. */
  readonly reason: string | null;
}

export function known(value: number): Figure {
  return Number.isFinite(value) ? { value, reason: null } : missing('the amounts are too large to be added up');
}

export function missing(reason: string): Figure {
  return { value: null, reason };
}

export function plus(...parts: readonly Figure[]): Figure {
  return combined(parts, (values) => values.reduce((sum, value) => sum + value, 0));
}

export function minus(whole: Figure, ...parts: readonly Figure[]): Figure {
  return combined([whole, ...parts], ([first = 0, ...rest]) => rest.reduce((left, value) => left - value, first));
}

export function product(...factors: readonly Figure[]): Figure {
  return combined(factors, (values) => values.reduce((all, value) => all * value, 1));
}

/** `whenZero` is the reason where the divisor is 0. */
export function quotient(dividend: Figure, divisor: Figure, whenZero: string): Figure {
  if (dividend.value !== null && divisor.value === 0) return missing(whenZero);
  return combined([dividend, divisor], ([above = 0, below = 0]) => above / below);
}

/** The figure, or another where it is missing. */
export function either(figure: Figure, otherwise: Figure): Figure {
  return figure.value === null ? otherwise : figure;
}

function combined(parts: readonly Figure[], compute: (values: readonly number[]) => number): Figure {
  const values: number[] = [];
  for (const { reason, value } of parts) {
    if (value === null) return missing(reason ?? 'an input is missing');
    values.push(value);
  }
  return known(compute(values));
}

/** What a KPI comes to in one span. */
export interface Outcome extends Figure {
  readonly numerator: number | null;
  readonly denominator: number | null;
  /** Further figures by the names that the definition describes. */
  readonly figures: Readonly<Record<string, number | null>>;
}

/** Numerator by denominator, times a factor: 100 for a percentage. */
export function ratio(
  numerator: Figure,
  denominator: Figure,
  options: { readonly whenZero: string; readonly times?: number; readonly figures?: Readonly<Record<string, Figure>> },
): Outcome {
  const share = quotient(numerator, denominator, options.whenZero);
  return outcome(product(share, known(options.times ?? 1)), { numerator, denominator, figures: options.figures ?? {} });
}

/** A value that is no ratio of two, or not of these alone. */
export function outcome(
  figure: Figure,
  parts: { readonly numerator?: Figure; readonly denominator?: Figure; readonly figures?: Readonly<Record<string, Figure>> } = {},
): Outcome {
  const figures = Object.fromEntries(Object.entries(parts.figures ?? {}).map(([name, { value }]) => [name, value]));
  return {
    value: figure.value,
    reason: figure.reason,
    numerator: parts.numerator?.value ?? null,
    denominator: parts.denominator?.value ?? null,
    figures,
  };
}
