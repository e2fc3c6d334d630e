import type { Fact, ScoringModel } from '@touchstone/engine';
import fc from 'fast-check';
import { stepArbitrary, type Action, type Moment, type Step, type TouchDraft } from './history-steps.ts';
import type { TickRecord, TouchRecord } from './log-entry.ts';

/**
 * Hostile histories: few accounts and contacts, touches late by up to 400 days and ahead by up to 5 minutes, many a millisecond from the edge
 * of an hour, a day or a window; ids repeated within and beyond the dedupe horizon; caps hit; roles changed and changed back by facts out of
 * order; models published in between.
 */

/** A touch with all fields: an absent one is null, no minutes are 0. */
export type GeneratedTouch = { readonly [Field in keyof TouchRecord]-?: Exclude<TouchRecord[Field], undefined> } & {
  readonly minutes: number;
  readonly properties: Readonly<Record<string, string>>;
};

export interface GeneratedEntry {
  readonly partition: number;
  readonly offset: number;
  readonly appendedAt: number;
  readonly record: GeneratedTouch | Fact | { readonly type: 'model'; readonly model: ScoringModel } | TickRecord;
}

export interface History {
  /** In log order. */
  readonly entries: readonly GeneratedEntry[];
  /** A moment to ask at: that of the last append, or up to 100 days later. */
  readonly asOf: number;
}

export interface HistoryOptions {
  /** Steps, of which each leaves one entry (a published model one in each partition). Default 0 to 120. */
  readonly steps?: { readonly min: number; readonly max: number };
  /** What `asOf` is, epoch ms. By default varied within 2026. */
  readonly asOf?: number;
  /** How many partitions there are, and which takes a key (account, else contact, else the fact's id). By default there is one. */
  readonly partitions?: { readonly count: number; of(key: string): number };
  /** Also touches dated around 1 h ahead of their append; default false. */
  readonly datedAhead?: boolean;
  /** Models published on the way; default true. */
  readonly models?: boolean;
  /** Also what only alerts depend on: ticks, accounts that are described, opportunities, and weeks in which nothing happens; default false. */
  readonly alerts?: boolean;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const AHEAD_MAX_MS = 5 * MINUTE_MS;
const RETENTION_MS = 400 * DAY_MS;
const YEAR_2026 = Date.UTC(2026, 0, 1);

export function historyArbitrary(options: HistoryOptions = {}): fc.Arbitrary<History> {
  const { min, max } = options.steps ?? { min: 0, max: 120 };
  const { alerts = false, datedAhead = false, models = true } = options;
  return fc
    .record({
      steps: fc.array(stepArbitrary({ alerts, datedAhead, models }), { minLength: min, maxLength: max, size: 'max' }),
      asOf: options.asOf === undefined ? fc.integer({ min: YEAR_2026, max: YEAR_2026 + 365 * DAY_MS }) : fc.constant(options.asOf),
      quietMs: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: HOUR_MS }), fc.integer({ min: 0, max: 100 * DAY_MS })),
    })
    .map(({ steps, asOf, quietMs }) => ({ entries: unfold(steps, asOf, quietMs, options), asOf }));
}

/** The same history for the same seed (an integer) and options. */
export function hostileHistory(seed: number, options: HistoryOptions = {}): History {
  return fc.sample(historyArbitrary(options), { seed, numRuns: 1 })[0]!;
}

function unfold(steps: readonly Step[], asOf: number, quietMs: number, options: HistoryOptions): GeneratedEntry[] {
  const { count, of: partitionOf } = options.partitions ?? { count: 1, of: () => 0 };
  const nextOffsets = Array.from({ length: count }, () => 0);
  const entries: GeneratedEntry[] = [];
  const touches: GeneratedTouch[] = [];
  let appendedAt = asOf - quietMs;
  for (const { gapMs } of steps) appendedAt -= gapMs;

  for (const [index, { gapMs, offsetsSkipped, action }] of steps.entries()) {
    appendedAt += gapMs;
    const record = recordOf(action, index, appendedAt, asOf, touches);
    if (isTouch(record)) touches.push(record);
    const isOfAll = 'type' in record && (record.type === 'model' || record.type === 'tick');
    const partitions = isOfAll ? nextOffsets.keys() : [partitionOf(keyOf(record))];
    for (const partition of partitions) {
      const offset = nextOffsets[partition]! + offsetsSkipped;
      nextOffsets[partition] = offset + 1;
      entries.push({ partition, offset, appendedAt, record });
    }
  }
  return entries;
}

