import { fc, test as property } from '@fast-check/vitest';
import { expect, it, test } from 'vitest';
import { assign, keepOrAssign } from './assign.ts';
import { Evidence } from './evidence.ts';
import { armsIn } from './experiment-state.ts';
import { judge } from './judge.ts';
import type { EvidencePlan, Lineup } from './lineup.ts';
import { moveSlices, slicesOf } from './slices.ts';
import { summarise } from './summarise.ts';
import type { EvidenceSummary } from './summary.ts';

const DAY_MS = 86_400_000;
const START = Date.UTC(2026, 0, 1);
const plan: EvidencePlan = { seed: 'hero', campaignId: 'spring', startedAt: START, outcomeWindowMs: 7 * DAY_MS, graceMs: 0 };
const arms = ['a', 'b', 'c'].map((creativeId) => ({ creativeId, weight: 1 }));
const ACCOUNTS_A_DAY = 300;
const SHOWN_DAYS = 10;
const SWAP_DAY = 11;

/** Accounts come each day and are shown what they are to see daily; on a day c is swapped out. */
function runThrough(days: number) {
  const evidence = new Evidence(plan, ['a', 'b', 'c']);
  const lineups: Lineup[] = [{ since: START, slices: slicesOf(arms, 1), holdout: 0 }];
  for (let day = 0; day < days; day++) {
    const at = START + day * DAY_MS;
    const isSwapped = day >= SWAP_DAY;
    if (day === SWAP_DAY) {
      const slices = moveSlices(lineups[0]!.slices, armsIn(arms, ['c']), 1);
      lineups.push({ since: at, slices, holdout: 0, movesShown: true });
    }
    const current = { id: 'hero', coverage: 1, ...plan, arms: armsIn(arms, isSwapped ? ['c'] : []), ...lineups.at(-1)! };
    const first = Math.max(0, day - SHOWN_DAYS + 1) * ACCOUNTS_A_DAY;
    for (let account = first; account < (day + 1) * ACCOUNTS_A_DAY; account++) {
      const accountId = `account-${account}`;
      const row = evidence.rows.get(accountId);
      const held =
        row === undefined ? null : { creativeId: evidence.creatives[evidence.lastCreative[row]!]!, exposedAt: evidence.lastSeenAt[row]! };
      const { creativeId } = keepOrAssign(current, accountId, held, at, 14 * DAY_MS);
      const touch = {
        accountId,
        campaignId: 'spring',
        creativeId,
        occurredAt: at + account,
        appendedAt: at + account,
        worth: 1,
        offset: account,
        isAbove: false,
      };
      evidence.touch({ ...touch, kind: 'ad_impression' });
    }
  }
  return summarise(evidence, lineups, START + days * DAY_MS);
}

it.each([SWAP_DAY + 1, SWAP_DAY + 6, SWAP_DAY + 20])('a swap sets off no alarm by itself, on day %i', (days) => {
  const summary = runThrough(days);
  const options = { outcome: 'clicked' as const, creatives: ['a', 'b'], control: 'a', level: 0.05, tunedForAccounts: 5000 };
  const judgement = judge(summary, { ...options, leastAccounts: 100, sampleRatioLevel: 0.001, leftOutMax: 0.2 });
  expect(judgement).toMatchObject({ leftOutShare: 0, sampleRatio: { isAlarm: false } });
  // Those of the era before are the ones that were settled when it ended: of four days, as windows take seven.
  expect(summary.eras[0]!.arms.reduce((sum, { settled }) => sum + settled, 0)).toBe(4 * ACCOUNTS_A_DAY);
  if (days > SWAP_DAY + 8) expect(summary.eras[1]!.arms.every(({ settled }) => settled > ACCOUNTS_A_DAY)).toBe(true);
});

