import type { Fact } from '@touchstone/engine';

/** Facts of tests: whatever does not matter there is filled in. Times are RFC 3339; `updatedAt` is 1 May 2026 unless said otherwise. */
const UPDATED_AT = '2026-05-01T00:00:00Z';

const moment = (text: string | null | undefined): number | null => (text == null ? null : Date.parse(text));
const updated = (text: string | undefined): number => Date.parse(text ?? UPDATED_AT);

interface Common {
  readonly updatedAt?: string;
}

export function accountFact(id: string, more: Common & { tier?: string; industry?: string; targetList?: boolean } = {}): Fact {
  const { industry = null, targetList = null, tier = null } = more;
  const unsaid = { name: null, domains: [], employees: null, owner: null, parentId: null, attributes: {} };
  return { type: 'account', id, updatedAt: updated(more.updatedAt), industry, tier, targetList, ...unsaid };
}

export function contactFact(id: string, accountId: string, role: string): Fact {
  return { type: 'contact', id, accountId, role, email: null, title: null, seniority: null, consent: null, updatedAt: updated(undefined) };
}

export function leadFact(
  id: string,
  createdAt: string,
  more: Common & { accountId?: string; qualifiedAt?: string; status?: string; source?: string; campaignId?: string } = {},
): Fact {
  const { accountId = null, campaignId = null, source = null, status = null } = more;
  const times = { createdAt: moment(createdAt), qualifiedAt: moment(more.qualifiedAt), updatedAt: updated(more.updatedAt) };
  return { type: 'lead', id, accountId, contactId: null, status, source, campaignId, ...times };
}

export function dealFact(
  id: string,
  accountId: string,
  createdAt: string,
  more: Common & { closedAt?: string; outcome?: 'won' | 'lost'; amount?: number; currency?: string; source?: string; stage?: string } = {},
): Fact {
  const { amount = null, currency = amount === null ? null : 'EUR', outcome = null, source = null, stage = null } = more;
  const times = { createdAt: moment(createdAt), closedAt: moment(more.closedAt), updatedAt: updated(more.updatedAt) };
  return { type: 'opportunity', id, accountId, name: null, stage, amount, currency, source, owner: null, outcome, ...times };
}

export function spendFact(
  id: string,
  date: string,
  amount: number,
  more: Common & { channel?: string; category?: string; campaignId?: string; currency?: string } = {},
): Fact {
  const { campaignId = null, category = null, channel = null, currency = 'EUR' } = more;
  return { type: 'spend', id, date, amount, currency, campaignId, creativeId: null, channel, category, updatedAt: updated(more.updatedAt) };
}

export function subscriptionFact(id: string, accountId: string, mrr: number, from: string, to?: string, currency = 'EUR'): Fact {
  return { type: 'subscription', id, accountId, mrr, currency, from: moment(from), to: moment(to), updatedAt: updated(undefined) };
}
