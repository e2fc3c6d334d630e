import { fc, test } from '@fast-check/vitest';
import { historyArbitrary, type History } from '@touchstone/testkit';
import { describe, expect, it } from 'vitest';
import { AccountPast, replayAccount } from './account-past.ts';
import { defaultModel } from '../default-model.ts';
import { recordsOf, runLive } from './test-history.ts';
import { viewOf } from '../view.ts';

const hostile = historyArbitrary({ datedAhead: true, steps: { min: 0, max: 150 } });

describe('an account in the past', () => {
  test.prop([hostile, fc.nat(20), fc.infiniteStream(fc.boolean())], { numRuns: 100 })(
    'is what was served then, to the last bit, under late and repeated touches, roles and models that take over late',
    async ({ entries }: History, rescoringRecords, looks) => {
      const { kept, served } = runLive(entries, rescoringRecords, () => looks.next().value);
      for (const { at, model, view } of served.filter((_, i) => i % Math.ceil(served.length / 8) === 0)) {
        const past = new AccountPast({ partition: 0, accountId: view.accountId, model, asOf: at, isExplained: true });
        await replayAccount(recordsOf(view.accountId, kept), [past]);
        expect(past.view).toEqual(view);
        expect(past.points).toBe(view.points);
      }
    },
  );

  test.prop([hostile], { numRuns: 50 })('is what is served now, when all is known', async ({ asOf, entries }: History) => {
    const { kept, ledgers } = runLive(entries, 3, () => false);
    const at = Math.max(asOf, ledgers.now);
    for (let account = 0; account < ledgers.accounts.size; account++) {
      const accountId = ledgers.accounts.names.text(account);
      const past = new AccountPast({ partition: 0, accountId, model: ledgers.model, asOf: at });
      await replayAccount(recordsOf(accountId, kept), [past]);
      expect(past.view).toEqual(viewOf(ledgers, account, at));
    }
  });

  it('that was not known then is none', async () => {
    const { kept } = runLive([touchAt(0, 1000)], 0, () => false);
    const past = new AccountPast({ partition: 0, accountId: 'acme', model: defaultModel, asOf: 999 });
    await replayAccount(recordsOf('acme', kept), [past]);
    expect([past.view, past.points, past.account, past.firstKnownAt]).toEqual([null, 0, -1, 1000]);
  });

  it('ends before the first record that came later, also where the clock of the log fell', async () => {
    const { kept } = runLive([touchAt(0, 1000), touchAt(1, 3000), touchAt(2, 2000)], 0, () => false);
    const past = new AccountPast({ partition: 0, accountId: 'acme', model: defaultModel, asOf: 2500 });
    await replayAccount(recordsOf('acme', kept), [past]);
    expect([past.view?.version, past.isOver]).toEqual([0, true]);
  });

  it('may be asked for by version, and reads no further', async () => {
    const entries = Array.from({ length: 20 }, (_, offset) => touchAt(offset, 1000));
    const { kept } = runLive(entries, 0, () => false);
    const past = new AccountPast({ partition: 0, accountId: 'acme', model: defaultModel, asOf: 1000, version: 4 });
    let pages = 0;
    async function* counted() {
      for await (const run of recordsOf('acme', kept, 3)) {
        pages++;
        yield run;
      }
    }
    await replayAccount(counted(), [past]);
    expect([past.view?.version, past.view?.windows['24h'].touches, pages]).toEqual([4, 5, 2]);
  });

  it('gives way every few thousand records', async () => {
    const entries = Array.from({ length: 5000 }, (_, offset) => touchAt(offset, 1000));
    let breaths = 0;
    const past = new AccountPast({ partition: 0, accountId: 'acme', model: defaultModel, asOf: 1000 });
    await replayAccount(recordsOf('acme', entries, 3000), [past], () => {
      breaths++;
      return Promise.resolve();
    });
    expect([breaths, past.view?.windows['24h'].touches]).toEqual([2, 5000]);
  });
});

function touchAt(offset: number, appendedAt: number) {
  const nothing = { channel: null, campaignId: null, creativeId: null, url: null, source: null, minutes: 0, properties: {} };
  const record = { id: `touch-${offset}`, accountId: 'acme', contactId: 'ada', kind: 'meeting', occurredAt: appendedAt, ...nothing };
  return { partition: 0, offset, appendedAt, record };
}
