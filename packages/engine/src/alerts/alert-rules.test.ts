import { EntryRun, type GeneratedEntry, type GeneratedTouch } from '@touchstone/testkit';
import { describe, expect, it, test } from 'vitest';
import { PartitionLedgers } from '../ledgers.ts';
import { scoringModelSchema, type ScoringModel } from '../model.ts';
import { RescoredSums } from '../rescored-sums.ts';
import { DAY_MS, HOUR_MS } from '../time-slots.ts';
import { pointsOf } from '../view.ts';
import type { Transition } from './alert.ts';

const T = Date.UTC(2026, 5, 1);
const none = { channel: null, campaignId: null, creativeId: null, url: null, source: null, minutes: 0, properties: {} };

/** Worked examples: one account, touches of what they are worth as their kind says. */
class Example {
  readonly ledgers: PartitionLedgers;
  /** The steps that the last record came to. */
  last: readonly Transition[] = [];
  readonly #entries: GeneratedEntry[] = [];

  constructor(rules: Partial<ScoringModel> | object) {
    this.ledgers = new PartitionLedgers(0, modelOf(rules));
  }

  get entries(): readonly GeneratedEntry[] {
    return this.#entries;
  }

  touch(at: number, fields: Partial<GeneratedTouch> = {}): string[] {
    const offset = this.#entries.length;
    return this.#append(at, {
      id: `touch-${offset}`,
      accountId: 'acme',
      contactId: 'ada',
      kind: 'ten',
      occurredAt: T + at,
      ...none,
      ...fields,
    });
  }

  tick(at: number, fleetGrowth: number | null = null): string[] {
    return this.#append(at, { type: 'tick', tick: { writtenAt: T + at, fleetGrowth } });
  }

  deal(at: number, updatedAt: number, outcome: 'won' | 'lost' | null): string[] {
    const nothing = { name: null, stage: null, amount: null, currency: null, source: null, owner: null, createdAt: null, closedAt: null };
    return this.#append(at, { type: 'opportunity', id: 'deal', accountId: 'acme', updatedAt: T + updatedAt, outcome, ...nothing });
  }

  tier(at: number, tier: string): string[] {
    const nothing = {
      name: null,
      domains: [],
      parentId: null,
      industry: null,
      employees: null,
      owner: null,
      targetList: null,
      attributes: {},
    };
    return this.#append(at, { type: 'account', id: 'acme', updatedAt: T + at, tier, ...nothing });
  }

  role(at: number, role: string): string[] {
    const nothing = { email: null, title: null, seniority: null, consent: null };
    return this.#append(at, { type: 'contact', id: 'ada', accountId: 'acme', updatedAt: T + at, role, ...nothing });
  }

  /** @returns what the record came to, as lines */
  #append(at: number, record: GeneratedEntry['record']): string[] {
    const entry = { partition: 0, offset: this.#entries.length, appendedAt: T + at, record };
    this.#entries.push(entry);
    const run = new EntryRun(0, [entry]);
    while (run.next()) this.ledgers.apply(run, false);
    this.last = this.ledgers.alerts.takeTransitions();
    return this.last.map(lineOf);
  }
}

function modelOf(rules: object): ScoringModel {
  return scoringModelSchema.parse({
    version: 'example',
    decay: { kind: 'exponential', halfLifeDays: 1 },
    rules: [
      { id: 'ten', kind: 'ten', points: 10 },
      { id: 'twelve', kind: 'twelve', points: 12 },
      { id: 'less', kind: 'less', points: -10 },
    ],
    ...rules,
  });
}

function lineOf({ alert, isHeld }: Transition): string {
  const { at, cause, currentStage, direction, episode, heldBack, ruleId } = alert;
  const what = ruleId === 'stages' ? String(currentStage) : direction;
  return `${ruleId} ${what} ${episode} ${cause} +${at - T}${isHeld ? ' held' : ''}${heldBack > 0 ? ` after ${heldBack}` : ''}`;
}

