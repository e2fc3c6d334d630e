import { fc, test } from '@fast-check/vitest';
import { defaultModel, LedgerSet, PartitionLedgers, viewOf, type RuleState, type ScoringModel } from '@touchstone/engine';
import { EntryRun, type GeneratedEntry } from '@touchstone/testkit';
import { expect } from 'vitest';
import { AccountTexts } from './account-texts.ts';
import { accountAnswer } from './answers.ts';

const BEGIN = Date.UTC(2026, 0, 1, 12);
const HOUR_MS = 3_600_000;
/** Of five accounts or so. */
const UNITS_MAX = 5000;
/** An account that has more is watched: see `WatchedAccounts`. */
const CROWD = 20;
const MODEL: ScoringModel = {
  ...defaultModel,
  stages: [{ id: 'aware' }, { id: 'sales' }],
  qualification: { atLeast: 1, of: [{ metric: 'score', atLeast: 5 }], minContacts: 1, actNow: [], actNowDays: 30 },
};
const RENAMED: ScoringModel = { ...MODEL, version: 'another', reachWindowDays: 1, wantedRoles: ['champion'], stages: [{ id: 'sales' }] };

/**
 * A touch, a role or a profile of ten accounts or their people, a step in their stage or qualification that is told of, a change of the model, other
 * ledgers of the same records, or a question, so many minutes after the step before.
 */
const step = fc.record({
  does: fc.constantFrom('touch', 'touch', 'role', 'profile', 'stage', 'mqa', 'model', 'move', 'ask', 'ask', 'ask'),
  account: fc.oneof(fc.constant(0), fc.nat(9)),
  contact: fc.nat(2),
  late: fc.nat(40),
  minutes: fc.oneof(fc.constant(0), fc.nat(200)),
});

test.prop([fc.array(step, { maxLength: 60, size: 'max' })], { numRuns: 100 })(
  'a text that is kept is the one that would be made',
  (steps) => {
    const set = new LedgerSet();
    const texts = new AccountTexts(set, UNITS_MAX);
    const entries: GeneratedEntry[] = [];
    let now = BEGIN;
    let told = 0;
    const replayed = (model: ScoringModel): PartitionLedgers => {
      const made = new PartitionLedgers(0, model);
      // Where accounts stand is told.
      made.alerts.forgetTransitions();
      const run = new EntryRun(0, entries);
      while (run.next()) made.apply(run, false);
      return made;
    };
    for (let contact = 1; contact <= CROWD; contact++) {
      entries.push({ partition: 0, offset: contact, appendedAt: now, record: touchAt(now - contact * HOUR_MS, 0, contact, contact) });
    }
    let ledgers = replayed(MODEL);
    set.replace([ledgers]);
    for (const { account, contact, does, late, minutes } of steps) {
      now += minutes * 60_000;
      if (does === 'model') {
        const { ahead, caps, decay } = ledgers;
        ledgers.rescore(ledgers.model === RENAMED ? MODEL : RENAMED, { ahead, caps, decay });
      } else if (does === 'move') {
        const states = [...ledgers.alerts.states()];
        ledgers = replayed(ledgers.model);
        for (const state of states) ledgers.alerts.applyState(state);
        set.replace([ledgers]);
      } else if (does === 'stage' || does === 'mqa') ledgers.alerts.applyState(stateOf(does, account, ++told, late, now));
      else if (does !== 'ask') {
        const offset = entries.at(-1)!.offset + 1;
        let record = touchAt(now - late * HOUR_MS, account, contact, offset);
        if (does === 'role') record = roleAt(now, account, contact, late);
        else if (does === 'profile') record = profileAt(now, account, late);
        const entry = { partition: 0, offset, appendedAt: now, record };
        entries.push(entry);
        const run = new EntryRun(0, [entry]);
        while (run.next()) ledgers.apply(run, false);
      }
      for (let row = 0; row < ledgers.accounts.size; row++) {
        const fact = ledgers.accounts.facts.get(row) ?? null;
        const place = set.find(ledgers.accounts.names.text(row))!;
        // A moment later it is asked again: all but the score and its instant is kept by then.
        for (const at of [now, now + 1]) {
          const answer = JSON.stringify(accountAnswer(viewOf(ledgers, row, at), fact, ledgers.alerts.membershipOf(row)));
          expect(texts.of(place, at)).toBe(answer);
        }
        expect(texts.unitsOf(ledgers)).toBeLessThanOrEqual(UNITS_MAX);
      }
    }
  },
);

/** A step of an account, as it is told to who only reads. */
function stateOf(family: 'stage' | 'mqa', account: number, number: number, late: number, since: number): RuleState {
  const none = { episode: number, isHeld: false, lastUpAt: null, heldBack: 0 };
  const isIn = late % 2 === 0;
  const stage = family === 'stage' ? (['aware', 'sales', null][late % 3] ?? null) : null;
  const ruleId = family === 'stage' ? 'stages' : 'qualification';
  return { accountId: `account-${account}`, family, ruleId, step: number, since, isIn, stage, ...none };
}

function touchAt(occurredAt: number, account: number, contact: number, number: number): GeneratedEntry['record'] {
  return {
    id: `touch-${number}`,
    accountId: `account-${account}`,
    contactId: contact === 0 ? null : `contact-${contact}`,
    kind: ['web_visit', 'ad_impression', 'meeting'][number % 3]!,
    occurredAt,
    minutes: number % 4,
    channel: null,
    campaignId: ['spring', null, '"autumn"'][number % 3]!,
    creativeId: null,
    url: null,
    source: null,
    properties: {},
  };
}

function roleAt(updatedAt: number, account: number, contact: number, number: number): GeneratedEntry['record'] {
  const unsaid = { email: null, title: null, seniority: null, consent: null };
  const role = ['champion', 'decision_maker', null][number % 3]!;
  return { type: 'contact', id: `contact-${contact}`, accountId: `account-${account}`, updatedAt, role, ...unsaid };
}

function profileAt(updatedAt: number, account: number, number: number): GeneratedEntry['record'] {
  const unsaid = { domains: [], industry: null, employees: null, targetList: null, owner: null, parentId: null, attributes: {} };
  return { type: 'account', id: `account-${account}`, updatedAt, name: `Company "${number}"`, tier: null, ...unsaid };
}

test.prop([fc.integer({ min: 2, max: 20 })])('a text that would push out the others is not kept', (contacts) => {
  const [small, large] = [new PartitionLedgers(0, defaultModel), new PartitionLedgers(1, defaultModel)];
  const set = new LedgerSet();
  set.replace([small, large]);
  const entries = Array.from({ length: contacts }, (_, offset) => ({
    partition: 1,
    offset,
    appendedAt: BEGIN,
    record: { ...touchAt(BEGIN, 0, 1 + offset, offset), campaignId: `${offset}`.padStart(100, '0') },
  }));
  const run = new EntryRun(1, entries);
  while (run.next()) large.apply(run, false);
  const whole = new AccountTexts(set);
  whole.of({ ledgers: large, account: 0 }, BEGIN);
  const units = whole.unitsOf(large);
  // Each of the two partitions has half.
  const fits = new AccountTexts(set, 2 * 4 * units);
  const isTooSmall = new AccountTexts(set, 2 * 4 * units - 1);
  for (const texts of [fits, isTooSmall]) texts.of({ ledgers: large, account: 0 }, BEGIN);
  expect([fits.unitsOf(large), isTooSmall.unitsOf(large)]).toEqual([units, 0]);
});
