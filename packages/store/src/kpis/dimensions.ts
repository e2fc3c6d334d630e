import type { KpiSettings } from '@touchstone/kpis';
import { LEADS, OPPORTUNITIES } from '../opportunities/dated-facts.ts';
import { qualifiedLeads } from '../opportunities/qualified-leads.ts';

/** The typed tables that KPIs are measured on, each with what it can be filtered and segmented by. */

/** What an account is; known of every row that names one. */
const OF_ACCOUNT = {
  tier: 'account.tier',
  industry: 'account.industry',
  targetList: "if(account.target_list, 'true', 'false')",
  owner: 'account.owner',
  parentId: 'account.parent_id',
} as const;

export const DIMENSIONS = [
  'tier',
  'industry',
  'targetList',
  'owner',
  'parentId',
  'source',
  'campaignId',
  'creativeId',
  'channel',
  'category',
] as const;
export type Dimension = (typeof DIMENSIONS)[number];

type Expressions = Readonly<Partial<Record<Dimension, string>>>;

/** What a source may be told by. */
export interface SourceScope {
  readonly settings: Pick<KpiSettings, 'qualifiedStatuses'>;
  /** What its rows are filtered and segmented by; absent for nothing. */
  readonly asked?: readonly Dimension[];
  /** As that of a statement's scope. */
  list(texts: readonly string[]): string;
}

export interface FactTable {
  /** Of the facts or touches in it, for reasons. */
  readonly words: string;
  /** Whether its rows are the newest of several versions, told apart by FINAL. */
  readonly isVersioned: boolean;
  /** What is read in its place, where it is no table of its own. */
  readonly from?: string | ((scope: SourceScope) => string);
  /** What has a row where it has one: read to know that, as it costs less than the table with all that is computed of it. */
  readonly probe?: string;
  /** Which of its rows, in SQL; default all. */
  readonly where?: string;
  /**
   * Only different values of these columns are ever counted, so that rows are brought down to them (and to what is asked for of `own`) before anything else is done with
   * them: touches are many times as many as who made them.
   */
  readonly values?: readonly string[];
  /** Aggregates beside them, `... AS name`, that may be added up whatever the rows are then told by. */
  readonly sums?: readonly string[];
  /** Column that names the account; absent where there is none. */
  readonly account?: string;
  /** Its own columns, in the row's alias `row`. */
  readonly own: Expressions;
}

/** The owner is that of the opportunity, and of its account where it has none: as in everything else that is told of opportunities. */
const OF_OPPORTUNITY = { source: 'row.source', owner: "if(row.owner = '', account.owner, row.owner)" } as const;
const OF_TOUCH = { campaignId: 'row.campaign_id', creativeId: 'row.creative_id', channel: 'row.channel', source: 'row.source' } as const;

/**
 * Touches of some kinds. They are read where they are stored, in the order of the log: a copy of them in another order made checkpoints take more than twice as
 * long, which every touch pays for, and questions are asked now and then. A touch may be there twice until a merge; `logged` is its place on the log, by which one is
 * told from its repeat (FINAL would do so too, by reading several times as much).
 */
function touchesOf(kinds: string): string {
  return `(SELECT occurred_at, account_id, contact_id, kind, channel, campaign_id, creative_id, source, bitOr(bitShiftLeft(toUInt64(partition), 48), offset) AS logged
    FROM touches WHERE kind ${kinds})`;
}
const ENGAGING = touchesOf(`NOT IN ('ad_impression', 'email_open', 'direct_mail')`);