describe('thresholds', () => {
  it('are crossed by decay in the first millisecond at which the value compares so', () => {
    const example = new Example({ thresholds: [{ id: 'warm', metric: 'points', enter: 10, exit: 5 }] });
    // Two touches: 20 points, which are 5 after two half-lives.
    expect(example.touch(0)).toHaveLength(1);
    example.touch(0);
    expect(example.ledgers.alerts.nextDueAt()).toBeLessThanOrEqual(T + 2 * DAY_MS + 1);
    const [line] = example.tick(3 * DAY_MS);
    const { alerts } = example.ledgers;
    const at = alerts.stateOf(0, 'threshold', 'warm')!.since;
    expect(line).toBe(`warm down 1 decay +${at - T}`);
    expect(pointsOf(example.ledgers, 0, at)).toBeLessThan(5);
    expect(pointsOf(example.ledgers, 0, at - 1)).toBeGreaterThanOrEqual(5);
    expect(Math.abs(at - T - 2 * DAY_MS)).toBeLessThanOrEqual(1);
  });

  it('are crossed upwards and down again by time alone, where what counts against an account fades before what is dated ahead does', () => {
    const example = new Example({
      decay: { kind: 'exponential', halfLifeDays: 1 / 24 },
      thresholds: [{ id: 'warm', metric: 'points', enter: 5 }],
    });
    example.touch(0, { kind: 'less' });
    example.touch(0, { kind: 'twelve', occurredAt: T + HOUR_MS });
    // 12 - 10 x 2^-h is 5 for h = -log2(0.7); after an hour 7 x 2^-(h - 1) is 5 for h = 1 + log2(7 / 5).
    const up = Math.ceil(-Math.log2(0.7) * HOUR_MS);
    const down = Math.ceil((1 + Math.log2(7 / 5)) * HOUR_MS);
    expect(example.tick(2 * HOUR_MS)).toEqual([`warm up 1 decay +${up}`, `warm down 1 decay +${down}`]);
  });

  it('hold back entries within the cooldown, tell the next with their number, and none that comes right when it ends', () => {
    const example = new Example({ thresholds: [{ id: 'seen', metric: 'touches.24h', enter: 1, cooldown: '3d' }] });
    expect(example.touch(0)).toEqual(['seen up 1 touch +0']);
    expect(example.touch(2 * DAY_MS)).toEqual([`seen down 1 decay +${DAY_MS}`, `seen up 2 touch +${2 * DAY_MS} held`]);
    // A millisecond before the cooldown ends it is held back; with its end it is not.
    expect(example.touch(3 * DAY_MS)).toEqual([`seen down 2 decay +${3 * DAY_MS} held after 1`, `seen up 2 touch +${3 * DAY_MS} after 1`]);
    expect(example.tick(5 * DAY_MS)).toEqual([`seen down 2 decay +${4 * DAY_MS}`]);
  });
});

it('a threshold ends without a value to fall below when the account no longer passes its filter', () => {
  const example = new Example({ thresholds: [{ id: 'hot', metric: 'points', enter: 9, exit: 5, filter: { tier: '1' } }] });
  example.tier(0, '1');
  expect(example.touch(0)).toEqual(['hot up 1 touch +0']);
  expect(example.tier(1, '2')).toEqual(['hot down 1 correction +1']);
  expect(example.last[0]!.alert).toMatchObject({ type: 'account.threshold.recovered', threshold: null });
  expect(example.last[0]!.alert.currentValue).toBeGreaterThan(9);
  expect(example.tier(2, '1')).toEqual(['hot up 2 correction +2']);
  // Where it passes, it is told what it fell below.
  expect(example.tick(3 * DAY_MS)).toEqual([expect.stringContaining('hot down 2 decay')]);
  expect(example.last[0]!.alert).toMatchObject({ threshold: 5 });
});

describe('a qualification', () => {
  const qualification = { atLeast: 1, of: [{ metric: 'points', atLeast: 25 }], minContacts: 2, actNow: [{ kind: 'call' }], actNowDays: 1 };

  it('is entered at once by a touch to act on, for so many days to the millisecond', () => {
    const example = new Example({ qualification });
    expect(example.touch(0, { kind: 'call', occurredAt: T - 5 })).toEqual(['qualification up 1 touch +0']);
    expect(example.tick(DAY_MS - 6)).toEqual([]);
    expect(example.tick(DAY_MS)).toEqual([`qualification down 1 decay +${DAY_MS - 5}`]);
  });

  it('says what decided besides its criteria', () => {
    const hindered = { ...qualification, exclude: { tier: 'gov' }, minContacts: 1 };
    const example = new Example({ qualification: hindered });
    expect(example.tier(0, 'smb')).toEqual([]);
    for (let i = 0; i < 3; i++) example.touch(0);
    expect(example.last[0]!.alert).toMatchObject({ direction: 'up', met: ['points'], missing: [] });
    example.tier(0, 'gov');
    expect(example.last[0]!.alert).toMatchObject({ direction: 'down', met: ['points'], missing: ['exclude'] });

    const atOnce = new Example({ qualification });
    atOnce.touch(0, { kind: 'call' });
    expect(atOnce.last[0]!.alert).toMatchObject({ direction: 'up', met: ['actNow'], missing: ['points', 'minContacts'] });
  });

  it('is known by touches to act on that came before the model, also of kinds that nothing else asks for', () => {
    const former = new Example({});
    former.touch(0, { kind: 'call' });
    const sums = new RescoredSums(former.ledgers, modelOf({ qualification }));
    const run = new EntryRun(0, former.entries);
    while (run.next()) sums.take(run);
    sums.takeOver();
    former.ledgers.alerts.payLooks();
    expect(former.ledgers.alerts.takeTransitions().map(lineOf)).toEqual(['qualification up 1 model +0']);
  });

  it('says who is near: those that miss one criterion, or contacts, and nothing else', () => {
    const example = new Example({ qualification });
    const { alerts } = example.ledgers;
    const near = { isQualified: false, isCandidate: true, isActNow: false };
    example.touch(0);
    expect(alerts.near(0)).toEqual({ ...near, met: [], missing: ['points'], criteriaMissing: 1, lacksContacts: true, isNear: false });
    example.touch(0, { contactId: 'bo' });
    expect(alerts.near(0)).toMatchObject({ criteriaMissing: 1, lacksContacts: false, isNear: true });
    expect(example.touch(0)).toEqual(['qualification up 1 touch +0']);
    expect(alerts.near(0)).toMatchObject({ isQualified: true, met: ['points'], missing: [], isNear: false });
    expect(alerts.isQualified(0)).toBe(true);
  });
});

