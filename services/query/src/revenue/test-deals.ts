import { RECORD, type Alert, type Fact, type OpportunityFact } from '@touchstone/engine';
import type { Store, StoredFact } from '@touchstone/store';
import { EntryRun, type GeneratedEntry, type GeneratedTouch } from '@touchstone/testkit';
import { alertOf, transitionOf } from '../test-alerts.ts';

/** Touches and facts of a test, into a store. */

export function touchOf(accountId: string, at: string, changes: Partial<GeneratedTouch> = {}): GeneratedTouch {
  return {
    id: `${accountId} ${at}`,
    accountId,
    contactId: null,
    kind: 'web_visit',
    occurredAt: Date.parse(at),
    minutes: 0,
    channel: null,
    campaignId: null,
    creativeId: null,
    url: null,
    source: null,
    properties: {},
    ...changes,
  };
}

export function opportunityOf(id: string, accountId: string, createdAt: string, changes: Partial<OpportunityFact> = {}): OpportunityFact {
  return {
    type: 'opportunity',
    id,
    accountId,
    updatedAt: Date.parse(createdAt),
    name: null,
    stage: null,
    amount: null,
    currency: 'EUR',
    source: null,
    owner: null,
    createdAt: Date.parse(createdAt),
    closedAt: null,
    outcome: null,
    ...changes,
  };
}

export function accountOf(id: string, changes: Partial<Extract<Fact, { type: 'account' }>> = {}): Fact {
  const unsaid = { name: null, industry: null, employees: null, tier: null, targetList: null, owner: null, parentId: null };
  return { type: 'account', id, updatedAt: 1, domains: [], attributes: {}, ...unsaid, ...changes };
}

export function leadOf(id: string, accountId: string | null, createdAt: string, qualifiedAt: string | null = null): Fact {
  const unsaid = { contactId: null, status: null, source: null, campaignId: null };
  return {
    type: 'lead',
    id,
    accountId,
    updatedAt: Date.parse(createdAt),
    createdAt: Date.parse(createdAt),
    qualifiedAt: qualifiedAt === null ? null : Date.parse(qualifiedAt),
    ...unsaid,
  };
}

/** An account's how-many-eth step under `qualification`; `up` when it became a qualified one. */
export function qualificationOf(accountId: string, step: number, at: string, changes: Partial<Alert> = {}) {
  const rest = { ruleId: 'qualification', type: 'account.mqa.entered' as const, metric: null, threshold: null };
  return transitionOf(alertOf({ id: `mqa ${accountId} ${step}`, accountId, episode: step, at: Date.parse(at), ...rest, ...changes }), {
    step,
  });
}

/** An account's how-many-eth step from stage to stage. */
export function stageOf(accountId: string, step: number, at: string, currentStage: string | null, direction: 'up' | 'down' = 'up') {
  const rest = { ruleId: 'stages', type: 'account.stage.changed' as const, currentStage, direction };
  return transitionOf(alertOf({ id: `stage ${accountId} ${step}`, accountId, episode: step, at: Date.parse(at), ...rest }), { step });
}

/** When the log took the first record of a test; each further one a millisecond later. */
export const APPENDED_FROM = 1_700_000_000_000;

export class Deals {
  readonly #store: Store;
  #offset = 0;

  constructor(store: Store) {
    this.#store = store;
  }

  async save(
    records: readonly (GeneratedTouch | Fact)[],
    transitions: Parameters<Store['checkpoint']>[0][number]['transitions'] = [],
  ): Promise<void> {
    const entries = records.map((record): GeneratedEntry => ({
      partition: 0,
      offset: this.#offset,
      appendedAt: APPENDED_FROM + this.#offset++,
      record,
    }));
    const touches = this.#store.touchRows(0);
    const facts: StoredFact[] = [];
    const run = new EntryRun(0, entries);
    while (run.next()) {
      if (run.kind === RECORD.touch) touches.add(run.offset, run.appendedAt, run.touch);
      else facts.push({ partition: 0, offset: run.offset, appendedAt: run.appendedAt, fact: run.fact! });
    }
    await this.#store.checkpoint([{ partition: 0, offset: this.#offset, generation: 'g', touches, facts, deadLetters: [], transitions }]);
  }
}
