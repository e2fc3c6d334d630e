import type { Fact } from '@touchstone/engine';
import { createRandom } from './random.ts';
import { accountIdOf } from './traffic.ts';

const DAY_MS = 86_400_000;
const INDUSTRIES = ['software', 'retail', 'medical', 'finance', 'services', 'marketing', 'telecom', 'energy'];
const CHANNELS = ['paid_search', 'paid_social', 'display', 'events', 'partner'];
const SOURCES = ['web', 'paid_search', 'event', 'outbound', 'partner'];

export interface RevenueWorld {
  readonly accounts: number;
  readonly deals: number;
  /** Everything happened in so many days before `now`, epoch ms. */
  readonly days: number;
  readonly now: number;
  readonly seed: number;
}

/** What a CRM and a finance system would say of a company with so many deals: an account each, a lead a deal, spend by day and campaign, a subscription for one in five. */
export function* revenueFacts({ accounts, days, deals, now, seed }: RevenueWorld): Generator<Fact> {
  const random = createRandom(seed);
  const pick = <Of>(some: readonly Of[]): Of => some[Math.floor(random() * some.length)]!;
  const updatedAt = now;
  const begin = now - days * DAY_MS;
  const moment = (): number => begin + Math.floor(random() * days * DAY_MS);
  for (let rank = 0; rank < accounts; rank++) {
    const unsaid = { name: null, domains: [], employees: null, owner: null, parentId: null, attributes: {} };
    const id = accountIdOf(rank);
    yield {
      type: 'account',
      id,
      updatedAt,
      industry: pick(INDUSTRIES),
      tier: pick(['1', '2', '3']),
      targetList: random() < 0.2,
      ...unsaid,
    };
  }
  for (let deal = 0; deal < deals; deal++) {
    const accountId = accountIdOf(Math.floor(random() * accounts));
    const createdAt = moment();
    const [campaignId, source] = [`campaign-${Math.floor(random() * 40)}`, pick(SOURCES)];
    const isQualified = random() < 0.3;
    const qualifiedAt = isQualified ? createdAt + 3 * DAY_MS : null;
    yield {
      type: 'lead',
      id: `lead-${deal}`,
      updatedAt,
      accountId,
      contactId: null,
      status: null,
      source,
      campaignId,
      createdAt,
      qualifiedAt,
    };
    const outcome = random() < 0.4 ? 'won' : random() < 0.5 ? 'lost' : null;
    const closedAt = outcome === null ? null : createdAt + Math.floor(random() * 60 * DAY_MS);
    const amount = Math.round(random() * 50_000);
    const said = { name: null, stage: outcome ?? 'open', currency: 'EUR', source, owner: null, createdAt, closedAt, outcome } as const;
    yield { type: 'opportunity', id: `deal-${deal}`, updatedAt, accountId, amount, ...said };
    if (deal % 5 !== 0) continue;
    const to = random() < 0.2 ? Math.min(now, createdAt + 120 * DAY_MS) : null;
    yield {
      type: 'subscription',
      id: `sub-${deal}`,
      updatedAt,
      accountId,
      mrr: Math.round(random() * 2000),
      currency: 'EUR',
      from: createdAt,
      to,
    };
  }
  for (let day = 0; day < days; day++) {
    const date = new Date(begin + day * DAY_MS).toISOString().slice(0, 10);
    for (let campaign = 0; campaign < 40; campaign++) {
      const what = {
        campaignId: `campaign-${campaign}`,
        creativeId: null,
        channel: CHANNELS[campaign % CHANNELS.length]!,
        category: 'media',
      };
      yield {
        type: 'spend',
        id: `spend-${day}-${campaign}`,
        updatedAt,
        date,
        amount: Math.round(random() * 500),
        currency: 'EUR',
        ...what,
      };
    }
  }
}