test.each([
  ['uncovered', 0.5, 0],
  ['held out', 1, 0.1],
])('accounts that are %s and were shown the control set off no alarm, nor do they count for it', (_, coverage, holdout) => {
  const evidence = new Evidence(plan, ['a', 'b', 'c']);
  const lineup = { since: START, slices: slicesOf(arms, coverage), holdout };
  for (let offset = 0; offset < 6000; offset++) {
    const accountId = `account-${offset}`;
    const { creativeId: assigned } = assign({ ...plan, ...lineup }, accountId);
    const touch = { accountId, campaignId: 'spring', creativeId: assigned ?? 'a', occurredAt: START, appendedAt: START, offset };
    evidence.touch({ ...touch, kind: 'ad_impression', worth: 0, isAbove: false });
    // Whoever is outside is another kind of people.
    if (offset % 10 === 0 && assigned !== null) evidence.touch({ ...touch, kind: 'ad_click', worth: 1, isAbove: false });
  }
  const summary = summarise(evidence, [lineup], START + 8 * DAY_MS);
  const options = { outcome: 'clicked' as const, creatives: ['a', 'b', 'c'], control: 'a', level: 0.05, tunedForAccounts: 5000 };
  const judgement = judge(summary, { ...options, leastAccounts: 100, sampleRatioLevel: 0.001, leftOutMax: 0.2 });
  expect(judgement).toMatchObject({ verdict: 'wait', reason: 'not_sure_yet', leftOutShare: 0, sampleRatio: { isAlarm: false } });
  const { heldOutExposed, uncoveredExposed } = summary;
  expect(heldOutExposed + uncoveredExposed).toBeGreaterThan(500);
  const exposed = summary.eras[0]!.arms.reduce((sum, arm) => sum + arm.exposed, 0);
  expect(exposed + heldOutExposed + uncoveredExposed).toBe(6000);
});

const HOUR_MS = 3_600_000;
const anyLineup = fc.record({
  hours: fc.constantFrom(0, 0.5, 5, 50),
  weights: fc.tuple(...arms.map(() => fc.integer({ min: 0, max: 5 }))).filter((weights) => weights.some((weight) => weight > 0)),
  movesShown: fc.boolean(),
});
const anyExposure = fc.record({
  account: fc.integer({ min: 0, max: 60 }),
  creativeId: fc.constantFrom('a', 'b', 'c'),
  kind: fc.constantFrom('ad_impression', 'ad_click', 'web_visit'),
  hours: fc.integer({ min: 0, max: 150 }),
});

property.prop([fc.array(anyLineup, { maxLength: 12 }), fc.array(anyExposure, { maxLength: 80 }), fc.integer({ min: 1, max: 12 })])(
  'of more lineups than are kept the newest are compared as if all were, and the accounts of the others are counted',
  (changes, touches, lineupsMax) => {
    const lineups: Lineup[] = [{ since: START, slices: slicesOf(arms, 0.9), holdout: 0.1 }];
    for (const { hours, movesShown, weights } of changes) {
      const { since, slices } = lineups.at(-1)!;
      const weighed = arms.map(({ creativeId }, at) => ({ creativeId, weight: weights[at]! }));
      lineups.push({ since: since + hours * HOUR_MS, slices: moveSlices(slices, weighed, 0.9), holdout: 0.1, movesShown });
    }
    const evidence = new Evidence({ ...plan, outcomeWindowMs: 20 * HOUR_MS }, ['a', 'b', 'c']);
    for (const [offset, { account, creativeId, hours, kind }] of touches.toSorted((one, other) => one.hours - other.hours).entries()) {
      const at = START + hours * HOUR_MS;
      const touch = { accountId: `account-${account}`, campaignId: 'spring', creativeId, occurredAt: at, appendedAt: at, offset };
      evidence.touch({ ...touch, kind, worth: 1, isAbove: false });
    }
    const asOf = START + 160 * HOUR_MS;
    const whole = summarise(evidence, lineups, asOf, Infinity);
    const kept = summarise(evidence, lineups.slice(-lineupsMax - 1), asOf, lineupsMax);
    expect(kept.eras).toEqual(whole.eras.slice(-lineupsMax));
    const dropped = whole.eras.slice(0, -lineupsMax).flatMap((era) => era.arms);
    const outside = ({ heldOutExposed, uncoveredExposed }: EvidenceSummary): number => heldOutExposed + uncoveredExposed;
    expect(kept.forgotten).toBe(dropped.reduce((sum, { exposed }) => sum + exposed, 0) + outside(whole) - outside(kept));
    expect(kept.late).toBe(whole.late);
  },
);
