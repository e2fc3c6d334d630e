import { fc, test } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import { assign, creativeOf, holdoutBucketOf } from './assign.ts';
import { Evidence, type CountedTouch } from './evidence.ts';
import { bucketOf, BUCKETS } from './hash.ts';
import type { EvidencePlan, Lineup } from './lineup.ts';
import { slicesOf } from './slices.ts';
import { summarise } from './summarise.ts';
import { mergeSummaries, type ArmSummary, type EvidenceSummary } from './summary.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const START = Date.UTC(2026, 0, 1);
const plan: EvidencePlan = { seed: 'exp-12', campaignId: 'spring', startedAt: START, outcomeWindowMs: 7 * DAY_MS, graceMs: DAY_MS };
const arms = [{ creativeId: 'crA', weight: 1 }, { creativeId: 'crB', weight: 1 }]; // prettier-ignore
const even: Lineup = { since: START, slices: slicesOf(arms, 1), holdout: 0 };

function accountOf(creativeId: string, lineup = even, nth = 0): string {
  for (let n = 0, found = 0; ; n++) {
    const accountId = `account-${n}`;
    const assigned = assign({ seed: plan.seed, ...lineup }, accountId);
    if ((assigned.creativeId ?? assigned.group) === creativeId && found++ === nth) return accountId;
  }
}

function touchOf(accountId: string, kind: string, hours: number, change: Partial<CountedTouch> = {}): CountedTouch {
  const occurredAt = START + hours * HOUR_MS;
  const creativeId = kind.startsWith('ad_') ? 'crA' : null;
  const appended = { appendedAt: occurredAt, offset: 100 };
  return { accountId, kind, campaignId: 'spring', creativeId, occurredAt, ...appended, worth: 1, isAbove: false, ...change };
}

/** Of the first era, after the touches. */
function after(touches: readonly CountedTouch[], days: number, lineups: readonly Lineup[] = [even]): EvidenceSummary {
  const evidence = new Evidence(plan, ['crA', 'crB']);
  for (const touch of touches) evidence.touch(touch);
  return summarise(evidence, lineups, START + days * DAY_MS);
}

function armIn({ eras }: EvidenceSummary, creativeId = 'crA', era = 0): ArmSummary {
  return eras[era]!.arms.find((arm) => arm.creativeId === creativeId)!;
}

const one = accountOf('crA');
const other = accountOf('crB');

