import {
  AccountPast,
  defaultModel,
  LedgerSet,
  PartitionLedgers,
  RECORD,
  TouchCursor,
  type Fact,
  type RecordRun,
  type ScoringModel,
} from '@touchstone/engine';
import { systemScheduler, type Scheduler } from '@touchstone/runtime';
import type { ShownScores, StoredModel } from '@touchstone/store';
import { describe, expect, it } from 'vitest';
import { AccountPasts, type AskedInstant, type PastsOptions } from './account-pasts.ts';

const AT = Date.UTC(2026, 5, 20, 12, 30);

const fact: Fact = {
  type: 'contact',
  id: 'ada',
  accountId: 'acme',
  updatedAt: AT,
  role: null,
  email: null,
  title: null,
  seniority: null,
  consent: null,
};

/** All that is known of the account. */
function runOf(): RecordRun {
  let left = 1;
  const rest = { model: null, poison: null, tick: null, touch: new TouchCursor() };
  return { partition: 0, kind: RECORD.fact, offset: 7, appendedAt: AT, fact, ...rest, next: () => left-- > 0 };
}

function askedOf(model: ScoringModel, asOf: number): AskedInstant {
  const ledgers = new PartitionLedgers(0, model);
  const run = runOf();
  run.next();
  ledgers.apply(run, false);
  const set = new LedgerSet();
  set.replace([ledgers]);
  return { place: set.find('acme')!, accountId: 'acme', version: 7, asOf, isPast: true };
}

/** A clock that goes on only when somebody waits. */
function clockOf(): Scheduler {
  let elapsed = 0;
  return {
    ...systemScheduler,
    elapsed: () => elapsed,
    after(ms, run) {
      elapsed += ms;
      queueMicrotask(run);
      return () => {};
    },
  };
}

interface Said {
  /** Stored positions, one look after the other; the last one stays. */
  readonly positions?: readonly number[];
  readonly models?: readonly StoredModel[];
  readonly shown?: ShownScores;
}

function storeOf({ models = [], positions = [8], shown = { before: null, after: null } }: Said) {
  let looks = 0;
  const store: PastsOptions['store'] = {
    async *accountRecords(): AsyncGenerator<RecordRun> {
      yield await Promise.resolve(runOf());
    },
    models: () => Promise.resolve(models),
    positions() {
      const offset = positions[Math.min(looks++, positions.length - 1)]!;
      return Promise.resolve(new Map([[0, { partition: 0, offset, generation: 'g' }]]));
    },
    shownScores: () => Promise.resolve(shown),
  };
  return { store, looks: () => looks };
}

describe('the past of an account', () => {
  it('is read once all that is applied is stored', async () => {
    const { looks, store } = storeOf({ positions: [3, 7, 8] });
    const past = await new AccountPasts({ store, scheduler: clockOf() }).known(askedOf(defaultModel, AT), { model: defaultModel });
    expect([past.view?.version, looks()]).toEqual([7, 3]);
  });

  it('is not waited for longer than a moment', async () => {
    const { looks, store } = storeOf({ positions: [7] });
    const pasts = new AccountPasts({ store, scheduler: clockOf() });
    const known = pasts.known(askedOf(defaultModel, AT), { model: defaultModel });
    await expect(known).rejects.toMatchObject({ code: 'unavailable', headers: { 'retry-after': '2' } });
    expect(looks()).toBeLessThan(130);
  });

  it('is replayed by few at a time, and refused to those who would wait too long', async () => {
    const gate = Promise.withResolvers<void>();
    const { store } = storeOf({});
    const pasts = new AccountPasts({
      scheduler: clockOf(),
      store: {
        ...store,
        async positions() {
          await gate.promise;
          return store.positions();
        },
      },
    });
    const asked = askedOf(defaultModel, AT);
    const pastOf = (): AccountPast => new AccountPast({ partition: 0, accountId: 'acme', asOf: AT, model: defaultModel });
    const replays = Array.from({ length: 102 }, () => pasts.replay(asked, [pastOf()]));
    await expect(pasts.replay(asked, [pastOf()])).rejects.toMatchObject({ code: 'unavailable', headers: { 'retry-after': '1' } });
    gate.resolve();
    await Promise.all(replays);
  });

  describe('is scored under the model of then', () => {
    const named = (version: string): ScoringModel => ({ ...defaultModel, version });
    const models = [0, 1].map((partition) => ({
      partition,
      offset: 5,
      appendedAt: AT - (partition === 0 ? 3_600_000 : 0),
      model: named('b'),
    }));
    const modelAt = async (said: Said, changes: Partial<AskedInstant> = {}, laterMs = 60_000): Promise<string> => {
      const pasts = new AccountPasts({ store: storeOf(said).store });
      return (await pasts.modelAt({ ...askedOf(named('b'), AT), ...changes }, AT + laterMs)).version;
    };

    it.each<[what: string, then: string, said: Said, changes?: Partial<AskedInstant>, laterMs?: number]>([
      ['as the scores around say', 'default-1', { models, shown: { before: shown(-60_000, 'default-1'), after: shown(40 * 60_000, 'b') } }],
      ['as the records of its partition say', 'b', { models }],
      ['the one of now for now', 'b', {}, { isPast: false }],
      [
        'the one of now for a moment ago, of which no score is kept yet',
        'b',
        { models, shown: { before: shown(-60_000, 'default-1'), after: null } },
        {},
        500,
      ],
    ])('%s', async (_what, then, said, changes, laterMs) => {
      expect(await modelAt(said, changes, laterMs)).toBe(then);
    });

    function shown(ms: number, modelVersion: string) {
      return { asOf: AT + ms, modelVersion };
    }
  });
});
