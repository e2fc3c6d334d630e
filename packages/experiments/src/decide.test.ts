import { describe, expect, test } from 'vitest';
import { assign, type Held } from './assign.ts';
import { decide, type DecidedAccount } from './decide.ts';
import { ExperimentBook } from './experiment-book.ts';
import { currentExperiment, type ExperimentState, type ExperimentStep } from './experiment-state.ts';

const DAY_MS = 86_400_000;
const NOW = 100 * DAY_MS;

function experiment(given: object = {}, ...steps: readonly Partial<ExperimentStep>[]): ExperimentState {
  const definition = JSON.stringify({
    id: 'hero',
    campaignId: 'spring',
    arms: [{ creativeId: 'a' }, { creativeId: 'b' }, { creativeId: 'c' }],
    ...given,
  });
  const book = new ExperimentBook();
  const { id } = JSON.parse(definition) as { id: string };
  for (const [expectedRevision, step] of [{ action: 'create' as const, definition }, ...steps].entries()) {
    const none = { action: 'start' as const, by: 'key_1', definition: null, creativeId: null, weights: null, reason: null, evidence: null };
    const outcome = book.apply({ ...none, experimentId: id, expectedRevision, ...step }, 1000 * expectedRevision);
    if ('refused' in outcome) throw new Error(outcome.refused);
  }
  return book.get(id)!;
}

const running = (given: object = {}, ...steps: readonly Partial<ExperimentStep>[]): ExperimentState => experiment(given, {}, ...steps);
const swap = (creativeId: string): Partial<ExperimentStep> => ({ action: 'swap', creativeId });

function account(change: Partial<DecidedAccount> = {}): DecidedAccount {
  return { accountId: 'acme', band: 'warm', stage: null, qualified: null, fact: undefined, ...change };
}

function decided(one: ExperimentState, of: DecidedAccount | null = account(), shown: Held | null = null) {
  const { cause, creativeId } = decide([one], of, () => shown, NOW);
  return { cause, creativeId };
}

const creativeOf = (state: ExperimentState, accountId: string): string | null => assign(currentExperiment(state), accountId).creativeId;
const ACCOUNTS = Array.from({ length: 3000 }, (_, number) => `account-${number}`);

describe('a decision', () => {
  test('is what the hash says', () => {
    const { creativeId } = assign(currentExperiment(running()), 'acme');
    expect(decided(running())).toEqual({ cause: 'assigned', creativeId });
  });

  test.each([
    ['of another band', { targeting: { bands: ['hot'] } }, 'not_targeted'],
    ['in no stage', { targeting: { stages: ['aware'] } }, 'not_targeted'],
    ['not qualified', { targeting: { qualified: true } }, 'not_targeted'],
    ['nobody described', { targeting: { segment: { tier: 'enterprise' } } }, 'not_targeted'],
  ])('gives an account %s the default', (_, given, cause) => {
    expect(decided(running({ ...given, control: 'b' }))).toEqual({ cause, creativeId: 'b' });
  });

  test.each([
    [true, true, 'assigned'],
    [true, false, 'not_targeted'],
    [true, null, 'not_targeted'],
    [false, false, 'assigned'],
    [false, true, 'not_targeted'],
    [false, null, 'not_targeted'],
  ])('with targeting of qualified %s: an account that is %s is %s', (wanted, qualified, cause) => {
    expect(decided(running({ targeting: { qualified: wanted } }), account({ qualified })).cause).toBe(cause);
  });

  test('gives the default to an account that is not known, and when nothing runs', () => {
    expect(decided(running(), null)).toEqual({ cause: 'unknown_account', creativeId: 'a' });
    expect(decided(experiment())).toEqual({ cause: 'not_running', creativeId: 'a' });
  });

  test('keeps within the exposure window what was shown, though the account left the targeting', () => {
    const targeting = { bands: ['hot'] };
    const shown = { creativeId: 'c', exposedAt: NOW - 3 * DAY_MS };
    expect(decided(running({ targeting }), account(), shown)).toEqual({ cause: 'shown_before', creativeId: 'c' });
    expect(decided(running({ targeting, exposureWindowDays: 3 }), account(), shown)).toMatchObject({ cause: 'not_targeted' });
    expect(decided(running({ targeting, swapOnCross: true }), account(), shown)).toMatchObject({ cause: 'not_targeted' });
    expect(decided(running({ targeting, swapOnCross: true }), account({ band: 'hot' }), shown)).toMatchObject({ creativeId: 'c' });
  });

  test('shows what is swapped out to nobody any more', () => {
    const out = running({}, swap('c'));
    expect(decided(out, account(), { creativeId: 'c', exposedAt: NOW }).creativeId).not.toBe('c');
    for (const accountId of ACCOUNTS) expect(decided(out, account({ accountId })).creativeId).not.toBe('c');
    // What it gets instead is no creative that it was shown.
    expect(decided(out, account(), { creativeId: 'c', exposedAt: NOW }).cause).toBe('assigned');
  });

  test('holds accounts out', () => {
    const held = running({ holdout: 0.9 });
    const accountId = ACCOUNTS.find((id) => assign(currentExperiment(held), id).group === 'holdout')!;
    expect(decided(held, account({ accountId }))).toEqual({ cause: 'holdout', creativeId: null });
  });

  test('is of the first experiment of the flag that takes the account', () => {
    const [hot, rest] = [running({ id: 'hot', targeting: { bands: ['hot'] } }), running({ id: 'rest', flagKey: 'hot' })];
    const idOf = (band: string): string => decide([hot, rest], account({ band }), () => null, NOW).experiment.definition.id;
    expect(idOf('hot')).toBe('hot');
    expect(idOf('cold')).toBe('rest');
    const few = running({ id: 'few', flagKey: 'hot', coverage: 0.0001 });
    expect(decide([few, rest], account(), () => null, NOW)).toMatchObject({ experiment: rest, cause: 'assigned' });
  });

  test('that none takes is the default of the first that runs, and of the newest where none does', () => {
    const outside = (id: string, control: string): object => ({ id, control, flagKey: 'hero', targeting: { bands: ['hot'] } });
    const [draft, first, second] = [experiment(outside('x', 'a')), running(outside('y', 'b')), running(outside('z', 'c'))];
    for (const of of [account(), null]) {
      expect(decide([draft, first, second], of, () => null, NOW)).toMatchObject({ experiment: first, creativeId: 'b' });
    }
    const stopped = running(outside('z', 'c'), { action: 'stop' });
    expect(decide([draft, stopped], account(), () => null, NOW)).toMatchObject({
      experiment: stopped,
      creativeId: 'c',
      cause: 'not_running',
    });
  });
});

describe('a swap', () => {
  test('moves the accounts of the creative that goes, and no other', () => {
    const [before, once, twice] = [running(), running({}, swap('a')), running({}, swap('a'), swap('b'))];
    for (const accountId of ACCOUNTS) {
      const [first, second, third] = [before, once, twice].map((state) => creativeOf(state, accountId));
      if (first !== 'a') expect(second).toBe(first);
      if (second !== 'b') expect(third).toBe(second);
      expect(third).toBe('c');
    }
  });

  test('shares its accounts out among those that are left', () => {
    const once = running({}, swap('a'));
    const moved = ACCOUNTS.filter((accountId) => creativeOf(running(), accountId) === 'a').map((id) => creativeOf(once, id));
    const share = moved.filter((creativeId) => creativeId === 'b').length / moved.length;
    expect(share).toBeGreaterThan(0.42);
    expect(share).toBeLessThan(0.58);
  });
});