describe('an account', () => {
  it('enters the comparison when its window and the grace are over, with what it did in the window', () => {
    const touches = [
      touchOf(one, 'web_visit', -1, { worth: 5 }),
      touchOf(one, 'ad_impression', 0, { worth: 0.1 }),
      touchOf(one, 'ad_click', 1, { worth: 2 }),
      touchOf(one, 'ad_impression', 2, { worth: 0.1 }),
      touchOf(one, 'meeting', 48, { worth: 30 }),
      touchOf(one, 'web_visit', 7 * 24 + 1, { worth: 7 }),
    ];
    expect(armIn(after(touches, 7.9)).settled).toBe(0);
    const arm = armIn(after(touches, 8));
    expect(arm).toMatchObject({ exposed: 1, settled: 1, contaminated: 0, strayed: 0, impressions: 2, clicks: 1 });
    expect(arm.moments.clicked).toMatchObject({ accounts: 1, w: 2, wx: 2, wy: 2 });
    expect(arm.moments.clickRate).toMatchObject({ wx: 4, wy: 2 });
    expect(arm.moments.engaged).toMatchObject({ wy: 2 });
    // Its own impressions are the treatment; the visit before and the one after lie outside.
    expect(arm.moments.pointsGained).toMatchObject({ wy: 64 });
  });

  it('is not engaged by what it is shown', () => {
    const arm = armIn(after([touchOf(one, 'ad_impression', 0), touchOf(one, 'email_open', 1), touchOf(one, 'direct_mail', 2)], 9));
    expect(arm.moments.engaged.wy).toBe(0);
    expect(arm.moments.pointsGained.wy).toBe(4);
  });

  it('that clicked has seen the creative, though its impression came later', () => {
    const arm = armIn(after([touchOf(one, 'ad_click', 1), touchOf(one, 'ad_impression', 0, { appendedAt: START + 2 * HOUR_MS })], 9));
    expect(arm).toMatchObject({ exposed: 1, impressions: 1, clicks: 1 });
  });

  it('that saw two creatives is left out, in whatever order they came', () => {
    const touches = [
      touchOf(one, 'ad_impression', 5),
      touchOf(one, 'ad_impression', 1, { creativeId: 'crB', appendedAt: START + 6 * HOUR_MS }),
    ];
    expect(armIn(after(touches, 9))).toMatchObject({ exposed: 1, contaminated: 1, settled: 0 });
  });

  it('stays as it was settled: another creative or a click that comes later changes nothing and is counted', () => {
    const evidence = new Evidence(plan, ['crA', 'crB']);
    evidence.touch(touchOf(one, 'ad_impression', 0));
    const late = { appendedAt: START + 8 * DAY_MS };
    expect(evidence.touch(touchOf(one, 'ad_click', 1, late))).toBe('late');
    expect(evidence.touch(touchOf(one, 'ad_impression', 8 * 24, { creativeId: 'crB' }))).toBe('out_of_window');
    const summary = summarise(evidence, [even], START + 9 * DAY_MS);
    expect(armIn(summary)).toMatchObject({ settled: 1, contaminated: 0, clicks: 0 });
    expect(summary.late).toBe(1);
  });

  it('that saw what it was not assigned has strayed', () => {
    expect(armIn(after([touchOf(other, 'ad_impression', 0)], 9))).toMatchObject({ exposed: 1, strayed: 1, settled: 0 });
  });

  it('that is held out or not covered and saw a creative is counted', () => {
    const lineup = { since: START, slices: slicesOf(arms, 0.5), holdout: 0.3 };
    const touches = [
      touchOf(accountOf('holdout', lineup), 'ad_impression', 0),
      touchOf(accountOf('uncovered', lineup), 'ad_impression', 0),
    ];
    const summary = after(touches, 9, [lineup]);
    expect(summary).toMatchObject({ heldOutExposed: 1, uncoveredExposed: 1 });
    expect(armIn(summary)).toMatchObject({ exposed: 0, contaminated: 0, strayed: 0, settled: 0, impressions: 0 });
  });

  it('says nothing of another campaign, or of none', () => {
    const touches = [
      touchOf(one, 'ad_impression', 0, { campaignId: 'autumn' }),
      touchOf(accountOf('crA', even, 1), 'ad_impression', 0, { campaignId: null }),
    ];
    expect(armIn(after(touches, 9)).exposed).toBe(0);
  });

  it('is not exposed by what it was shown before the start, however late that is told', () => {
    const evidence = new Evidence(plan, ['crA', 'crB']);
    expect(evidence.touch(touchOf(one, 'ad_impression', -5, { appendedAt: START + HOUR_MS }))).toBe('not_exposed');
    expect(evidence.touch(touchOf(one, 'ad_impression', 2))).toBe('exposed');
    expect(evidence.exposedAt[0]).toBe(START + 2 * HOUR_MS);
  });

  it('is neither contaminated nor clicking by what happened before the start, when it is told after its exposure', () => {
    const told = { appendedAt: START + 2 * HOUR_MS };
    const touches = [
      touchOf(one, 'ad_impression', 1),
      touchOf(one, 'ad_impression', -5, { ...told, creativeId: 'crB' }),
      touchOf(one, 'ad_click', -4, told),
      // It clicked before the impression that came first.
      touchOf(one, 'ad_click', 0.5, told),
    ];
    expect(armIn(after(touches, 9))).toMatchObject({ contaminated: 0, settled: 1, impressions: 1, clicks: 1 });
  });

  it('has no late touch in what would not have counted either way', () => {
    const evidence = new Evidence(plan, ['crA', 'crB']);
    evidence.touch(touchOf(one, 'ad_impression', 5));
    const told = { appendedAt: START + 10 * DAY_MS };
    expect(evidence.touch(touchOf(one, 'web_visit', 4, told))).toBe('out_of_window');
    expect(evidence.touch(touchOf(one, 'ad_click', -4, told))).toBe('out_of_window');
    expect(evidence.touch(touchOf(one, 'web_visit', 6, told))).toBe('late');
    expect(evidence.late).toBe(1);
  });

  it('keeps what it was shown last, by when it happened', () => {
    const evidence = new Evidence(plan, ['crA', 'crB']);
    evidence.touch(touchOf(one, 'ad_impression', 0));
    evidence.touch(touchOf(one, 'ad_impression', 30, { creativeId: 'crB' }));
    evidence.touch(touchOf(one, 'ad_impression', 20, { appendedAt: START + 31 * HOUR_MS }));
    expect([evidence.lastCreative[0], evidence.lastSeenAt[0]]).toEqual([1, START + 30 * HOUR_MS]);
    // After it is settled as well.
    evidence.touch(touchOf(one, 'ad_impression', 20 * 24));
    expect([evidence.lastCreative[0], evidence.lastSeenAt[0]]).toEqual([0, START + 20 * DAY_MS]);
  });

  it('that was shown two creatives at one instant keeps the one that came last', () => {
    const evidence = new Evidence(plan, ['crA', 'crB']);
    for (const creativeId of ['crA', 'crB']) evidence.touch(touchOf(one, 'ad_impression', 0, { creativeId }));
    expect(evidence.lastCreative[0]).toBe(1);
  });

  const end = 7 * 24;
  const settled = { appendedAt: START + 8 * DAY_MS };
  it.each([
    ['with its exposure', touchOf(one, 'web_visit', 0), 'counted'],
    ['a millisecond before it', touchOf(one, 'web_visit', 0, { occurredAt: START - 1 }), 'out_of_window'],
    ['as its window ends', touchOf(one, 'web_visit', end), 'counted'],
    ['a millisecond later', touchOf(one, 'web_visit', end, { occurredAt: START + 7 * DAY_MS + 1 }), 'out_of_window'],
    ['as its window ends, told a millisecond before it is settled', touchOf(one, 'web_visit', end, { appendedAt: START + 8 * DAY_MS - 1 }), 'counted'], // prettier-ignore
    ['as its window ends, told when it is settled', touchOf(one, 'web_visit', end, settled), 'late'],
    ['after it, told when it is settled', touchOf(one, 'web_visit', end, { ...settled, occurredAt: START + 7 * DAY_MS + 1 }), 'out_of_window'], // prettier-ignore
  ] as const)('did something %s', (_, touch, outcome) => {
    const evidence = new Evidence(plan, ['crA', 'crB']);
    expect(evidence.touch(touchOf(one, 'ad_impression', 0))).toBe('exposed');
    expect(evidence.touch(touch)).toBe(outcome);
    expect(evidence.late).toBe(outcome === 'late' ? 1 : 0);
    expect(evidence.points[0]).toBe(outcome === 'counted' ? 1 : 0);
  });

  it('that is shown another creative between its window and its settling is left out', () => {
    const touches = [touchOf(one, 'ad_impression', 0), touchOf(one, 'ad_impression', end + 1, { creativeId: 'crB' })];
    expect(armIn(after(touches, 9))).toMatchObject({ contaminated: 1, settled: 0, impressions: 1 });
  });

  it('above the threshold when first exposed says nothing of reaching it', () => {
    const evidence = new Evidence(plan, ['crA', 'crB']);
    const accounts = [0, 1, 2].map((nth) => accountOf('crA', even, nth));
    for (const accountId of accounts) evidence.touch(touchOf(accountId, 'ad_impression', 0, { isAbove: accountId === accounts[0] }));
    const crossed = (nth: number, at: number): void =>
      evidence.crossed({ accountId: accounts[nth]!, direction: 'up', at: START + at, version: 101 });
    crossed(0, DAY_MS);
    crossed(1, DAY_MS);
    crossed(2, 7 * DAY_MS + 1);
    expect(armIn(summarise(evidence, [even], START + 9 * DAY_MS)).moments.reachedThreshold).toMatchObject({ accounts: 2, wy: 2 });
  });

  // Offset 100 exposes it, at START.
  it.each([
    ['went up before', [['up', -1, 99]], 'above'],
    ['went up, and down again before', [['up', -2, 90], ['down', -1, 91]], 'below'], // prettier-ignore
    ['went up in the millisecond of its exposure, by an earlier touch', [['up', 0, 99]], 'above'],
    ['went up by the touch that exposed it', [['up', 0, 100]], 'reached'],
    ['went down after it, and up again', [['up', -1, 99], ['down', 1, 101], ['up', 2, 102]], 'above'], // prettier-ignore
    ['went down after it', [['down', 1, 101]], 'below'],
    ['went up at the last instant of its window', [['up', 7 * 24, 200]], 'reached'],
  ] as const)('that %s, by crossings told late, again, and the other way round', (_, crossings, expected) => {
    const evidence = new Evidence(plan, ['crA', 'crB']);
    evidence.touch(touchOf(one, 'ad_impression', 0));
    const told = crossings.map(([direction, hours, version]) => ({ accountId: one, direction, at: START + hours * HOUR_MS, version }));
    for (const crossing of [...told.toReversed(), ...told, ...told.slice(0, 1)]) evidence.crossed(crossing);
    const { accounts, wy } = armIn(summarise(evidence, [even], START + 9 * DAY_MS)).moments.reachedThreshold;
    expect({ accounts, wy }).toEqual(
      { above: { accounts: 0, wy: 0 }, below: { accounts: 1, wy: 0 }, reached: { accounts: 1, wy: 2 } }[expected],
    );
  });
});

