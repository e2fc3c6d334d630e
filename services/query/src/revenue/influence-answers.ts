import type { Influence, InfluenceRow } from '@touchstone/store';
import { z } from 'zod';

/** What marketing had a part in, of opportunities made or won, in numbers. */

const part = z.object({
  opportunities: z.int().nullable().describe('Null where nothing is known of touches'),
  amount: z.number().nullable(),
  percentOfOpportunities: z.number().nullable().describe('Null where there are no opportunities'),
  percentOfAmount: z.number().nullable().describe('Null where there is no amount'),
  reason: z.string().nullable().describe('Why nothing can be told; null where something can'),
});
const figures = {
  opportunities: z.int(),
  amount: z.number().nullable(),
  withoutAmount: z.int().describe('Of the opportunities, those whose amount is not known: they add nothing to it'),
  reason: z.string().nullable().describe('Why there are no amounts; null where there are'),
  influenced: part.describe('With a marketing touch in the time before the opportunity was made'),
  responded: part.describe('With one that is a response: impressions, opened mails and letters are none'),
  sourced: part.describe('Begun by marketing: by the opportunity’s own source, else by the first touch before it'),
};
export const basisSchema = z.object({
  ...figures,
  groups: z.array(z.object({ group: z.string().nullable().describe('Null for what has none'), ...figures })),
});

/** Hundredths by currency as one amount, or why there is none. */
export type AmountOf = (hundredths: ReadonlyMap<string, number>) => { readonly amount: number | null; readonly reason: string | null };
type Figures = z.input<z.ZodObject<typeof figures>>;

/** What figures are told by. */
export interface Telling {
  readonly amountOf: AmountOf;
  /** Whether any account was ever touched. */
  readonly isTouched: boolean;
  /** Whether the source of an opportunity says that it is marketing's. */
  readonly bySource: boolean;
}

export function basisAnswer(rows: readonly InfluenceRow[], isGrouped: boolean, tell: Telling): z.input<typeof basisSchema> {
  const groups = isGrouped ? [...Map.groupBy(rows, ({ group }) => group)] : [];
  return { ...figuresOf(rows, tell), groups: groups.map(([group, some]) => ({ group: group || null, ...figuresOf(some, tell) })) };
}

const UNTOUCHED = { opportunities: null, amount: null, percentOfOpportunities: null, percentOfAmount: null };

function figuresOf(rows: readonly InfluenceRow[], { amountOf, bySource, isTouched }: Telling): Figures {
  const whole = sumOf(rows, (row) => row, amountOf);
  const withSource = rows.reduce((sum, row) => sum + row.withSource, 0);
  const partOf = (influence: Influence): z.input<typeof part> => {
    const isBySource = influence === 'sourced' && bySource && withSource === whole.opportunities;
    if (!isTouched && !isBySource) return { ...UNTOUCHED, reason: 'nothing is known of touches' };
    const { amount, opportunities } = sumOf(rows, ({ influences }) => influences[influence], amountOf);
    return {
      opportunities,
      amount,
      percentOfOpportunities: whole.opportunities === 0 ? null : (opportunities / whole.opportunities) * 100,
      percentOfAmount: amount === null || !whole.amount ? null : (amount / whole.amount) * 100,
      reason: null,
    };
  };
  const withoutAmount = rows.reduce((sum, row) => sum + row.withoutAmount, 0);
  return { ...whole, withoutAmount, influenced: partOf('influenced'), responded: partOf('responded'), sourced: partOf('sourced') };
}

function sumOf(
  rows: readonly InfluenceRow[],
  of: (row: InfluenceRow) => { readonly opportunities: number; readonly hundredths: number },
  amountOf: AmountOf,
) {
  const sums = new Map<string, number>();
  let opportunities = 0;
  for (const row of rows) {
    const one = of(row);
    opportunities += one.opportunities;
    if (one.hundredths !== 0) sums.set(row.currency, (sums.get(row.currency) ?? 0) + one.hundredths);
  }
  return { opportunities, ...amountOf(sums) };
}
