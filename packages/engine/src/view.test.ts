import { fc, test } from '@fast-check/vitest';
import { EntryRun, type GeneratedEntry } from '@touchstone/testkit';
import { describe, expect, it } from 'vitest';
import { defaultModel } from './default-model.ts';
import { LedgerSet } from './ledger-set.ts';
import { PartitionLedgers } from './ledgers.ts';
import { listAccounts } from './list-accounts.ts';
import { POINTS_LEAST } from './score.ts';
import { earliestInstant, pointsOf, viewOf } from './view.ts';

const BEGIN = Date.UTC(2026, 0, 1);
const HALF_LIFE_MS = 3_600_000;
const model = { ...defaultModel, decay: { kind: 'exponential' as const, halfLifeDays: 1 / 24 } };

/** A meeting with an account, so many half-lives after the beginning, appended so many later. */
interface Met {
  readonly who: string;
  readonly at: number;
  readonly later: number;
}

function entriesOf(meetings: readonly Met[]): GeneratedEntry[] {
  const appended = ({ at, later }: Met): number => BEGIN + (at + later) * HALF_LIFE_MS;
  return [...meetings]
    .sort((one, other) => appended(one) - appended(other))
    .map((met, offset) => ({
      partition: 0,
      offset,
      appendedAt: appended(met),
      record: {
        id: `touch-${offset}`,
        accountId: met.who,
        contactId: `contact-${offset % 3}`,
        kind: 'meeting',
        occurredAt: BEGIN + met.at * HALF_LIFE_MS,
        minutes: 0,
        channel: null,
        campaignId: null,
        creativeId: null,
        url: null,
        source: null,
        properties: {},
      },
    }));
}

function ledgersOf(entries: readonly GeneratedEntry[]): PartitionLedgers {
  const ledgers = new PartitionLedgers(0, model);
  const run = new EntryRun(0, entries);
  while (run.next()) ledgers.apply(run, false);
  return ledgers;
}

/** Points of the account, and of the same account with nobody else on the log: others' touches move the landmark too. */
function pointsBoth(entries: readonly GeneratedEntry[], after: number): [number, number] {
  const among = ledgersOf(entries);
  const account = among.accounts.names.find(0, Buffer.from('acme'), 0, 4);
  const asOf = Math.max(among.now + after, earliestInstant(among, account));
  const alone = ledgersOf(entries.filter(({ record }) => 'accountId' in record && record.accountId === 'acme'));
  return [pointsOf(among, account, asOf), pointsOf(alone, 0, asOf)];
}

const someone = fc.record({
  who: fc.constantFrom('acme', 'other'),
  // Not fractions: those are mostly tiny.
  at: fc.nat(2000),
  later: fc.oneof(fc.constant(0), fc.nat(1500)),
});

describe('points', () => {
  test.prop([fc.array(someone, { maxLength: 12 }), fc.integer({ min: -500, max: 1200 })], { numRuns: 300 })(
    'have the same bits wherever the landmark of the decay stood',
    (others, after) => {
      const entries = entriesOf([{ who: 'acme', at: 0, later: 0 }, ...others]);
      const [among, alone] = pointsBoth(entries, after * HALF_LIFE_MS + 12_345);
      expect(among).toBe(alone);
    },
  );

  it('of hundreds of half-lives ago are 0 in all that is served', () => {
    const ledgers = ledgersOf(entriesOf([{ who: 'acme', at: 0, later: 0 }]));
    const at = (halfLives: number): number => BEGIN + halfLives * HALF_LIFE_MS;
    expect(pointsOf(ledgers, 0, at(204))).toBeGreaterThan(POINTS_LEAST);
    expect(pointsOf(ledgers, 0, at(205))).toBe(0);
    const set = new LedgerSet();
    set.replace([ledgers]);
    const { accounts } = listAccounts(set, { filter: {}, order: '-score', limit: 10, after: null, asOf: at(205) });
    expect(accounts).toMatchObject([{ points: 0, score: 0 }]);
    expect(viewOf(ledgers, 0, at(205))).toMatchObject({ points: 0, score: 0 });
  });
});
