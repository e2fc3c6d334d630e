import { z } from 'zod';
import { DOMAINS_MAX, NAME_MAX } from './limits.ts';
import { idText, optional, plainText, textMap, time } from './text-schemas.ts';

/** Facts as clients send them, one schema a type. What comes out is the engine's fact but for its type and the default of `updatedAt`. */

const AMOUNT_MAX = 1e15;

const word = optional(idText);
const name = optional(plainText(1, NAME_MAX));
const moment = optional(time);
const amount = z.number().min(-AMOUNT_MAX).max(AMOUNT_MAX);
const currency = optional(z.string().regex(/^[A-Z]{3}$/, 'must be an ISO 4217 code of three capital letters, such as EUR'));
const domain = plainText(1, 253).regex(/^[^\s.@/:]+(?:\.[^\s.@/:]+)+$/, 'must be a domain such as example.com');
const email = plainText(3, 320).regex(/^[^\s@]+@[^\s@]+$/, 'must be an e-mail address');

const day = z
  .string()
  .regex(/^\d{4}-\d\d-\d\d$/, 'must be a calendar day such as 2026-03-01')
  .refine(isCalendarDay, 'must be a day that exists')
  .meta({ format: 'date' });

/** Date takes 2026-02-30 for 2 March; only a day that exists comes back as it was. */
function isCalendarDay(text: string): boolean {
  const date = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(text) && text >= '0001';
}

const base = {
  id: idText,
  updatedAt: moment.describe('When the source last changed it: the newest wins. At most 5 minutes ahead of the clock here; by default now'),
};

export const accountSchema = z
  .strictObject({
    ...base,
    name,
    domains: z
      .array(domain)
      .max(DOMAINS_MAX)
      .nullish()
      .transform((domains) => domains ?? []),
    industry: word,
    employees: optional(z.int().min(0).max(1e9)),
    tier: word,
    targetList: optional(z.boolean()).describe('Whether the account is on the target list'),
    owner: name.describe('Who looks after it'),
    parentId: word,
    attributes: textMap.nullish().transform((attributes) => attributes ?? {}),
  })
  .meta({ id: 'AccountFact' });

export const contactSchema = z
  .strictObject({
    ...base,
    accountId: idText,
    role: word.describe('Part in the buying committee, such as decision_maker; a changed role counts for past touches too'),
    email: optional(email),
    title: name,
    seniority: word,
    consent: optional(z.boolean()),
  })
  .meta({ id: 'ContactFact' });

export const leadSchema = z
  .strictObject({
    ...base,
    accountId: word,
    contactId: word,
    status: word,
    source: word,
    campaignId: word,
    createdAt: moment,
    qualifiedAt: moment,
  })
  .meta({ id: 'LeadFact' });

export const opportunitySchema = z
  .strictObject({
    ...base,
    accountId: idText,
    name,
    stage: word,
    amount: optional(amount),
    currency,
    source: word,
    owner: name,
    createdAt: moment,
    closedAt: moment,
    outcome: optional(z.enum(['won', 'lost'])).describe('null while it is open'),
  })
  .meta({ id: 'OpportunityFact' });

export const spendSchema = z
  .strictObject({
    ...base,
    date: day,
    campaignId: word,
    creativeId: word,
    channel: word,
    category: word,
    amount: amount.describe('Negative for money that came back'),
    currency,
  })
  .meta({ id: 'SpendFact' });

export const subscriptionSchema = z
  .strictObject({
    ...base,
    accountId: idText,
    mrr: z.number().min(0).max(AMOUNT_MAX).describe('Monthly recurring revenue'),
    currency,
    from: moment,
    to: moment,
  })
  .meta({ id: 'SubscriptionFact' });
