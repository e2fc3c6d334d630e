import { fc, test } from '@fast-check/vitest';
import { historyArbitrary, type GeneratedEntry, type History } from '@touchstone/testkit';
import { describe, expect, it } from 'vitest';
import { scoringModelSchema, type ScoringModel } from '../model.ts';
import { AccountPast, replayAccount } from './account-past.ts';
import { explain, EXPLAIN_VIEWS, type Explanation, type ExplainView } from './explain.ts';
import { accountsIn, recordsOf, runLive } from './test-history.ts';

const DAY_MS = 86_400_000;
const hostile = historyArbitrary({ datedAhead: true, steps: { min: 0, max: 200 } });

/** As whoever reads the answer adds up. */
function added({ parts, rest, rounding }: Explanation): number {
  let sum = 0;
  for (const { points } of parts) sum += points;
  if (rest !== null) sum += rest.points;
  for (const more of rounding) sum += more;
  return sum;
}

async function pastOf(accountId: string, entries: readonly GeneratedEntry[], model: ScoringModel, asOf: number): Promise<AccountPast> {
  const past = new AccountPast({ partition: 0, accountId, model, asOf, isExplained: true });
  await replayAccount(recordsOf(accountId, entries), [past]);
  return past;
}

describe('an explanation', () => {
  test.prop([hostile, fc.nat(20), fc.infiniteStream(fc.boolean()), fc.integer({ min: 1, max: 12 })], { numRuns: 60 })(
    'has parts that add up to the points that were served, to the last bit, in every view and cut off anywhere',
    async ({ entries }: History, rescoringRecords, looks, limit) => {
      const { kept, served } = runLive(entries, rescoringRecords, () => looks.next().value);
      for (const { at, model, view } of served.slice(-6)) {
        const past = await pastOf(view.accountId, kept, model, at);
        for (const by of EXPLAIN_VIEWS) {
          for (const most of [limit, 1000]) {
            const explanation = explain(past, by, most);
            expect(explanation.points).toBe(view.points);
            expect(added(explanation)).toBe(view.points);
          }
        }
      }
    },
  );

  test.prop([hostile], { numRuns: 100 })('equals one by definition, part by part', async ({ asOf, entries }: History) => {
    const { kept, ledgers } = runLive(entries, 3, () => false);
    const at = Math.max(asOf, ledgers.now);
    for (const accountId of accountsIn(kept)) {
      const explanation = explain(await pastOf(accountId, kept, ledgers.model, at), 'part', 1000);
      const expected = byDefinition(accountId, kept, ledgers.model, at);
      const found = new Map(explanation.parts.map((part) => [JSON.stringify([part.contactId, part.ruleId, part.campaignId]), part]));
      expect([...found.keys()].toSorted()).toEqual([...expected.keys()].toSorted());
      for (const [key, part] of found) {
        const one = expected.get(key)!;
        expect([part.touches, part.capped.touches, part.role, part.multiplier]).toEqual([
          one.touches,
          one.capped,
          one.role,
          one.multiplier,
        ]);
        expect(part.worth).toBeCloseTo(one.worth, 9);
        expect(Math.abs(part.points - one.points)).toBeLessThanOrEqual(1e-9 * Math.max(1, Math.abs(one.points)));
      }
    }
  });

  describe('of hand-worked touches', () => {
    // At a whole number of half-lives, so that weights are round.
    const T = 20_500 * DAY_MS;
    const model = scoringModelSchema.parse({
      version: 'm',
      decay: { kind: 'exponential', halfLifeDays: 10 },
      rules: [
        { id: 'meetings', kind: 'meeting', points: 30 },
        { id: 'visits', kind: 'web_visit', points: 2, pointsPerMinute: 1, maxMinutes: 5, dailyCap: 2 },
      ],
      roles: { champion: 1.5 },
    });
    const nothing = { creativeId: null, url: null, source: null, properties: {} };
    const entry = (offset: number, record: object): GeneratedEntry => ({
      partition: 0,
      offset,
      appendedAt: T,
      record: { id: `t${offset}`, accountId: 'acme', ...nothing, ...record } as GeneratedEntry['record'],
    });
    const visit = (offset: number, minutes: number) =>
      entry(offset, { contactId: 'bo', kind: 'web_visit', occurredAt: T, minutes, channel: 'web', campaignId: 'spring' });
    const entries = [
      entry(0, { contactId: 'ada', kind: 'meeting', occurredAt: T - 10 * DAY_MS, minutes: 0, channel: null, campaignId: null }),
      visit(1, 3),
      visit(2, 60),
      visit(3, 1),
      entry(4, { contactId: null, kind: 'podcast', occurredAt: T, minutes: 0, channel: null, campaignId: null }),
      entry(5, { type: 'contact', id: 'ada', updatedAt: T, role: 'champion', email: null, title: null, seniority: null, consent: null }),
    ];
    const explained = async (view: ExplainView, limit = 100) => explain(await pastOf('acme', entries, model, T), view, limit);

    it('tells count, worth, multiplier, decay, points and what the cap took', async () => {
      expect(await explained('part')).toEqual({
        points: 34.5,
        touches: 5,
        touchesWithoutRule: 1,
        parts: [
          {
            contactId: 'ada',
            role: 'champion',
            ruleId: 'meetings',
            kind: 'meeting',
            campaignId: null,
            touches: 1,
            worth: 30,
            multiplier: 1.5,
            decay: 0.5,
            points: 22.5,
            capped: { touches: 0, worth: 0, points: 0 },
          },
          {
            contactId: 'bo',
            role: null,
            ruleId: 'visits',
            kind: 'web_visit',
            campaignId: 'spring',
            touches: 3,
            worth: 12,
            multiplier: 1,
            decay: 1,
            points: 12,
            capped: { touches: 1, worth: 3, points: 3 },
          },
        ],
        rest: null,
        rounding: [],
      });
    });

    it.each([
      ['contact', { contactId: 'ada', role: 'champion' }],
      ['rule', { ruleId: 'meetings', kind: 'meeting' }],
      ['campaign', { campaignId: null }],
      ['kind', { kind: 'meeting' }],
      ['channel', { channel: null }],
    ] as const)('by %s, has what is not told apart left out', async (view, names) => {
      const figures = { touches: 1, worth: 30, multiplier: 1.5, decay: 0.5, points: 22.5, capped: { touches: 0, worth: 0, points: 0 } };
      expect((await explained(view)).parts[0]).toEqual({ ...names, ...figures });
    });

    it('keeps what is beyond its limit together', async () => {
      const { parts, rest } = await explained('part', 1);
      expect(parts).toHaveLength(1);
      expect(rest).toEqual({ parts: 1, touches: 3, worth: 12, points: 12, capped: { touches: 1, worth: 3, points: 3 } });
    });
  });
});

