import { describe, expect, test } from 'vitest';
import { armOf, decide, type DecidedAccount, type Exposure } from './decide.ts';
import { experimentSchema } from './experiment-definition.ts';
import type { ExperimentState } from './experiment-state.ts';

const DAY_MS = 86_400_000;
const NOW = 100 * DAY_MS;

function experiment(given: object = {}, state: Partial<ExperimentState> = {}): ExperimentState {
  const definition = experimentSchema.parse({ id: 'hero', campaignId: 'spring', arms: [{ creativeId: 'a' }, { creativeId: 'b' }, { creativeId: 'c' }], ...given });
  const times = { createdAt: 1, startedAt: 2, stoppedAt: null };
  return { definition, revision: 2, status: 'running', ...times, arms: definition.arms, out: [], keptIn: [], history: [], ...state };
}

function account(change: Partial<DecidedAccount> = {}): DecidedAccount {
  return { accountId: 'acme', band: 'warm', stage: null, qualified: null, fact: undefined, ...change };
}

function decided(one: ExperimentState, of: DecidedAccount | null = account(), shown: Exposure | null = null) {
  const { cause, creativeId } = decide([one], of, () => shown, NOW);
  return { cause, creativeId };
}

const ACCOUNTS = Array.from({ length: 3000 }, (_, number) => `account-${number}`);

describe('a decision', () => {
  test('is what the hash says', () => {
    const { creativeId } = armOf(experiment(), 'acme')!;
    expect(decided(experiment())).toEqual({ cause: 'assigned', creativeId });
  });

  test.each([
    ['of another band', { targeting: { bands: ['hot'] } }, 'not_targeted'],
    ['in no stage', { targeting: { stages: ['aware'] } }, 'not_targeted'],
    ['not qualified', { targeting: { qualified: true } }, 'not_targeted'],
    ['nobody described', { targeting: { segment: { tier: 'enterprise' } } }, 'not_targeted'],
  ])('gives an account %s the default', (_, given, cause) => {
    expect(decided(experiment({ ...given, control: 'b' }))).toEqual({ cause, creativeId: 'b' });
  });

  test('gives the default to an account that is not known, and when nothing runs', () => {
    expect(decided(experiment(), null)).toEqual({ cause: 'unknown_account', creativeId: 'a' });
    expect(decided(experiment({}, { status: 'draft' }))).toEqual({ cause: 'not_running', creativeId: 'a' });
  });

  test('keeps within the exposure window what was shown, though the account left the targeting', () => {
    const targeting = { bands: ['hot'] };
    const shown = { creativeId: 'c', lastAt: NOW - 3 * DAY_MS };
    expect(decided(experiment({ targeting }), account(), shown)).toEqual({ cause: 'shown_before', creativeId: 'c' });
    expect(decided(experiment({ targeting, exposureWindowDays: 3 }), account(), shown)).toMatchObject({ cause: 'not_targeted' });
    expect(decided(experiment({ targeting, swapOnCross: true }), account(), shown)).toMatchObject({ cause: 'not_targeted' });
    expect(decided(experiment({ targeting, swapOnCross: true }), account({ band: 'hot' }), shown)).toMatchObject({ creativeId: 'c' });
  });

  test('shows what is swapped out to nobody any more', () => {
    const out = experiment({}, { out: ['c'] });
    expect(decided(out, account(), { creativeId: 'c', lastAt: NOW }).creativeId).not.toBe('c');
    for (const accountId of ACCOUNTS) expect(decided(out, account({ accountId })).creativeId).not.toBe('c');
  });

  test('holds accounts out, whatever they were shown elsewhere', () => {
    const held = experiment({ holdout: 0.9 });
    const accountId = ACCOUNTS.find((id) => armOf(held, id)?.creativeId === null)!;
    expect(decided(held, account({ accountId }), { creativeId: 'a', lastAt: NOW })).toEqual({ cause: 'holdout', creativeId: null });
  });

  test('is of the first experiment of the flag that takes the account', () => {
    const [hot, rest] = [experiment({ id: 'hot', targeting: { bands: ['hot'] } }), experiment({ id: 'rest', flagKey: 'hot' })];
    const idOf = (band: string): string => decide([hot, rest], account({ band }), () => null, NOW).experiment.definition.id;
    expect(idOf('hot')).toBe('hot');
    expect(idOf('cold')).toBe('rest');
  });
});

describe('a swap', () => {
  test('moves the accounts of the creative that goes, and no other', () => {
    const [before, once, twice] = [experiment(), experiment({}, { out: ['a'] }), experiment({}, { out: ['a', 'b'] })];
    for (const accountId of ACCOUNTS) {
      const [first, second, third] = [before, once, twice].map((state) => armOf(state, accountId)!.creativeId);
      if (first !== 'a') expect(second).toBe(first);
      if (second !== 'b') expect(third).toBe(second);
      expect(third).toBe('c');
    }
  });

  test('shares its accounts out among those that are left', () => {
    const once = experiment({}, { out: ['a'] });
    const moved = ACCOUNTS.filter((accountId) => armOf(experiment(), accountId)!.creativeId === 'a').map((id) => armOf(once, id)!.creativeId);
    const share = moved.filter((creativeId) => creativeId === 'b').length / moved.length;
    expect(share).toBeGreaterThan(0.42);
    expect(share).toBeLessThan(0.58);
  });
});