function recordOf(
  action: Action,
  index: number,
  appendedAt: number,
  asOf: number,
  touches: readonly GeneratedTouch[],
): GeneratedEntry['record'] {
  switch (action.do) {
    case 'touch':
      return touchOf(`touch-${index}`, action.touch, appendedAt, asOf);
    case 'date_ahead':
      return { ...touchOf(`touch-${index}`, action.touch, appendedAt, asOf), occurredAt: appendedAt + action.aheadMs };
    case 'repeat': {
      const former = formerTouch(touches, action.back);
      if (former === undefined) return nothingToRepeat(appendedAt);
      if (action.as !== null) return touchOf(former.id, action.as, appendedAt, asOf);
      // Sent again when it is too old by now, it is not let in.
      return former.occurredAt === withinLimits(former.occurredAt, appendedAt) ? former : nothingToRepeat(appendedAt);
    }
    case 'another': {
      const former = formerTouch(touches, action.back);
      if (former === undefined) return nothingToRepeat(appendedAt);
      const occurredAt = withinLimits(former.occurredAt + action.shiftMs, appendedAt);
      return { ...former, id: `touch-${index}`, occurredAt, minutes: action.minutes, campaignId: action.campaignId };
    }
    case 'contact': {
      const { accountId, contactId: id, role, updated } = action;
      const updatedAt = (Math.floor(appendedAt / updated.unitMs) - updated.back) * updated.unitMs;
      return { type: 'contact', id, updatedAt, accountId, role, email: null, title: null, seniority: null, consent: null };
    }
    case 'fact':
      return factOf(action, appendedAt);
    case 'describe':
      return { ...emptyAccount, ...action.said, type: 'account', id: action.accountId, updatedAt: appendedAt - action.updatedBackMs };
    case 'deal': {
      const { accountId, id, outcome, updatedBackMs } = action;
      const said = { ...emptyOpportunity, source: null, createdAt: null };
      return { ...said, type: 'opportunity', id, accountId, outcome, updatedAt: appendedAt - updatedBackMs };
    }
    case 'tick':
      return { type: 'tick', tick: { writtenAt: appendedAt, fleetGrowth: action.fleetGrowth } };
    case 'publish':
      return { type: 'model', model: { ...action.model, version: `generated-${index}` } };
  }
}

function touchOf(id: string, draft: TouchDraft, appendedAt: number, asOf: number): GeneratedTouch {
  const { when, ...fields } = draft;
  return { id, occurredAt: withinLimits(timeOf(when, appendedAt, asOf), appendedAt), ...fields };
}

function formerTouch(touches: readonly GeneratedTouch[], back: number): GeneratedTouch | undefined {
  return touches.at(-1 - back) ?? touches[0];
}

/** A fact that changes no account stands in. */
function nothingToRepeat(appendedAt: number): Fact {
  return factOf({ do: 'fact', type: 'spend', accountId: 'nobody' }, appendedAt);
}

/** What the API lets in; a moment outside it moves to the limit, which is a hostile moment as well. */
function withinLimits(occurredAt: number, appendedAt: number): number {
  return Math.min(Math.max(occurredAt, appendedAt - RETENTION_MS), appendedAt + AHEAD_MAX_MS);
}

function timeOf(when: Moment, appendedAt: number, asOf: number): number {
  if (when.near === 'append') return appendedAt + when.aheadMs;
  const from = when.near === 'append_edge' ? appendedAt : asOf;
  return (Math.floor(from / when.unitMs) - when.back) * when.unitMs + when.deltaMs;
}

function factOf({ type, accountId }: Extract<Action, { do: 'fact' }>, updatedAt: number): Fact {
  const from = { updatedAt, source: null, createdAt: null };
  switch (type) {
    case 'account':
      return { type, id: accountId, updatedAt, ...emptyAccount };
    case 'lead':
      // It names a contact, but only a contact fact or a touch makes a contact known.
      return { type, id: 'lead-1', accountId, contactId: 'named by a lead', status: null, campaignId: null, qualifiedAt: null, ...from };
    case 'opportunity':
      return { type, id: 'opportunity-1', accountId, ...emptyOpportunity, ...from };
    case 'subscription':
      return { type, id: 'subscription-1', updatedAt, accountId, mrr: 1, currency: 'EUR', from: null, to: null };
    case 'spend':
      return { type, id: 'spend-1', updatedAt, date: '2026-01-01', amount: 1, currency: 'EUR', ...emptySpend };
  }
}

const emptyAccount = {
  name: null,
  domains: [],
  industry: null,
  employees: null,
  tier: null,
  targetList: null,
  owner: null,
  parentId: null,
  attributes: {},
};
const emptyOpportunity = { name: null, stage: null, amount: null, currency: null, owner: null, closedAt: null, outcome: null };
const emptySpend = { campaignId: null, creativeId: null, channel: null, category: null };

function isTouch(record: GeneratedEntry['record']): record is GeneratedTouch {
  return !('type' in record);
}

/** The key by which a log chooses the partition of a touch or a fact. */
function keyOf(record: GeneratedEntry['record']): string {
  if (isTouch(record)) return record.accountId ?? record.contactId ?? record.id;
  if (record.type === 'model' || record.type === 'tick') return '';
  return 'accountId' in record ? (record.accountId ?? record.id) : record.id;
}
