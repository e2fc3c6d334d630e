import type { Fact, FactType } from '@touchstone/engine';
import type { z } from 'zod';
import { explainFailure, refuseOutright } from './explain-failure.ts';
import { accountSchema, contactSchema, leadSchema, opportunitySchema, spendSchema, subscriptionSchema } from './fact-schemas.ts';
import { AHEAD_MAX_MS } from './limits.ts';
import type { Refusal } from './reject-codes.ts';

/** A fact without its type, before `updatedAt` has its default. */
type Draft<F extends Fact> = F extends Fact ? Omit<F, 'type' | 'updatedAt'> & { readonly updatedAt: number | null } : never;
type SchemaOf<Type extends FactType> = z.ZodType<Draft<Extract<Fact, { type: Type }>>>;

export const FACT_SCHEMAS: { readonly [Type in FactType]: SchemaOf<Type> } = {
  account: accountSchema,
  contact: contactSchema,
  lead: leadSchema,
  opportunity: opportunitySchema,
  spend: spendSchema,
  subscription: subscriptionSchema,
};

/** The fact of an item, complete, or why it is none. `now` is the wall clock, epoch milliseconds. */
export function validateFact(type: FactType, item: unknown, now: number): Fact | Refusal {
  const outright = refuseOutright(item);
  if (outright) return outright;
  const parsed = FACT_SCHEMAS[type].safeParse(item, { reportInput: true });
  if (!parsed.success) return explainFailure(parsed.error, item, `the ${type}`);
  const updatedAt = parsed.data.updatedAt ?? now;
  // A fact dated years ahead would win over every later one.
  if (updatedAt > now + AHEAD_MAX_MS) {
    return { code: 'in_the_future', message: `updatedAt is more than ${AHEAD_MAX_MS / 60_000} minutes ahead of the clock here` };
  }
  return { type, ...parsed.data, updatedAt } as Fact;
}