describe('an era', () => {
  const alone: Lineup = { since: START + DAY_MS, slices: slicesOf([{ creativeId: 'crB', weight: 1 }], 1), holdout: 0 };

  it('is that of the first exposure, and its shares are the weights', () => {
    const touches = [touchOf(one, 'ad_impression', 0), touchOf(other, 'ad_impression', 30, { creativeId: 'crB' })];
    const summary = after(touches, 10, [even, alone]);
    expect(armIn(summary, 'crA', 0).moments.clicked.w).toBe(2);
    expect(armIn(summary, 'crB', 1).moments.clicked.w).toBe(1);
  });

  it.each([
    ['shortly after the change follows the lineup before, where that explains it', 24.5, 0],
    ['later has strayed', 25.5, 1],
  ])('of an impression %s', (_, hours, strayed) => {
    const summary = after([touchOf(one, 'ad_impression', hours)], 10, [even, alone]);
    expect(summary.eras.reduce((sum, { arms }) => sum + arms.reduce((all, arm) => all + arm.strayed, 0), 0)).toBe(strayed);
  });

  it.each([
    ['at the very change is of the lineup that begins', 'crB', 24, 1],
    ['shortly after it that both explain is of the later', 'crB', 24.1, 1],
    ['shortly after it that the former alone explains is of that', 'crA', 24 + 59 / 60, 0],
    ['an hour after it is of the later, whatever explains it', 'crA', 25, 1],
  ])('an impression %s', (_, assigned, hours, era) => {
    const accountId = assigned === 'crA' ? one : other;
    const summary = after([touchOf(accountId, 'ad_impression', hours, { creativeId: assigned })], 2, [even, alone]);
    expect(summary.eras.map(({ arms }) => arms.reduce((sum, { exposed }) => sum + exposed, 0))).toEqual(era === 0 ? [1, 0] : [0, 1]);
  });

  it.each([
    ['at the instant of a swap is in the comparison', 8, true, 1],
    ['later than a swap never enters', 7.99, true, 0],
    ['later than weights moved enters all the same', 7.99, false, 1],
  ])('an account that is settled %s', (_, days, movesShown, settled) => {
    const next: Lineup = { ...even, since: START + days * DAY_MS, movesShown };
    expect(armIn(after([touchOf(one, 'ad_impression', 0)], 20, [even, next]))).toMatchObject({ exposed: 1, settled });
  });

  it('counts an account that is neither covered nor let in once, and one held out from its own creative in no arm', () => {
    const heldOut: Lineup = { since: START, slices: slicesOf(arms, 0.5), holdout: 0.5 };
    const ids = Array.from({ length: 400 }, (_, n) => `account-${n}`);
    const isOut = (id: string): boolean => holdoutBucketOf(plan.seed, id) < 5000;
    const uncovered = ids.find((id) => isOut(id) && creativeOf(heldOut.slices, bucketOf(plan.seed, id)) === null)!;
    const own = ids.find((id) => isOut(id) && creativeOf(heldOut.slices, bucketOf(plan.seed, id)) === 'crA')!;
    expect(after([touchOf(uncovered, 'ad_impression', 0)], 9, [heldOut])).toMatchObject({ uncoveredExposed: 1, heldOutExposed: 0 });
    const summary = after([touchOf(own, 'ad_impression', 0)], 9, [heldOut]);
    expect(summary).toMatchObject({ uncoveredExposed: 0, heldOutExposed: 1 });
    expect(armIn(summary)).toMatchObject({ exposed: 0, strayed: 0, settled: 0 });
  });

  it('lets in the first account after those that are held out', () => {
    const bucket = holdoutBucketOf(plan.seed, one);
    const lineup = (held: number): Lineup => ({ ...even, holdout: held / BUCKETS });
    expect(armIn(after([touchOf(one, 'ad_impression', 0)], 9, [lineup(bucket)]))).toMatchObject({ settled: 1, exposed: 1 });
    expect(armIn(after([touchOf(one, 'ad_impression', 0)], 9, [lineup(bucket + 1)]))).toMatchObject({ settled: 0, exposed: 0 });
  });
});

