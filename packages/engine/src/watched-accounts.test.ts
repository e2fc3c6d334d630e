import { fc, test } from '@fast-check/vitest';
import { EntryRun, type GeneratedEntry } from '@touchstone/testkit';
import { expect, it } from 'vitest';
import { defaultModel } from './default-model.ts';
import { PartitionLedgers } from './ledgers.ts';
import type { ScoringModel } from './model.ts';
import { figuresOf } from './view.ts';

const BEGIN = Date.UTC(2026, 0, 1, 23, 30);
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const ACCOUNTS = 2;
/** More than an account has to have to be watched. */
const CONTACTS = 24;
const RENAMED: ScoringModel = { ...defaultModel, version: 'another', reachWindowDays: 1, wantedRoles: ['champion'] };

type Did = { readonly does: 'touch' | 'role' | 'profile' | 'model' | 'pause' | 'ask' } & {
  readonly account: number;
  readonly contact: number;
  readonly backHours: number;
  readonly minutes: number;
  readonly number: number;
  readonly aheadMinutes: number;
};

/** Most ages are those of a window's edge. */
const backHours = fc.oneof(
  fc.constant(0),
  fc.constantFrom(-1, 23, 24, 47, 48, 7 * 24, 14 * 24, 30 * 24, 60 * 24, 90 * 24, 180 * 24),
  fc.nat(400),
);
const step: fc.Arbitrary<Did> = fc.record({
  does: fc.constantFrom('touch', 'touch', 'touch', 'touch', 'touch', 'role', 'profile', 'model', 'pause', 'ask', 'ask', 'ask'),
  account: fc.nat(ACCOUNTS - 1),
  contact: fc.nat(CONTACTS + 3),
  backHours,
  // Those that add up without rounding, and such that do not.
  minutes: fc.constantFrom(0, 1, 2.5, 60, 0.1, 3.7, 1 / 3),
  number: fc.nat(1000),
  // Of the reader's clock before the log's: for the next one it may be set back again.
  aheadMinutes: fc.constantFrom(0, 0, 0, 20, 90),
});

test.prop([fc.array(step, { maxLength: 120, size: 'max' }), fc.boolean()], { numRuns: 300 })(
  'counts that follow an account are those of a walk over all it has',
  (steps, isRounded) => {
    const ledgers = new PartitionLedgers(0, defaultModel);
    let now = BEGIN;
    let offset = 0;
    const takeAll = (...records: GeneratedEntry['record'][]): void => {
      const entries = records.map((record) => ({ partition: 0, offset: offset++, appendedAt: now, record }));
      const run = new EntryRun(0, entries);
      while (run.next()) ledgers.take(run, false);
      ledgers.settle();
    };
    // Everybody has a touch, so that the accounts are large enough.
    const everybody = Array.from({ length: ACCOUNTS * CONTACTS }, (_, i) => {
      const [account, contact] = [i % ACCOUNTS, 1 + Math.floor(i / ACCOUNTS)];
      return touchOf({ account, contact, backHours: 30, minutes: 1, number: 0 }, now, i);
    });
    takeAll(...everybody);
    let waiting: GeneratedEntry['record'][] = [];
    for (const did of steps) {
      const minutes = isRounded ? did.minutes : Math.floor(did.minutes);
      if (did.does === 'touch') waiting.push(touchOf({ ...did, minutes }, now, offset + waiting.length));
      else {
        takeAll(...waiting);
        waiting = [];
        if (did.does === 'pause') now += did.number * MINUTE_MS;
        else if (did.does === 'role') takeAll(roleOf(did, now));
        else if (did.does === 'profile') takeAll(profileOf(did, now));
        else if (did.does === 'model') {
          const { ahead, caps, decay } = ledgers;
          ledgers.rescore(ledgers.model === RENAMED ? defaultModel : RENAMED, { ahead, caps, decay });
        } else {
          expectSame(ledgers, did.account, now + did.aheadMinutes * MINUTE_MS);
        }
      }
    }
  },
);

it('accounts of which there is too much to follow are counted anew', () => {
  const many = 600;
  const ledgers = new PartitionLedgers(0, defaultModel);
  let offset = 0;
  const takeTouches = (touches: readonly Partial<Did>[]): void => {
    const entries = touches.map((touch) => {
      const place = offset++;
      const all = { account: 0, contact: 1, backHours: 1, minutes: 1, number: 0, ...touch };
      return { partition: 0, offset: place, appendedAt: BEGIN, record: touchOf(all, BEGIN, place) };
    });
    const run = new EntryRun(0, entries);
    while (run.next()) ledgers.take(run, false);
    ledgers.settle();
  };
  const accounts = Array.from({ length: many }, (_, account) => account);

  // So many accounts: those that were asked for last are asked for first, as they are followed.
  for (const account of accounts) takeTouches(Array.from({ length: CONTACTS }, (_, i) => ({ account, contact: 1 + i })));
  for (const account of accounts) expectSame(ledgers, account, BEGIN);
  takeTouches(accounts.map((account) => ({ account, contact: 2, minutes: 0.1 })));
  for (const account of accounts.toReversed()) expectSame(ledgers, account, BEGIN);
  // So many contacts with new touches, or so many kinds.
  const ofPeople = Array.from({ length: many }, (_, i) => ({ contact: 1 + i }));
  const ofKinds = Array.from({ length: many }, (_, i) => ({ number: 4 + 5 * i }));
  for (const touches of [ofPeople, ofPeople, ofKinds, ofKinds]) {
    expectSame(ledgers, 0, BEGIN);
    takeTouches(touches);
    expectSame(ledgers, 0, BEGIN);
  }
});

function expectSame(ledgers: PartitionLedgers, account: number, asOf: number): void {
  const figures = ledgers.watched.figuresOf(ledgers, account, asOf);
  const anew = figuresOf(ledgers, account, asOf);
  expect(figures).toEqual(anew);
  expect(JSON.stringify(figures.windows)).toBe(JSON.stringify(anew.windows));
}

function touchOf(
  { account, contact, backHours: back, minutes, number }: Omit<Did, 'does' | 'aheadMinutes'>,
  now: number,
  place: number,
): GeneratedEntry['record'] {
  return {
    id: `touch-${place}`,
    accountId: `account-${account}`,
    contactId: contact === 0 ? null : `contact-${contact}`,
    kind: ['web_visit', 'ad_impression', 'meeting', 'email_open', `made_up_${number}`][number % 5]!,
    // As far ahead as the log takes them.
    occurredAt: back < 0 ? now + (number % 61) * MINUTE_MS : now - back * HOUR_MS,
    minutes,
    channel: null,
    campaignId: ['spring', null, 'autumn'][number % 3]!,
    creativeId: null,
    url: null,
    source: null,
    properties: {},
  };
}

function roleOf({ account, contact, number }: Did, updatedAt: number): GeneratedEntry['record'] {
  const unsaid = { email: null, title: null, seniority: null, consent: null };
  const role = ['champion', 'decision_maker', null][number % 3]!;
  return { type: 'contact', id: `contact-${contact}`, accountId: `account-${account}`, updatedAt, role, ...unsaid };
}

function profileOf({ account }: Did, updatedAt: number): GeneratedEntry['record'] {
  const unsaid = { name: null, domains: [], industry: null, employees: null, tier: null, targetList: null, owner: null, parentId: null };
  return { type: 'account', id: `account-${account}`, updatedAt, attributes: {}, ...unsaid };
}
