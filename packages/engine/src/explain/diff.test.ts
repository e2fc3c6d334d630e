import { fc, test } from '@fast-check/vitest';
import { historyArbitrary, type GeneratedEntry, type History } from '@touchstone/testkit';
import { describe, expect, it } from 'vitest';
import { scoringModelSchema } from '../model.ts';
import { replayAccount } from './account-past.ts';
import { AccountDiff, CHANGE_CAUSES, type DiffOptions, type PointsDiff } from './diff.ts';
import { recordsOf, runLive } from './test-history.ts';

const DAY_MS = 86_400_000;

async function diffOf(kept: readonly GeneratedEntry[], options: Omit<DiffOptions, 'partition'>): Promise<PointsDiff> {
  const diff = new AccountDiff({ partition: 0, ...options });
  await replayAccount(recordsOf(options.accountId, kept), diff.pasts);
  return diff.result;
}

function added({ parts, rounding }: PointsDiff): number {
  let sum = 0;
  for (const cause of CHANGE_CAUSES) sum += parts[cause];
  for (const more of rounding) sum += more;
  return sum;
}

describe('the change of an account between two instants', () => {
  test.prop(
    [historyArbitrary({ datedAhead: true, steps: { min: 0, max: 150 } }), fc.nat(20), fc.infiniteStream(fc.boolean()), fc.nat(), fc.nat()],
    { numRuns: 100 },
  )(
    'is that of what was served, and its parts add up to it, to the last bit',
    async ({ entries }: History, rescoringRecords, looks, one, other) => {
      const { kept, served } = runLive(entries, rescoringRecords, () => looks.next().value);
      const accountId = served.at(-1)?.view.accountId;
      const own = served.filter(({ view }) => view.accountId === accountId);
      if (accountId === undefined) return;
      const [from, to] = [own[one % own.length]!, own[other % own.length]!].sort((a, b) => a.at - b.at) as [
        (typeof own)[0],
        (typeof own)[0],
      ];
      const diff = await diffOf(kept, { accountId, from: from.at, to: to.at, modelFrom: from.model, modelTo: to.model });
      expect([diff.before, diff.after]).toEqual([from.view.points, to.view.points]);
      expect(diff.change).toBe(to.view.points - from.view.points);
      expect(added(diff)).toBe(diff.change);
    },
  );

  it('is told apart by what it comes from', async () => {
    const model = (version: string, points: number) =>
      scoringModelSchema.parse({
        version,
        decay: { kind: 'exponential', halfLifeDays: 10 },
        rules: [{ id: 'meetings', kind: 'meeting', points }],
        roles: { champion: 2 },
      });
    const from = 20_500 * DAY_MS;
    const to = from + 10 * DAY_MS;
    const nothing = { channel: null, campaignId: null, creativeId: null, url: null, source: null, minutes: 0, properties: {} };
    const meeting = (offset: number, appendedAt: number, occurredAt: number): GeneratedEntry => ({
      partition: 0,
      offset,
      appendedAt,
      record: { id: `t${offset}`, accountId: 'acme', contactId: 'ada', kind: 'meeting', occurredAt, ...nothing },
    });
    const fact = { email: null, title: null, seniority: null, consent: null };
    const kept: GeneratedEntry[] = [
      meeting(0, from, from),
      meeting(1, to, to),
      meeting(2, to, from - 10 * DAY_MS),
      {
        partition: 0,
        offset: 3,
        appendedAt: to,
        record: { type: 'contact', id: 'ada', accountId: 'acme', updatedAt: to, role: 'champion', ...fact },
      },
    ];
    // 16 points; then 8 are left of it, 16 and 4 come, all of it counts twice, and then two and a half times as much.
    expect(await diffOf(kept, { accountId: 'acme', from, to, modelFrom: model('a', 16), modelTo: model('b', 40) })).toEqual({
      before: 16,
      after: 140,
      change: 124,
      parts: { touches: 20, decay: -8, identity: 28, model: 84, correction: 0 },
      rounding: [],
      newTouches: 2,
      lateTouches: 1,
    });
  });
});