describe('evidence as a whole', () => {
  interface Step {
    readonly account: number;
    readonly kind: string;
    readonly creativeId: string | null;
    readonly gapHours: number;
    readonly lagHours: number;
    readonly worth: number;
  }

  const step: fc.Arbitrary<Step> = fc.record({
    account: fc.nat(9),
    kind: fc.constantFrom('ad_impression', 'ad_impression', 'ad_click', 'web_visit', 'email_open'),
    creativeId: fc.constantFrom('crA', 'crA', 'crB', null),
    gapHours: fc.nat(60),
    lagHours: fc.nat(50),
    worth: fc.nat(5),
  });

  function touchesOf(steps: readonly Step[]): CountedTouch[] {
    let now = START;
    return steps.map(({ account, creativeId, gapHours, kind, lagHours, worth }) => {
      now += gapHours * HOUR_MS;
      return {
        accountId: `account-${account}`,
        kind,
        campaignId: 'spring',
        creativeId,
        occurredAt: now - lagHours * HOUR_MS,
        appendedAt: now,
        offset: 0,
        worth,
        isAbove: false,
      };
    });
  }

  /** Account by account, as it is defined. */
  function byDefinition(touches: readonly CountedTouch[], asOf: number): Record<string, number[]> {
    const sums: Record<string, number[]> = {};
    for (const accountId of new Set(touches.map((touch) => touch.accountId))) {
      const own = touches.filter((touch) => touch.accountId === accountId);
      const isAd = (touch: CountedTouch): boolean => touch.creativeId !== null && touch.kind.startsWith('ad_');
      const from = own.findIndex((touch) => isAd(touch) && touch.occurredAt >= plan.startedAt);
      if (from < 0) continue;
      const first = own[from]!;
      const settledAt = first.appendedAt + plan.outcomeWindowMs + plan.graceMs;
      const inTime = own.slice(from).filter((touch) => touch.appendedAt < settledAt);
      const isContaminated = inTime.some((touch) => isAd(touch) && touch.creativeId !== first.creativeId);
      const isAssigned = assign({ seed: plan.seed, ...even }, accountId).creativeId === first.creativeId;
      if (isContaminated || !isAssigned || settledAt > asOf) continue;
      const counted = inTime.filter(
        (touch) => touch.occurredAt <= first.occurredAt + plan.outcomeWindowMs && (isAd(touch) || touch.occurredAt >= first.occurredAt),
      );
      const clicks = counted.filter((touch) => isAd(touch) && touch.kind === 'ad_click').length;
      const answers = counted.filter((touch) => !(isAd(touch) && touch.kind === 'ad_impression'));
      const sum = (sums[first.creativeId!] ??= [0, 0, 0, 0, 0]);
      sum[0]!++;
      sum[1]! += clicks > 0 ? 1 : 0;
      sum[2]! += clicks;
      sum[3]! += answers.some(({ kind }) => kind !== 'email_open' && kind !== 'ad_impression') ? 1 : 0;
      sum[4]! += answers.reduce((worth, touch) => worth + touch.worth, 0);
    }
    return sums;
  }

  function servedBy(summary: EvidenceSummary): Record<string, number[]> {
    const settled = summary.eras.flatMap(({ arms }) => arms).filter((arm) => arm.settled > 0);
    return Object.fromEntries(
      settled.map(({ creativeId, moments, settled }) => [
        creativeId,
        [settled, moments.clicked.wy / 2, moments.clickRate.wy / 2, moments.engaged.wy / 2, moments.pointsGained.wy / 2],
      ]),
    );
  }

  const history = fc.array(step, { maxLength: 60 }).map(touchesOf);
  const inAll = (touches: readonly CountedTouch[]): number => (touches.at(-1)?.appendedAt ?? START) + 3 * DAY_MS;

  test.prop([history])('is what the definition gives', (touches) => {
    const asOf = inAll(touches);
    expect(servedBy(after(touches, (asOf - START) / DAY_MS))).toEqual(byDefinition(touches, asOf));
  });

  test.prop([history])('is the same from two partitions', (touches) => {
    const days = (inAll(touches) - START) / DAY_MS;
    const isFirst = (touch: CountedTouch): boolean => touch.accountId < 'account-5';
    const parts = [touches.filter(isFirst), touches.filter((touch) => !isFirst(touch))].map((part) => after(part, days));
    expect(servedBy(mergeSummaries(parts))).toEqual(servedBy(after(touches, days)));
  });

  it('adds up what partitions say of accounts that are in no comparison', () => {
    const of = (heldOutExposed: number, uncoveredExposed: number, late: number): EvidenceSummary => ({
      ...after([], 1),
      heldOutExposed,
      uncoveredExposed,
      late,
    });
    expect(mergeSummaries([of(1, 20, 300), of(4, 50, 600)])).toMatchObject({ heldOutExposed: 5, uncoveredExposed: 70, late: 900 });
    expect(() => mergeSummaries([after([], 1), after([], 2)])).toThrow('different instants');
  });

  test.prop([history])('loses none: exposed is contaminated, strayed, settled or still open', (touches) => {
    const evidence = new Evidence(plan, ['crA', 'crB']);
    for (const touch of touches) evidence.touch(touch);
    const late = summarise(evidence, [even], inAll(touches) + 30 * DAY_MS);
    const arms = late.eras.flatMap((era) => era.arms);
    expect(arms.reduce((sum, arm) => sum + arm.contaminated + arm.strayed + arm.settled, 0)).toBe(evidence.rows.size);
  });

  it('holds many accounts', () => {
    const evidence = new Evidence(plan, ['crA', 'crB']);
    for (const kind of ['ad_impression', 'ad_click']) evidence.touch(touchOf('first', kind, 0, { creativeId: 'crB' }));
    const columns = Object.entries(evidence).flatMap(([name, of]) => (ArrayBuffer.isView(of) ? [name as 'points'] : []));
    const first = columns.map((column) => evidence[column][0]!);
    expect(first).toHaveLength(13);
    expect(Math.min(...first)).toBeGreaterThan(0);
    for (let n = 0; n < 3_000; n++) {
      const accountId = `account-${n}`;
      evidence.touch(touchOf(accountId, 'ad_impression', 0, { creativeId: assign({ seed: plan.seed, ...even }, accountId).creativeId }));
    }
    expect(columns.map((column) => evidence[column][0])).toEqual(first);
    const summary = summarise(evidence, [even], START + 9 * DAY_MS);
    expect(armIn(summary, 'crA').settled + armIn(summary, 'crB').settled).toBe(3_000);
    expect(armIn(summary, 'crA').buckets).toBe(BUCKETS / 2);
  });

  it('takes no more creatives than have a bit', () => {
    const evidence = new Evidence(
      plan,
      Array.from({ length: 32 }, (_, n) => `creative-${n}`),
    );
    evidence.addCreative('creative-3');
    expect(() => evidence.addCreative('creative-32')).toThrow('32 creatives at most');
    evidence.touch(touchOf('acme', 'ad_impression', 0, { creativeId: 'creative-31' }));
    evidence.touch(touchOf('acme', 'ad_impression', 1, { creativeId: 'creative-0' }));
    expect(armIn(summarise(evidence, [even], START), 'creative-31')).toMatchObject({ contaminated: 1 });
  });
});
