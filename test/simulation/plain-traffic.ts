import type { Fact } from '@touchstone/engine';
import type { GeneratedEntry, GeneratedTouch } from '@touchstone/testkit';
import type { Random } from '../support/random.ts';
import type { SimulationOptions } from './options.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const KINDS = ['web_visit', 'web_visit', 'ad_impression', 'ad_click', 'form_fill', 'email_open', 'meeting', 'call', 'podcast'] as const;
const ROLES = ['decision_maker', 'champion', 'influencer', 'user', null] as const;

/** Touches and facts of many accounts: late ones, repeated ones, ones ahead of the clock, some of no account; roles that change. */
export function plainEntries(
  { accounts, hasRules, records, repeatRate }: SimulationOptions,
  random: Random,
  begin: number,
): GeneratedEntry[] {
  const entries: GeneratedEntry[] = [];
  const touches: GeneratedTouch[] = [];
  let appendedAt = begin;
  for (let offset = 0; offset < records; offset++) {
    appendedAt += gapMs(random);
    const record = recordOf(offset);
    if (!('type' in record)) touches.push(record);
    entries.push({ partition: 0, offset, appendedAt, record });
  }
  return entries;

  function recordOf(index: number): GeneratedTouch | Fact {
    const accountId = `account-${random.whole(0, accounts - 1)}`;
    // Only rules ask for what the CRM says of accounts.
    if (hasRules && random.chance(0.06)) return random.chance(0.6) ? accountFact(accountId) : opportunityFact(accountId);
    if (random.chance(0.08)) return contactFact(accountId);
    const former = touches.length > 0 && random.chance(repeatRate) ? random.pick(touches) : null;
    return former ?? touch(`touch-${index}`, random.chance(0.03) ? null : accountId);
  }

  function touch(id: string, accountId: string | null): GeneratedTouch {
    return {
      id,
      accountId,
      contactId: accountId === null || random.chance(0.8) ? `contact-${random.whole(0, 5)}` : null,
      kind: random.pick(KINDS),
      occurredAt: appendedAt + aheadMs(random),
      minutes: random.chance(0.5) ? random.whole(0, 60) : 0,
      channel: null,
      campaignId: random.chance(0.3) ? `campaign-${random.whole(0, 3)}` : null,
      creativeId: random.chance(0.2) ? `creative-${random.whole(0, 2)}` : null,
      url: random.chance(0.2) ? '/pricing' : null,
      source: null,
      properties: {},
    };
  }

  function accountFact(id: string): Fact {
    return {
      type: 'account',
      id,
      updatedAt: appendedAt - random.whole(0, 3) * HOUR_MS,
      name: null,
      domains: [],
      industry: random.pick(['mining', 'none', null]),
      employees: null,
      tier: random.pick(['first', 'second', null]),
      targetList: random.pick([true, false, null]),
      owner: random.pick(['ann', 'bo', null]),
      parentId: null,
      attributes: {},
    };
  }

  function opportunityFact(accountId: string): Fact {
    return {
      type: 'opportunity',
      id: `opportunity-${random.whole(0, 20)}`,
      updatedAt: appendedAt - random.whole(0, 3) * HOUR_MS,
      accountId,
      name: null,
      stage: null,
      amount: null,
      currency: null,
      source: null,
      owner: null,
      createdAt: null,
      closedAt: null,
      outcome: random.pick(['won', 'lost', null, null]),
    };
  }

  function contactFact(accountId: string): Fact {
    return {
      type: 'contact',
      id: `contact-${random.whole(0, 5)}`,
      updatedAt: appendedAt - random.whole(0, 3) * HOUR_MS,
      accountId,
      role: random.pick(ROLES),
      email: null,
      title: null,
      seniority: null,
      consent: null,
    };
  }
}

function gapMs(random: Random): number {
  if (random.chance(0.7)) return 0;
  if (random.chance(0.9)) return random.whole(1, MINUTE_MS);
  return random.whole(1, random.chance(0.9) ? 2 * HOUR_MS : 30 * HOUR_MS);
}

/** Mostly just happened; some late by up to a year, some ahead of the clock, some too far ahead to count. */
function aheadMs(random: Random): number {
  if (random.chance(0.8)) return -random.whole(0, 10_000);
  if (random.chance(0.5)) return -random.whole(0, random.pick([HOUR_MS, 10 * DAY_MS, 365 * DAY_MS]));
  return random.pick([1, MINUTE_MS, 5 * MINUTE_MS, HOUR_MS, HOUR_MS + 1]);
}