interface Defined {
  touches: number;
  capped: number;
  worth: number;
  points: number;
  readonly role: string | null;
  readonly multiplier: number;
}

/** Touch by touch, with nothing of the engine but the model's schema. */
function byDefinition(accountId: string, kept: readonly GeneratedEntry[], model: ScoringModel, asOf: number): Map<string, Defined> {
  const facts = kept.flatMap(({ record }) =>
    'type' in record && record.type === 'contact' && record.accountId === accountId ? [record] : [],
  );
  const roleOf = (contactId: string | null): string | null => {
    let newest: (typeof facts)[number] | null = null;
    for (const fact of facts) if (fact.id === contactId && (newest === null || fact.updatedAt >= newest.updatedAt)) newest = fact;
    return newest?.role ?? null;
  };
  const counts = new Map<string, number>();
  const parts = new Map<string, Defined>();
  for (const { record } of kept) {
    if ('type' in record || record.accountId !== accountId) continue;
    for (const rule of model.rules) {
      if (rule.kind !== record.kind || !meets(rule.where ?? {}, record)) continue;
      const day = JSON.stringify([record.contactId, rule.id, Math.floor(record.occurredAt / DAY_MS)]);
      const before = counts.get(day) ?? 0;
      counts.set(day, before + 1);
      const role = roleOf(record.contactId);
      const multiplier = role !== null && Object.hasOwn(model.roles, role) ? model.roles[role]! : 1;
      const key = JSON.stringify([record.contactId, rule.id, record.campaignId]);
      const part = parts.get(key) ?? { touches: 0, capped: 0, worth: 0, points: 0, role, multiplier };
      parts.set(key, part);
      part.touches++;
      if (before >= (rule.dailyCap ?? Infinity)) {
        part.capped++;
        continue;
      }
      const worth = rule.points + rule.pointsPerMinute * Math.min(record.minutes, rule.maxMinutes);
      part.worth += worth;
      part.points += multiplier * worth * 2 ** (-Math.max(0, asOf - record.occurredAt) / (model.decay.halfLifeDays * DAY_MS));
    }
  }
  return parts;
}

function meets(
  where: NonNullable<ScoringModel['rules'][number]['where']>,
  touch: Exclude<GeneratedEntry['record'], { type: string }>,
): boolean {
  const { properties = {}, ...fields } = where;
  const asked: [string | undefined, string | null | undefined][] = [
    ...Object.entries(fields).map(([name, pattern]): [string | undefined, string | null] => [pattern, touch[name as 'url']]),
    ...Object.entries(properties).map(([name, pattern]): [string, string | undefined] => [
      pattern,
      Object.hasOwn(touch.properties, name) ? touch.properties[name] : undefined,
    ]),
  ];
  return asked.every(([pattern, value]) => {
    if (pattern === undefined) return true;
    const escaped = pattern.split('*').map((text) => text.replace(/[$()+.?[\\\]^{|}/-]/g, '\\$&'));
    return value !== null && value !== undefined && new RegExp(`^${escaped.join('.*')}$`, 's').test(value);
  });
}