it('of what is said of an opportunity the newest stands, whenever it comes', () => {
  const example = new Example({
    stages: [{ id: 'known' }, { id: 'open', opportunity: 'open' }, { id: 'won', opportunity: 'won' }],
  });
  expect(example.touch(0)).toEqual(['stages known 1 touch +0']);
  expect(example.deal(1, 10, 'won')).toEqual(['stages won 2 correction +1']);
  expect(example.deal(2, 5, null)).toEqual([]);
  expect(example.deal(3, 10, null)).toEqual(['stages open 3 correction +3']);
  expect(example.ledgers.alerts.stageOf(0)).toBe('open');
});

it('an account becomes single-threaded when of its contacts all but one have left the reach window', () => {
  const example = new Example({ watches: [{ id: 'alone', kind: 'single_threaded', minTouches: 2 }] });
  expect(example.touch(0)).toEqual([]);
  expect(example.touch(10 * DAY_MS, { contactId: 'bo' })).toEqual([]);
  expect(example.touch(10 * DAY_MS, { contactId: 'bo' })).toEqual([]);
  expect(example.tick(60 * DAY_MS)).toEqual([`alone up 1 decay +${30 * DAY_MS}`, `alone down 1 decay +${40 * DAY_MS}`]);
});

it('a surge is against the account and against all accounts, and is looked at again when these grow less', () => {
  const example = new Example({ surge: { ratio: 2, minimum: 2, fleetRatio: 1, cooldown: 0 } });
  example.touch(0, { occurredAt: T - 10 * DAY_MS });
  example.touch(0, { occurredAt: T - 11 * DAY_MS });
  example.touch(0, { occurredAt: T - 12 * DAY_MS });
  expect(example.tick(0, 3)).toEqual([]);
  // Weekly one; two are twice that, but all accounts have three times theirs.
  example.touch(0);
  expect(example.touch(0)).toEqual([]);
  expect(example.tick(1, 2)).toEqual(['surge up 1 decay +1']);
});

it('a surge may begin by time alone, when busier weeks are no longer among those it is compared with', () => {
  const example = new Example({ surge: { ratio: 2, minimum: 2, fleetRatio: 1, cooldown: 0 } });
  for (let i = 0; i < 6; i++) example.touch(0, { occurredAt: T - 25 * DAY_MS });
  for (let i = 0; i < 3; i++) expect(example.touch(0)).toEqual([]);
  // Two a week before, and three are not twice that, until they are 28 days ago.
  expect(example.tick(8 * DAY_MS)).toEqual([`surge up 1 decay +${3 * DAY_MS}`, `surge down 1 decay +${7 * DAY_MS} held`]);
});

it('a role that becomes known changes what is covered and what is worth how much, then and there', () => {
  const example = new Example({
    roles: { champion: 2 },
    thresholds: [{ id: 'warm', metric: 'points', enter: 15 }],
    watches: [{ id: 'champion', kind: 'role_engaged', role: 'champion' }],
  });
  expect(example.touch(0)).toEqual([]);
  expect(example.role(0, 'champion')).toEqual(['warm up 1 identity +0', 'champion up 1 identity +0']);
  // 20 points are 15 in 0.415 days.
  expect(example.tick(DAY_MS)).toEqual([`warm down 1 decay +${Math.ceil(Math.log2(4 / 3) * DAY_MS)}`]);
});