export const FACT_TABLES = {
  accounts: { words: 'accounts', isVersioned: true, account: 'id', own: {} },
  contacts: { words: 'contacts', isVersioned: true, account: 'account_id', own: {} },
  leads: {
    words: 'leads',
    isVersioned: false,
    from: LEADS,
    probe: 'leads',
    account: 'account_id',
    own: { source: 'row.source', campaignId: 'row.campaign_id' },
  },
  opportunities: {
    words: 'opportunities',
    isVersioned: false,
    from: OPPORTUNITIES,
    probe: 'opportunities',
    account: 'account_id',
    own: OF_OPPORTUNITY,
  },
  /** Opportunities as something that accounts have: the owner is that of the account, as it is of the accounts that they are held against. */
  opportunitiesOfAccounts: {
    words: 'opportunities',
    isVersioned: false,
    from: OPPORTUNITIES,
    probe: 'opportunities',
    account: 'account_id',
    own: { source: 'row.source' },
  },
  qualified: {
    words: 'qualified leads',
    isVersioned: false,
    from: ({ list, settings }: SourceScope) => qualifiedLeads(list(settings.qualifiedStatuses)),
    account: 'account_id',
    own: {},
  },
  subscriptions: {
    words: 'subscriptions',
    isVersioned: false,
    // `first_at` is when the account's first one began.
    from: `(SELECT *, min(begins_at) OVER (PARTITION BY account_id) AS first_at FROM (SELECT * FROM subscriptions FINAL WHERE mrr > 0))`,
    probe: `(SELECT 1 FROM subscriptions FINAL WHERE mrr > 0)`,
    account: 'account_id',
    own: {},
  },
  /** Opportunities that say their source: without any nobody knows which are marketing's. */
  sources: {
    words: 'sources of opportunities',
    isVersioned: false,
    from: `(SELECT * FROM opportunities FINAL WHERE source != '')`,
    account: 'account_id',
    own: OF_OPPORTUNITY,
  },
  /** Accounts that were ever touched. */
  touched: {
    words: 'touches',
    isVersioned: false,
    from: `(SELECT account_id FROM touches WHERE account_id != '')`,
    account: 'account_id',
    own: {},
  },
  /** Accounts that bought, with when they did first: a deal that was won or a subscription that began. */
  customers: {
    words: 'won opportunities or subscriptions',
    isVersioned: false,
    from: `(SELECT account_id, min(since) AS first_at FROM
      (SELECT account_id, closed_at AS since FROM ${OPPORTUNITIES} WHERE outcome = 'won'
       UNION ALL SELECT account_id, begins_at AS since FROM subscriptions FINAL WHERE mrr > 0) GROUP BY account_id)`,
    account: 'account_id',
    own: {},
  },
  /** Accounts with touches that engage; a touch may be there twice, so that only different values may be counted. */
  engagedAccounts: { words: 'touches', isVersioned: false, from: ENGAGING, values: ['account_id'], account: 'account_id', own: OF_TOUCH },
  /** Who made them. */
  engagedContacts: {
    words: 'touches',
    isVersioned: false,
    from: ENGAGING,
    values: ['account_id', 'contact_id'],
    account: 'account_id',
    own: OF_TOUCH,
  },
  /** Who visited, with how many `visits`, each once. */
  visitors: {
    words: 'web visits',
    isVersioned: false,
    from: touchesOf(`= 'web_visit'`),
    values: ['account_id', 'contact_id'],
    sums: ['uniqExact(logged) AS visits'],
    account: 'account_id',
    own: OF_TOUCH,
  },
  /** Contacts with their first touch ever. */
  firstTouches: {
    words: 'touches of contacts',
    isVersioned: false,
    // All touches there are go by: what is not asked for is not read.
    from: ({ asked = [] }: SourceScope) => `(SELECT account_id, contact_id, min(occurred_at) AS first_at,
        ${asked.includes('campaignId') ? 'argMin(toString(campaign_id), (occurred_at, offset))' : "''"} AS campaign_id
      FROM touches WHERE contact_id != '' AND account_id != '' GROUP BY account_id, contact_id)`,
    probe: `(SELECT 1 FROM touches WHERE contact_id != '' AND account_id != '')`,
    account: 'account_id',
    own: { campaignId: 'row.campaign_id' },
  },
  spend: {
    words: 'spend',
    isVersioned: true,
    own: { campaignId: 'row.campaign_id', creativeId: 'row.creative_id', channel: 'row.channel', category: 'row.category' },
  },
} as const satisfies Record<string, FactTable>;
export type FactTableName = keyof typeof FACT_TABLES;

/** What is read for the table. */
export function sourceOf(name: FactTableName, scope: SourceScope): string {
  const { from = name }: FactTable = FACT_TABLES[name];
  return typeof from === 'string' ? from : from(scope);
}

/** What to read to know whether the table has any row. */
export function probeOf(name: FactTableName, scope: SourceScope): string {
  const { probe }: FactTable = FACT_TABLES[name];
  return probe ?? sourceOf(name, scope);
}

/** What a row of the table is in a dimension, as text; null where its rows say nothing of it. */
export function expressionOf(name: FactTableName, dimension: Dimension): string | null {
  const table: FactTable = FACT_TABLES[name];
  const own = table.own[dimension];
  if (own !== undefined) return own;
  const ofAccount = (OF_ACCOUNT as Expressions)[dimension];
  return table.account === undefined || ofAccount === undefined ? null : ofAccount;
}
