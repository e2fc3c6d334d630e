import { defaultModel, LedgerSet, PartitionLedgers } from '@touchstone/engine';
import { ALERTS_TOPIC, RecordBlockBuilder, type EventLog, type RecordBlock, type Subscription } from '@touchstone/event-log';
import { TouchWriter } from '@touchstone/codec';
import { createLogger, createMetrics, systemScheduler } from '@touchstone/runtime';
import { StoreError, type Checkpoint, type Store, type TouchRows } from '@touchstone/store';
import { describe, expect, it } from 'vitest';
import { Checkpointer } from './checkpointer.ts';
import { Intake } from './intake.ts';
import { AlertPublisher } from './publish-alerts.ts';
import { createDeadLetterPublisher } from './publish-dead-letters.ts';
import { ScorePublisher } from './publish-scores.ts';
import { accountScoring } from './scoring-job.ts';
import { FakeAlerts, transitionOf } from './test-alerts.ts';

const NOW = Date.UTC(2026, 5, 1);

/** A log and a store that write down what is asked of them, in order, and fail as often as told. */
function recorded(failures: Partial<Record<'append' | 'tell' | 'saveScores' | 'checkpoint' | 'commit', Error[]>> = {}) {
  const calls: string[] = [];
  const checkpoints: Checkpoint[] = [];
  const step = async (name: keyof typeof failures, note: string): Promise<void> => {
    const failure = failures[name]?.shift();
    calls.push(failure === undefined ? note : `${name} failed`);
    if (failure !== undefined) throw failure;
  };
  const store = {
    touchRows: (): TouchRows => {
      let count = 0;
      return {
        get count() {
          return count;
        },
        get byteLength() {
          return count * 100;
        },
        add: () => void count++,
      };
    },
    saveScores: (rows) => step('saveScores', `saveScores ${rows.length}`),
    async *transitions() {},
    async checkpoint(cut) {
      await step('checkpoint', `checkpoint ${cut.map(({ offset, touches }) => `${touches.count} up to ${offset}`).join()}`);
      checkpoints.push(...cut);
    },
  } satisfies Partial<Store> as unknown as Store;
  const log = {
    append: (topic, records) =>
      topic === ALERTS_TOPIC ? step('tell', `tell ${records.length}`) : step('append', `append ${records.length}`),
  } satisfies Partial<EventLog> as unknown as EventLog;
  const subscription = {
    commit: (positions) => step('commit', `commit ${[...positions.values()].join()}`),
  } satisfies Partial<Subscription> as unknown as Subscription;
  return { calls, checkpoints, store, log, subscription };
}

function pipeline(failures: Parameters<typeof recorded>[0] = {}) {
  const world = recorded(failures);
  const alerts = new FakeAlerts();
  const ledgers = Object.assign(new PartitionLedgers(0, defaultModel), { alerts });
  const set = new LedgerSet();
  set.replace([ledgers]);
  const intake = new Intake({
    run: accountScoring.openRun(0),
    store: world.store,
    ledgers,
    generation: 'g1',
    models: [],
    heldUntil: 0,
    modelPublished: defaultModel.version,
  });
  const metrics = createMetrics({ ofProcess: false });
  const held = { publishing: false, committing: false, telling: false };
  const scheduler = { ...systemScheduler, now: () => NOW };
  const publisher = new ScorePublisher({
    job: accountScoring,
    ledgers: set,
    log: world.log,
    metrics,
    scheduler,
    mayPublish: () => !held.publishing,
  });
  const checkpointer = new Checkpointer({
    intakes: () => [intake],
    publisher,
    alerts: new AlertPublisher({
      intakes: () => [intake],
      log: world.log,
      store: world.store,
      metrics,
      mayTell: () => !held.telling,
    }),
    publishDeadLetters: createDeadLetterPublisher(world.log, 'events'),
    store: world.store,
    subscription: () => world.subscription,
    metrics,
    logger: createLogger({ service: 'test', level: 'silent' }),
    scheduler,
    mayCommit: () => !held.publishing && !held.committing,
  });
  return { ...world, alerts, held, intake, checkpointer };
}

function blockOf(baseOffset: number, ids: readonly string[]): RecordBlock {
  const builder = new RecordBlockBuilder();
  for (const id of ids) {
    const writer = new TouchWriter();
    writer.write({
      id,
      accountId: 'acme',
      contactId: 'ada',
      kind: 'meeting',
      occurredAt: NOW,
      minutes: 1,
      channel: null,
      campaignId: null,
      creativeId: null,
      url: null,
      source: null,
      properties: {},
    });
    builder.append(null, writer.value());
  }
  const bytes = builder.bytes().slice();
  return { partition: 0, baseOffset, nextOffset: baseOffset + ids.length, count: ids.length, appendedAt: NOW, bytes };
}

const passing = (code: 'unavailable' | 'rejected') => new StoreError(code, 'made to fail');

