import type { Fact, LeadFact, OpportunityFact } from '@touchstone/engine';
import { ATTRIBUTION_MODELS, CREDIT_UNITS, creditsOf, type AttributionModel } from '@touchstone/kpis';
import type { GeneratedEntry, GeneratedTouch } from '@touchstone/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ClickHouseStore } from '../click-house-store.ts';
import type { RowTransport } from '../row-transport.ts';
import { checkpointOf, PLAIN_TOUCH } from '../test-records.ts';
import { readAttribution, type AttributionQuery, type CreditRow } from './attribution.ts';

const DAY_MS = 86_400_000;
const AT = Date.UTC(2026, 1, 28, 12);

/** Looks random and is not. */
function sequence(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    // Marsaglia, Xorshift RNGs, 2003.
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

export interface Deals {
  readonly touches: readonly GeneratedTouch[];
  readonly facts: readonly Fact[];
}

const unsaid = { name: null, source: null, owner: null, stage: null };

/** Some accounts with touches of half a year, leads, and opportunities of which half have another version. */
export function makeDeals(): Deals {
  const next = sequence(11);
  const touches: GeneratedTouch[] = [];
  const facts: Fact[] = [];
  for (let account = 0; account < 30; account++) {
    const accountId = `a${account}`;
    for (let touch = next(12); touch > 0; touch--) {
      touches.push({
        ...PLAIN_TOUCH,
        accountId,
        // Several at one instant now and then.
        occurredAt: AT + next(180) * DAY_MS,
        contactId: next(4) === 0 ? null : `c${next(9)}`,
        kind: ['ad_click', 'web_visit', 'meeting', 'ad_impression'][next(4)]!,
        campaignId: next(5) === 0 ? null : `camp${next(3)}`,
        channel: ['ads', 'mail', null][next(3)]!,
      });
    }
    for (let lead = next(3); lead > 0; lead--) {
      const rest = { contactId: null, status: null, source: null, campaignId: null, qualifiedAt: null };
      facts.push({ type: 'lead', id: `l${account}-${lead}`, updatedAt: AT, accountId, createdAt: AT + next(180) * DAY_MS, ...rest });
    }
    for (let deal = next(4); deal > 0; deal--) {
      const createdAt = AT + next(180) * DAY_MS + 1000;
      const outcome = ([null, 'won', 'lost'] as const)[next(3)]!;
      const rest = {
        ...unsaid,
        type: 'opportunity' as const,
        id: `o${account}-${deal}`,
        accountId,
        createdAt,
        currency: ['EUR', 'USD'][next(2)]!,
      };
      const closedAt = outcome === null ? null : createdAt + next(90) * DAY_MS;
      const newest = { ...rest, updatedAt: AT + 2, amount: next(6) === 0 ? null : next(100_000) / 100, closedAt, outcome };
      // An older one that comes late changes nothing.
      const older = { ...rest, updatedAt: AT + 1, amount: 5, closedAt: null, outcome: null, createdAt: createdAt - 40 * DAY_MS };
      facts.push(...(deal % 2 === 0 ? [older, newest] : [newest, older]));
    }
  }
  for (let contact = 0; contact < 5; contact++) {
    const rest = { email: null, title: null, seniority: null, consent: null };
    facts.push({ type: 'contact', id: `c${contact}`, accountId: 'a1', updatedAt: AT, role: ['champion', 'user'][contact % 2]!, ...rest });
  }
  return { touches, facts };
}

/** Stores them as by a checkpoint that was repeated, and whose rows were not merged. */
export async function storeDeals(transport: RowTransport, store: ClickHouseStore, { facts, touches }: Deals): Promise<void> {
  const records = [...touches.map((touch, index) => ({ ...touch, id: `t${index}` })), ...facts];
  const entries = records.map((record, offset): GeneratedEntry => ({ partition: 0, offset, appendedAt: AT + offset, record }));
  for (const table of ['touches', 'opportunities', 'leads']) await transport.command(`SYSTEM STOP MERGES ${table}`);
  for (let time = 0; time < 2; time++) await store.checkpoint([checkpointOf(store, entries)]);
}

/** The newest version of each, of equals the later. */
export function newestOf<Type extends Fact['type']>(facts: readonly Fact[], type: Type): Extract<Fact, { type: Type }>[] {
  const newest = new Map<string, Fact>();
  for (const fact of facts) {
    if (fact.type === type && fact.updatedAt >= (newest.get(fact.id)?.updatedAt ?? 0)) newest.set(fact.id, fact);
  }
  return [...newest.values()] as Extract<Fact, { type: Type }>[];
}

function isIn({ basis, from, to }: AttributionQuery, { closedAt, createdAt, outcome }: OpportunityFact): boolean {
  if (basis === 'won' && outcome !== 'won') return false;
  const at = basis === 'created' ? createdAt! : closedAt;
  return at !== null && at >= from && at < to;
}

/** The same by definition, one opportunity after another. */
function creditRowsOf({ facts, touches }: Deals, query: AttributionQuery): Omit<CreditRow, 'unitsWithoutAmount'>[] {
  const rows = new Map<
    string,
    { key: string | null; currency: string; touches: number; ids: Set<string>; units: number[]; hundredths: number[] }
  >();
  const roles = new Map(newestOf(facts, 'contact').map(({ id, role }) => [id, role]));
  const leads = newestOf(facts, 'lead');
  const keyOf = (touch: GeneratedTouch): string => {
    if (query.by === 'role') return roles.get(touch.contactId ?? '') ?? '';
    return (query.by === 'campaign' ? touch.campaignId : query.by === 'channel' ? touch.channel : touch.kind) ?? '';
  };
  for (const opportunity of newestOf(facts, 'opportunity').filter((one) => isIn(query, one))) {
    const cutAt = query.cut === 'created' ? opportunity.createdAt! : opportunity.closedAt!;
    const isOf = ({ accountId, kind, occurredAt }: GeneratedTouch): boolean =>
      accountId === opportunity.accountId &&
      occurredAt < cutAt &&
      occurredAt >= cutAt - query.lookbackMs &&
      ('only' in query.kinds ? query.kinds.only.includes(kind) : !query.kinds.but.includes(kind));
    // In the order of the log where they happened at one instant, as the sort is stable.
    const path = touches.filter(isOf).toSorted((one, other) => one.occurredAt - other.occurredAt);
    const isLeadOf = ({ accountId, createdAt }: LeadFact): boolean =>
      accountId === opportunity.accountId && createdAt! >= cutAt - query.lookbackMs && createdAt! < cutAt;
    const times = leads.filter(isLeadOf).map(({ createdAt }) => createdAt!);
    const whole = Math.round((opportunity.amount ?? 0) * 100);
    const credits = ATTRIBUTION_MODELS.map((model) =>
      creditsOf(model, {
        occurredAt: path.map(({ occurredAt }) => occurredAt),
        leadCreatedAt: times.length === 0 ? null : Math.min(...times),
        opportunityCreatedAt: opportunity.createdAt!,
        halfLifeMs: query.halfLifeMs,
      }),
    );
    const add = (key: string | null, units: readonly number[], touched: number): void => {
      const place = JSON.stringify([key, opportunity.currency]);
      const row = rows.get(place) ?? {
        key,
        currency: opportunity.currency!,
        touches: 0,
        ids: new Set(),
        units: ATTRIBUTION_MODELS.map(() => 0),
        hundredths: ATTRIBUTION_MODELS.map(() => 0),
      };
      rows.set(place, row);
      row.touches += touched;
      row.ids.add(opportunity.id);
      for (const [model, some] of units.entries()) {
        row.units[model]! += some;
        row.hundredths[model]! += (some / CREDIT_UNITS) * whole;
      }
    };
    if (path.length === 0)
      add(
        null,
        ATTRIBUTION_MODELS.map(() => CREDIT_UNITS),
        0,
      );
    for (const [place, touch] of path.entries())
      add(
        keyOf(touch),
        credits.map((units) => units[place]!),
        1,
      );
  }
  const byModel = (values: readonly number[]) =>
    Object.fromEntries(ATTRIBUTION_MODELS.map((model, index) => [model, values[index]])) as Record<AttributionModel, number>;
  return [...rows.values()]
    .map(({ hundredths, ids, units, ...row }) => ({
      ...row,
      opportunities: ids.size,
      units: byModel(units),
      hundredths: byModel(hundredths),
    }))
    .toSorted((one, other) => orderOf(one).localeCompare(orderOf(other), 'en'));
}

function orderOf({ currency, key }: Pick<CreditRow, 'currency' | 'key'>): string {
  return `${key === null ? 0 : 1}${key}|${currency}`;
}

const RECENT = { from: AT + 60 * DAY_MS, to: AT + 150 * DAY_MS, lookbackMs: 45 * DAY_MS, halfLifeMs: 7 * DAY_MS, filters: {} };
const QUERIES: readonly AttributionQuery[] = [
  { ...RECENT, basis: 'created', cut: 'created', kinds: { but: [] }, by: 'campaign' },
  { ...RECENT, basis: 'won', cut: 'closed', kinds: { but: ['meeting'] }, by: 'channel' },
  { ...RECENT, basis: 'won', cut: 'created', kinds: { only: ['meeting', 'ad_click'] }, by: 'kind', lookbackMs: 400 * DAY_MS },
  { ...RECENT, basis: 'closed', cut: 'closed', kinds: { but: [] }, by: 'role', halfLifeMs: 3_600_000 },
  { ...RECENT, basis: 'created', cut: 'created', kinds: { only: ['nothing'] }, by: 'campaign' },
];

/** The part of the store's contract about how credit is shared. */
export function describeAttribution(name: string, open: () => Promise<RowTransport>): void {
  describe(`attribution on ${name}`, () => {
    const deals = makeDeals();
    let transport: RowTransport;
    let store: ClickHouseStore;

    beforeAll(async () => {
      transport = await open();
      store = new ClickHouseStore(transport);
      await store.migrate();
      await storeDeals(transport, store, deals);
    });

    afterAll(() => store.close());

    it.each(QUERIES)('is shared as by definition: $basis, $cut, $by', async (query) => {
      const rows = (await readAttribution(transport, query)).toSorted((one, other) => orderOf(one).localeCompare(orderOf(other), 'en'));
      const expected = creditRowsOf(deals, query);
      expect(rows.map(({ hundredths, units, unitsWithoutAmount, ...row }) => row)).toEqual(
        expected.map(({ hundredths, units, ...row }) => row),
      );
      for (const [at, { hundredths, touches, units }] of rows.entries()) {
        for (const model of ATTRIBUTION_MODELS) {
          // One unit a touch for powers and quotients that differ in a last digit, and half a cent for rounding.
          expect(Math.abs(units[model] - expected[at]!.units[model]), `${model} ${at}`).toBeLessThanOrEqual(touches);
          expect(Math.abs(hundredths[model] - expected[at]!.hundredths[model]), `${model} ${at}`).toBeLessThanOrEqual(touches + 1);
        }
      }
    });

    it.each(QUERIES)('adds up to every opportunity and all their money: $basis, $cut, $by', async (query) => {
      const rows = await readAttribution(transport, query);
      const opportunities = newestOf(deals.facts, 'opportunity').filter((one) => isIn(query, one));
      expect(opportunities.length).toBeGreaterThan(5);
      for (const model of ATTRIBUTION_MODELS) {
        expect(rows.reduce((sum, { units }) => sum + units[model], 0)).toBe(opportunities.length * CREDIT_UNITS);
        const unknown = rows.reduce((sum, { unitsWithoutAmount }) => sum + unitsWithoutAmount, 0);
        expect(unknown).toBe(opportunities.filter(({ amount }) => amount === null).length * CREDIT_UNITS);
        for (const currency of ['EUR', 'USD']) {
          const money = rows.filter((row) => row.currency === currency).reduce((sum, { hundredths }) => sum + hundredths[model], 0);
          const amounts = opportunities.filter((one) => one.currency === currency).map(({ amount }) => Math.round((amount ?? 0) * 100));
          expect(money).toBe(amounts.reduce((sum, amount) => sum + amount, 0));
        }
      }
    });
  });
}