it('rules of a model that comes back go on where they were', () => {
  const rules = { thresholds: [{ id: 'warm', metric: 'points', enter: 5 }] };
  const example = new Example(rules);
  expect(example.touch(0)).toEqual(['warm up 1 touch +0']);
  for (const next of [modelOf({}), modelOf(rules)]) {
    const sums = new RescoredSums(example.ledgers, next);
    const run = new EntryRun(0, example.entries);
    while (run.next()) sums.take(run);
    sums.takeOver();
    example.ledgers.alerts.payLooks();
    expect(example.ledgers.alerts.takeTransitions()).toEqual([]);
  }
  expect(example.tick(2 * DAY_MS)).toEqual([expect.stringContaining('warm down 1 decay')]);
});

describe('ids of rules', () => {
  const hot = { id: 'hot', metric: 'score', enter: 1 };
  const watch = { id: 'hot', kind: 'single_threaded' };
  const used = expect.stringContaining("'hot' is taken: thresholds and watches share");
  test.each<[string, object, unknown]>([
    ['of two thresholds', { thresholds: [hot, hot] }, [{ path: ['thresholds', 1, 'id'], message: used }]],
    ['of a threshold and a watch', { thresholds: [hot], watches: [watch] }, [{ path: ['watches', 0, 'id'], message: used }]],
    ['of two watches', { watches: [watch, watch] }, [{ path: ['watches', 1, 'id'], message: used }]],
    ...['qualification', 'stages', 'surge'].map((id): [string, object, unknown] => [
      `that alerts have for ${id}`,
      { thresholds: [{ ...hot, id }] },
      [{ path: ['thresholds', 0, 'id'], message: expect.stringContaining(`name the rule ${id}`) }],
    ]),
    [
      'of two stages',
      { stages: [{ id: 'hot' }, { id: 'hot' }] },
      [{ path: ['stages', 1, 'id'], message: expect.stringContaining('used twice') }],
    ],
  ])('must not repeat: those %s', (_what, rules, problems) => {
    const { error } = scoringModelSchema.safeParse({ version: 'm', rules: [], ...rules });
    expect(error?.issues.map(({ message, path }) => ({ path, message }))).toEqual(problems);
  });
});

describe('a rule that takes up the id of one of another family', () => {
  const takeOver = (example: Example, rules: object): string[] => {
    const sums = new RescoredSums(example.ledgers, modelOf(rules));
    const run = new EntryRun(0, example.entries);
    while (run.next()) sums.take(run);
    sums.takeOver();
    example.ledgers.alerts.payLooks();
    return example.ledgers.alerts.takeTransitions().map((step) => `${step.step} ${lineOf(step)}`);
  };
  const asThreshold = { thresholds: [{ id: 'ada', metric: 'points', enter: 5, cooldown: '90d' }] };
  const asWatch = { watches: [{ id: 'ada', kind: 'role_engaged', role: 'champion' }] };

  it('stands nowhere at first, and counts on in steps alone', () => {
    const example = new Example(asThreshold);
    expect(example.touch(0)).toEqual(['ada up 1 touch +0']);
    // Nobody is a champion, so the watch has not begun, and nothing of it ends.
    expect(takeOver(example, asWatch)).toEqual([]);
    expect(example.role(1, 'champion')).toEqual(['ada up 1 identity +1']);
    expect(example.last).toMatchObject([{ step: 2, isHeld: false, alert: { type: 'account.coverage.changed' } }]);
    // The threshold comes back, and is in since then.
    expect(takeOver(example, asThreshold)).toEqual([]);
    expect(example.tick(2 * DAY_MS)).toEqual([expect.stringContaining('ada down 1 decay')]);
    expect(example.last[0]!.step).toBe(3);
    expect([...example.ledgers.alerts.states()].map(({ family, isIn, step }) => [family, isIn, step])).toEqual([
      ['threshold', false, 3],
      ['coverage', true, 2],
    ]);
  });

  it('is told by another id', () => {
    const example = new Example(asThreshold);
    example.touch(0);
    const [threshold] = example.last;
    takeOver(example, asWatch);
    example.role(1, 'champion');
    expect(example.last[0]!.alert.id).not.toBe(threshold!.alert.id);
  });
});

it('ledgers that follow others evaluate nothing and stand where they are told', () => {
  const example = new Example({ thresholds: [{ id: 'warm', metric: 'points', enter: 5 }] });
  const { alerts } = example.ledgers;
  alerts.forgetTransitions();
  expect(example.touch(0)).toEqual([]);
  expect(alerts.nextDueAt()).toBe(Infinity);
  const state = {
    accountId: 'acme',
    family: 'threshold' as const,
    ruleId: 'warm',
    step: 3,
    episode: 2,
    isIn: true,
    isHeld: false,
    lastUpAt: T,
    since: T,
    heldBack: 0,
    stage: null,
  };
  alerts.applyState(state);
  alerts.applyState({ ...state, step: 2, isIn: false });
  expect(alerts.stateOf(0, 'threshold', 'warm')).toEqual(state);
});
