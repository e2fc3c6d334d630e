/** What each kind of import takes, by the names of the API, and how the text of a cell is read. */
export type FieldKind = 'text' | 'number' | 'flag' | 'time' | 'day' | 'list';

export const TARGETS = ['touches', 'accounts', 'contacts', 'leads', 'opportunities', 'spend', 'subscriptions'] as const;
export type Target = (typeof TARGETS)[number];

interface TargetFields {
  readonly fields: Readonly<Record<string, FieldKind>>;
  /** A field that takes any name after a dot, as in `properties.page`. */
  readonly open?: 'properties' | 'attributes';
  /** Must be mapped or set: without them no row could be taken. */
  readonly needed: readonly string[];
}

const fact = { id: 'text', updatedAt: 'time' } as const;

export const FIELDS: Readonly<Record<Target, TargetFields>> = {
  touches: {
    fields: {
      id: 'text',
      accountId: 'text',
      contactId: 'text',
      kind: 'text',
      occurredAt: 'time',
      minutes: 'number',
      channel: 'text',
      campaignId: 'text',
      creativeId: 'text',
      url: 'text',
      source: 'text',
    },
    open: 'properties',
    needed: ['kind'],
  },
  accounts: {
    fields: {
      ...fact,
      name: 'text',
      domains: 'list',
      industry: 'text',
      employees: 'number',
      tier: 'text',
      targetList: 'flag',
      owner: 'text',
      parentId: 'text',
    },
    open: 'attributes',
    needed: ['id'],
  },
  contacts: {
    fields: { ...fact, accountId: 'text', role: 'text', email: 'text', title: 'text', seniority: 'text', consent: 'flag' },
    needed: ['id', 'accountId'],
  },
  leads: {
    fields: {
      ...fact,
      accountId: 'text',
      contactId: 'text',
      status: 'text',
      source: 'text',
      campaignId: 'text',
      createdAt: 'time',
      qualifiedAt: 'time',
    },
    needed: ['id'],
  },
  opportunities: {
    fields: {
      ...fact,
      accountId: 'text',
      name: 'text',
      stage: 'text',
      amount: 'number',
      currency: 'text',
      source: 'text',
      owner: 'text',
      createdAt: 'time',
      closedAt: 'time',
      outcome: 'text',
    },
    needed: ['id', 'accountId'],
  },
  spend: {
    fields: {
      ...fact,
      date: 'day',
      campaignId: 'text',
      creativeId: 'text',
      channel: 'text',
      category: 'text',
      amount: 'number',
      currency: 'text',
    },
    needed: ['id', 'date', 'amount'],
  },
  subscriptions: {
    fields: { ...fact, accountId: 'text', mrr: 'number', currency: 'text', from: 'time', to: 'time' },
    needed: ['id', 'accountId', 'mrr'],
  },
};

/** How a field's text is read; null when the target has no such field. */
export function fieldKind(target: Target, field: string): FieldKind | null {
  const { fields, open } = FIELDS[target];
  if (Object.hasOwn(fields, field)) return fields[field]!;
  return open !== undefined && field.startsWith(`${open}.`) && field.length > open.length + 1 ? 'text' : null;
}