describe('a checkpoint', () => {
  it('publishes, saves scores, stores, then commits', async () => {
    const { calls, checkpointer, intake } = pipeline();
    intake.apply(blockOf(0, ['a', 'b', 'a']));
    await checkpointer.run();
    expect(calls).toEqual(['append 1', 'saveScores 1', 'checkpoint 2 up to 3', 'commit 3']);
  });

  it('does nothing when no record has come', async () => {
    const { calls, checkpointer } = pipeline();
    await checkpointer.run();
    expect(calls).toEqual([]);
  });

  it.each([
    ['publishing', 'append', ['append failed', 'append 1', 'saveScores 1', 'checkpoint 2 up to 2', 'commit 2']],
    ['saving scores', 'saveScores', ['append 1', 'saveScores failed', 'saveScores 1', 'checkpoint 2 up to 2', 'commit 2']],
    ['storing', 'checkpoint', ['append 1', 'saveScores 1', 'checkpoint failed', 'saveScores 0', 'checkpoint 2 up to 2', 'commit 2']],
    ['committing', 'commit', ['append 1', 'saveScores 1', 'checkpoint 2 up to 2', 'commit failed', 'saveScores 0', 'commit 2']],
  ] as const)('that fails at %s is repeated: nothing is committed before it is stored', async (_what, step, expected) => {
    const { calls, checkpointer, intake } = pipeline({ [step]: [passing('unavailable')] });
    intake.apply(blockOf(0, ['a', 'b']));
    await checkpointer.run();
    expect(calls).toEqual(expected);
  });

  it('keeps a failed cut apart from what comes after it, and stores both in order', async () => {
    const { calls, checkpoints, checkpointer, intake } = pipeline({ checkpoint: [passing('unavailable'), passing('unavailable')] });
    intake.apply(blockOf(0, ['a', 'b']));
    const running = checkpointer.run();
    await new Promise((resolve) => setImmediate(resolve));
    intake.apply(blockOf(2, ['c']));
    await running;
    expect(checkpoints.map(({ offset, touches }) => [offset, touches.count])).toEqual([
      [2, 2],
      [3, 1],
    ]);
    expect(calls.filter((call) => call.startsWith('commit'))).toEqual(['commit 2', 'commit 3']);
  });

  it('stores while scores are held back, and commits once they are out, though nothing new has come', async () => {
    const { calls, checkpointer, held, intake } = pipeline();
    held.publishing = true;
    intake.apply(blockOf(0, ['a', 'b']));
    await checkpointer.run();
    await checkpointer.run();
    expect(calls).toEqual(['saveScores 0', 'checkpoint 2 up to 2']);
    held.publishing = false;
    await checkpointer.run();
    expect(calls.slice(2)).toEqual(['append 1', 'saveScores 1', 'commit 2']);
  });

  it('does not commit what it stores while an effect is awaited', async () => {
    const { calls, checkpointer, held, intake } = pipeline();
    held.committing = true;
    intake.apply(blockOf(0, ['a']));
    await checkpointer.run();
    expect(calls).toEqual(['append 1', 'saveScores 1', 'checkpoint 1 up to 1']);
    intake.apply(blockOf(1, ['b']));
    held.committing = false;
    await checkpointer.run();
    expect(calls.at(-1)).toBe('commit 2');
  });

  it('tells alerts before it stores the steps they are, and both before it commits', async () => {
    const { alerts, calls, checkpointer, checkpoints, intake } = pipeline();
    const steps = [transitionOf({ step: 1 }), transitionOf({ step: 2, isHeld: true }), transitionOf({ step: 3 })];
    alerts.happen(...steps);
    intake.apply(blockOf(0, ['a']));
    await checkpointer.run();
    expect(calls).toEqual(['append 1', 'tell 2', 'saveScores 1', 'checkpoint 1 up to 1', 'commit 1']);
    expect(checkpoints.map(({ transitions }) => transitions)).toEqual([steps]);
  });

  it('does not store alerts that failed to be told, and tells them again', async () => {
    const { alerts, calls, checkpointer, intake } = pipeline({ tell: [passing('unavailable')] });
    alerts.happen(transitionOf());
    intake.apply(blockOf(0, ['a']));
    await checkpointer.run();
    expect(calls).toEqual(['append 1', 'tell failed', 'tell 1', 'saveScores 1', 'checkpoint 1 up to 1', 'commit 1']);
  });

  it('stores what it may not tell yet, and commits once it is told', async () => {
    const { alerts, calls, checkpointer, held, intake } = pipeline();
    held.telling = true;
    alerts.happen(transitionOf());
    intake.apply(blockOf(0, ['a']));
    await checkpointer.run();
    expect(calls).toEqual(['append 1', 'saveScores 1', 'checkpoint 1 up to 1']);
    held.telling = false;
    await checkpointer.run();
    expect(calls.slice(3)).toEqual(['tell 1', 'saveScores 0', 'commit 1']);
  });

  it('stores what a takeover came to, though no record has come', async () => {
    const { alerts, calls, checkpointer, checkpoints, intake } = pipeline();
    intake.apply(blockOf(0, ['a']));
    await checkpointer.run();
    alerts.happen(transitionOf());
    intake.takeOver();
    expect(intake.owesEffects).toBe(true);
    await checkpointer.run();
    expect(calls.slice(4)).toEqual(['tell 1', 'saveScores 0', 'checkpoint 0 up to 1', 'commit 1']);
    expect([checkpoints.at(-1)!.transitions.length, intake.owesEffects]).toEqual([1, false]);
  });

  it('gives up at once where trying again can not help', async () => {
    const { calls, checkpointer, intake } = pipeline({ checkpoint: [passing('rejected')] });
    intake.apply(blockOf(0, ['a']));
    await expect(checkpointer.run()).rejects.toThrow('made to fail');
    expect(calls.some((call) => call.startsWith('commit'))).toBe(false);
  });

  it('that is asked for while another runs covers what was applied in between', async () => {
    const { calls, checkpointer, intake } = pipeline();
    intake.apply(blockOf(0, ['a']));
    const first = checkpointer.run();
    intake.apply(blockOf(1, ['b']));
    const second = checkpointer.run();
    const third = checkpointer.run();
    await Promise.all([first, second, third]);
    expect(calls.filter((call) => call.startsWith('commit')).at(-1)).toBe('commit 2');
  });
});
