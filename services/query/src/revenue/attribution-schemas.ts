import { ATTRIBUTION_MODELS } from '@touchstone/kpis';
import { TOUCH_DIMENSIONS, type ListedOpportunity } from '@touchstone/store';
import { z } from 'zod';
import { askedAt, time, timeText } from '../answers.ts';

/** Answers about the credit of opportunities. */

function perModel<Schema extends z.ZodType>(schema: Schema) {
  return z.object(
    Object.fromEntries(ATTRIBUTION_MODELS.map((model) => [model, schema])) as Record<(typeof ATTRIBUTION_MODELS)[number], Schema>,
  );
}

const credit = perModel(z.number().min(0)).describe('By model, in opportunities: what one opportunity gives adds up to 1');

export const opportunityFields = {
  opportunityId: z.string(),
  accountId: z.string(),
  stage: z.string().nullable(),
  source: z.string().nullable(),
  amount: z.number().nullable(),
  currency: z.string().nullable(),
  outcome: z.enum(['won', 'lost']).nullable(),
  createdAt: time,
  closedAt: time.nullable(),
};

export function opportunityAnswer({ at: _at, closedAt, createdAt, id, ...rest }: ListedOpportunity) {
  return { opportunityId: id, ...rest, createdAt: timeText(createdAt), closedAt: closedAt === null ? null : timeText(closedAt) };
}

const cursor = z.string().nullable().describe('Give it back as `cursor` for the next page; null on the last');

const withoutAmount = z.number().describe('Of the opportunities, those whose amount is not known: they add nothing to it');
const totals = z.object({ opportunities: z.number(), amount: z.number().nullable(), withoutAmount });

export const attributionSchema = z
  .object({
    basis: z.enum(['pipeline', 'revenue']),
    from: time,
    to: time,
    by: z.enum(TOUCH_DIMENSIONS),
    lookbackDays: z.number(),
    halfLifeDays: z.number(),
    asOf: askedAt,
    currency: z.string().nullable(),
    reason: z.string().nullable().describe('Why there are no amounts; null where there are'),
    opportunities: z.number(),
    amount: z.number().nullable(),
    withoutAmount,
    attributed: totals.describe('Opportunities with a touch that has a part in them'),
    unattributed: totals.describe('Those without; attributed and unattributed add up to the whole'),
    data: z.array(
      z.object({
        key: z.string().nullable().describe('The campaign, channel, creative, kind or role; null for touches that have none'),
        isAttributed: z.boolean().describe('False for the line of opportunities that no touch has a part in'),
        touches: z.int(),
        opportunities: z.int().describe('That it has a part in'),
        credit,
        amount: perModel(z.number().nullable()).describe('By model, in `currency`, to the hundredth'),
      }),
    ),
    nextCursor: cursor,
  })
  .meta({ id: 'Attribution' });

export const creditedPageSchema = z
  .object({
    data: z.array(
      z.object({
        ...opportunityFields,
        touches: z.int().describe('That have a part in it'),
        touchesOfKey: z.int().describe('Those of `key`'),
        credit: credit.describe('What of its credit those of `key` have, by model'),
      }),
    ),
    nextCursor: cursor,
  })
  .meta({ id: 'CreditedOpportunityPage' });

export const pathSchema = z
  .object({
    ...opportunityFields,
    leadCreatedAt: time.nullable().describe("The account's first lead in the time that touches are of"),
    isCutOff: z.boolean().describe('It has more touches than are told, and their credit is null'),
    touches: z.array(
      z.object({
        touchId: z.string(),
        occurredAt: time,
        contactId: z.string().nullable(),
        role: z.string().nullable().describe('Of the contact, now'),
        kind: z.string(),
        channel: z.string().nullable(),
        campaignId: z.string().nullable(),
        creativeId: z.string().nullable(),
        credit: perModel(z.number()).nullable().describe('Its share of the opportunity by model'),
      }),
    ),
  })
  .meta({ id: 'OpportunityTouches' });

export const ATTRIBUTION_EXAMPLE = {
  basis: 'revenue',
  from: '2026-01-01T00:00:00.000Z',
  to: '2026-04-01T00:00:00.000Z',
  by: 'campaign',
  lookbackDays: 90,
  halfLifeDays: 7,
  asOf: '2026-04-02T00:00:00.000Z',
  currency: 'EUR',
  reason: null,
  opportunities: 2,
  amount: 15_000,
  withoutAmount: 0,
  attributed: { opportunities: 1, amount: 10_000, withoutAmount: 0 },
  unattributed: { opportunities: 1, amount: 5000, withoutAmount: 0 },
  data: [
    {
      key: 'spring',
      isAttributed: true,
      touches: 3,
      opportunities: 1,
      credit: { first: 1, last: 0, linear: 0.75, u_shaped: 0.6, w_shaped: 0.6, time_decay: 0.5 },
      amount: { first: 10_000, last: 0, linear: 7500, u_shaped: 6000, w_shaped: 6000, time_decay: 5000 },
    },
    {
      key: 'webinar',
      isAttributed: true,
      touches: 1,
      opportunities: 1,
      credit: { first: 0, last: 1, linear: 0.25, u_shaped: 0.4, w_shaped: 0.4, time_decay: 0.5 },
      amount: { first: 0, last: 10_000, linear: 2500, u_shaped: 4000, w_shaped: 4000, time_decay: 5000 },
    },
    {
      key: null,
      isAttributed: false,
      touches: 0,
      opportunities: 1,
      credit: { first: 1, last: 1, linear: 1, u_shaped: 1, w_shaped: 1, time_decay: 1 },
      amount: { first: 5000, last: 5000, linear: 5000, u_shaped: 5000, w_shaped: 5000, time_decay: 5000 },
    },
  ],
  nextCursor: null,
} satisfies z.input<typeof attributionSchema>;
