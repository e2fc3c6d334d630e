import { TouchWriter } from '@touchstone/codec';
import { defaultModel, scoringModelSchema, type AccountView, type Alert, type RecordRun, type ScoringModel } from '@touchstone/engine';
import { EventLogError, EVENTS_TOPIC, partitionOfKey, type EventLog } from '@touchstone/event-log';
import { StartError } from '@touchstone/recovery';
import { createLogger, createMetrics, systemScheduler, type Metrics } from '@touchstone/runtime';
import { StoreError } from '@touchstone/store';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LedgerCopy } from './ledger-copy.ts';
import { LedgerReplica, type ReplicaOptions } from './ledger-replica.ts';
import { alertOf, transitionOf } from './test-alerts.ts';
import { modelOf, onePass, openTestWorld, viewsOf, type TestWorld } from './test-world.ts';
import { Turns } from './turns.ts';

const WAIT = { timeout: 15_000, interval: 5 };

let world: TestWorld;
let metrics: Metrics;
const replicas: LedgerReplica[] = [];
const faults: unknown[] = [];
/** What the feed of alerts keeps. */
const told: { partition: number; alert: Alert }[] = [];
beforeEach(async () => {
  world = await openTestWorld();
  metrics = createMetrics({ ofProcess: false });
  faults.length = 0;
  told.length = 0;
});
afterEach(async () => {
  for (const replica of replicas.splice(0)) await replica.stop();
  await world.close();
});

function replicaOf(changes: Partial<ReplicaOptions> = {}): LedgerReplica {
  const replica = new LedgerReplica({
    store: world.store,
    metrics,
    logger: createLogger({ service: 'test', level: 'silent' }),
    scheduler: systemScheduler,
    dedupeHorizonMs: 48 * 3_600_000,
    creativeDays: 90,
    keptAlerts: () => told,
    onFatal: (cause) => faults.push(cause),
    ...changes,
  });
  replicas.push(replica);
  return replica;
}

async function ready(replica: LedgerReplica, log: EventLog = world.log): Promise<void> {
  await replica.start(log);
  await expect.poll(() => replica.readiness(), WAIT).toEqual({ ready: true, detail: 'state is restored' });
}

async function ends(): Promise<number[]> {
  return (await world.log.extents(EVENTS_TOPIC)).map(({ end }) => end);
}

async function caughtUp(replica: LedgerReplica): Promise<void> {
  const expected = await ends();
  await expect.poll(() => [...replica.ledgers.partitions].map(({ position }) => position), WAIT).toEqual(expected);
}

/** Every account of the replica as it is now and later, held against one undisturbed pass over the whole log. */
async function expectExact(replica: LedgerReplica, model = defaultModel): Promise<void> {
  await caughtUp(replica);
  for (const laterMs of [0, 20 * 86_400_000]) {
    const asOf = Date.now() + 60_000 + laterMs;
    const served = [...replica.ledgers.partitions].flatMap((ledgers) => viewsOf(ledgers, asOf));
    const byId = (views: Iterable<AccountView>) => [...views].toSorted((a, b) => (a.accountId < b.accountId ? -1 : 1));
    expect(byId(served)).toEqual(byId((await onePass(world.log, model, asOf)).values()));
  }
}

describe('the read replica', () => {
  it.each([
    ['nothing at all', 0, null, 0],
    ['nothing stored, all on the log', 3000, null, 0],
    ['all stored', 3000, 0, 0],
    ['most of it stored, the rest on the log', 3000, 400, 0],
    ['most of it stored, the rest on the log, and more coming', 3000, 400, 3000],
  ])('is as one pass over the log: %s', async (_description, before, recordsLeft, after) => {
    await world.touch(before);
    if (recordsLeft !== null) await world.checkpoint(recordsLeft);
    const replica = replicaOf();
    await ready(replica);
    await world.touch(after);
    await expectExact(replica);
    expect(faults).toEqual([]);
  });

  it('is ready only when all that was on the log at its start is applied', async () => {
    await world.touch(2000);
    const atStart = await ends();
    const replica = replicaOf();
    expect(replica.readiness().ready).toBe(false);
    const seen: number[][] = [];
    const starting = replica.start(world.log);
    while (!replica.readiness().ready) await new Promise(setImmediate);
    for (const { position } of replica.ledgers.partitions) seen.push([position]);
    await starting;
    expect(seen.map(([position], partition) => position! >= atStart[partition]!)).toEqual([true, true, true]);
  });

  it('takes another model over in one step, once all partitions have it, and no version goes back', async () => {
    await world.touch(3000);
    await world.checkpoint(500);
    const replica = replicaOf();
    await ready(replica);
    const model = modelOf('other', 3);
    const watch = watchTakeover(replica);
    await world.publish(model, [0, 2]);
    await world.touch(1000);
    await caughtUp(replica);
    expect(replica.modelStatus).toMatchObject({ model: { version: defaultModel.version }, rescoringTo: null });
    await world.publish(model, [1]);
    for (let i = 0; i < 20; i++) await world.touch(500);
    await expect.poll(() => replica.modelStatus.model.version, WAIT).toBe('other');
    expect(await watch.finish()).toEqual([]);
    await expectExact(replica, model);
    expect(replica.modelStatus.rescoringTo).toBeNull();
    const positions = [...replica.ledgers.partitions].map(({ position }) => position);
    for (const [partition, offset] of replica.modelStatus.takeover) expect(offset).toBeLessThanOrEqual(positions[partition]!);
    expect(await metrics.text()).toContain('touchstone_rescores_total{outcome="done"} 1');
  });

  it('goes through two models that follow each other, and comes up with the newest after a restart', async () => {
    await world.touch(1000);
    const replica = replicaOf();
    await ready(replica);
    await world.publish(modelOf('one', 1));
    await world.publish(modelOf('two', 2));
    await expect.poll(() => replica.modelStatus.model.version, WAIT).toBe('two');
    await expectExact(replica, modelOf('two', 2));
    await world.checkpoint();
    const restarted = replicaOf();
    await ready(restarted);
    expect(restarted.modelStatus).toMatchObject({ model: { version: 'two' }, rescoringTo: null });
    await expectExact(restarted, modelOf('two', 2));
  });

  it('knows a model that is stored in some partitions and still on the log in others', async () => {
    await world.touch(500);
    await world.publish(modelOf('other', 3), [0, 2]);
    await world.checkpoint();
    await world.publish(modelOf('other', 3), [1]);
    const replica = replicaOf();
    await ready(replica);
    await expect.poll(() => replica.modelStatus.model.version, WAIT).toBe('other');
    await expectExact(replica, modelOf('other', 3));
  });

  it('applies nothing while a copy is held, however much comes', async () => {
    await world.touch(500);
    const copy = await LedgerCopy.restore(null, {
      log: world.log,
      store: world.store,
      scheduler: systemScheduler,
      turns: new Turns(systemScheduler),
      dedupeHorizonMs: 48 * 3_600_000,
      creativeDays: 90,
      breathe: () => systemScheduler.breathe(),
      onProgress: () => {},
      onRetry: () => {},
      onApplied: () => {},
      onEnded: () => {},
    });
    await copy.follow();
    await expect.poll(() => copy.missingUntil(copy.ends), WAIT).toBe(0);
    copy.hold();
    const held = copy.positions;
    await world.touch(3000);
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(copy.positions).toEqual(held);
    copy.release();
    const expected = await ends();
    await expect.poll(() => [...copy.positions.values()], WAIT).toEqual(expected);
    await copy.stop();
  });

  it('waits for a store that is away, says so, and is exact afterwards', async () => {
    await world.touch(3000);
    await world.checkpoint(100);
    const away = <Arguments extends unknown[], Answer>(call: (...args: Arguments) => Promise<Answer>) => {
      let failures = 2;
      return async (...args: Arguments): Promise<Answer> => {
        if (failures-- > 0) throw new StoreError('unavailable', 'nobody is there');
        return call(...args);
      };
    };
    const cutOff = new Set<number>();
    const store: ReplicaOptions['store'] = {
      positions: away(() => world.store.positions()),
      models: away(() => world.store.models()),
      ruleStates: (partition, before) => world.store.ruleStates(partition, before),
      async *replay(partition, before, options) {
        for await (const run of world.store.replay(partition, before, options)) {
          // In the midst of each partition, once.
          if (cutOff.has(partition)) yield run;
          else yield until(run, 100);
          if (cutOff.has(partition)) continue;
          cutOff.add(partition);
          throw new StoreError('unavailable', 'gone in the midst');
        }
      },
    };
    const replica = replicaOf({ store });
    const starting = replica.start(world.log);
    await expect.poll(() => replica.readiness().detail, WAIT).toBe('waits for log and store: nobody is there');
    expect(replica.readiness().ready).toBe(false);
    await starting;
    await expectExact(replica);
    expect(replica.readiness().ready).toBe(true);
    expect(await metrics.text()).toMatch(/touchstone_store_errors_total\{code="unavailable"\} [1-9]/);
  });

  it('does not start on a log that is not the one the store was written from', async () => {
    await world.touch(300);
    await world.checkpoint();
    await world.store.checkpoint([
      { partition: 1, offset: 5, generation: 'another', touches: world.store.touchRows(1), facts: [], deadLetters: [], transitions: [] },
    ]);
    let replays = 0;
    const store: ReplicaOptions['store'] = {
      positions: () => world.store.positions(),
      models: () => world.store.models(),
      ruleStates: (partition, before) => world.store.ruleStates(partition, before),
      replay(...range) {
        replays++;
        return world.store.replay(...range);
      },
    };
    await expect(replicaOf({ store }).start(world.log)).rejects.toEqual(expect.objectContaining({ code: 'topic_made_anew' }));
    // Found before the other partitions are restored, which may take long.
    expect(replays).toBe(0);
  });

  it('is restored anew when the log has dropped what comes next, and goes on serving meanwhile', async () => {
    await world.touch(3000);
    await world.checkpoint();
    const replica = replicaOf();
    const overrun = overrunOnce(world.log, 2000);
    await ready(replica, overrun.log);
    await world.touch(3000);
    await world.checkpoint(200);
    await expectExact(replica);
    expect(overrun.happened()).toBe(true);
    expect(replica.readiness().ready).toBe(true);
    expect(faults).toEqual([]);
    expect(await metrics.text()).toContain('touchstone_replica_rebuilds_total 1');
  });

  it('follows again after a failure that may pass', async () => {
    await world.touch(500);
    const replica = replicaOf();
    const failing = failingOnce(world.log, new EventLogError('io', 'the connection is gone'));
    await ready(replica, failing.log);
    failing.fail();
    await world.touch(500);
    await expectExact(replica);
    expect(faults).toEqual([]);
  });

  it('can not go on with a log that can not be read', async () => {
    await world.touch(500);
    const replica = replicaOf();
    const failing = failingOnce(world.log, new EventLogError('corrupt', 'these are no records'));
    await ready(replica, failing.log);
    failing.fail();
    await expect.poll(() => faults, WAIT).toEqual([expect.objectContaining({ code: 'corrupt' })]);
  });

  it('can not go on when what the log has dropped is not stored either', async () => {
    await world.touch(1000);
    const replica = replicaOf();
    const failing = failingOnce(world.log, new EventLogError('offset_out_of_range', 'dropped'), 600);
    await ready(replica, failing.log);
    failing.fail();
    await expect.poll(() => faults, WAIT).toEqual([expect.any(StartError)]);
    expect(faults[0]).toMatchObject({ code: 'records_lost' });
  });

  describe('of accounts under rules', () => {
    const staged = (version: string): ScoringModel =>
      scoringModelSchema.parse({
        ...modelOf(version, 1),
        stages: [{ id: 'aware' }, { id: 'sales' }],
        qualification: { atLeast: 1, of: [{ metric: 'score', atLeast: 200 }] },
      });
    const standing = (replica: LedgerReplica, accountId: string) => {
      const { account, ledgers } = replica.ledgers.find(accountId)!;
      return [ledgers.alerts.stageOf(account), ledgers.alerts.isQualified(account)];
    };
    const partitionOf = (accountId: string): number => partitionOfKey(Buffer.from(accountId), 3);
    const changeOf = (accountId: string, episode: number, currentStage: string | null, version = 0) => {
      const partition = partitionOf(accountId);
      const rest = { ruleId: 'stages', type: 'account.stage.changed' as const, currentStage, version };
      return { partition, alert: alertOf({ id: `${accountId}-${episode}`, accountId, partition, episode, ...rest }) };
    };
    const entryOf = (accountId: string, direction: 'up' | 'down') => {
      const partition = partitionOf(accountId);
      return { partition, alert: alertOf({ accountId, partition, ruleId: 'qualification', type: 'account.mqa.entered', direction }) };
    };

    /** As a checkpoint does that does not move the position. */
    async function store(...alerts: readonly { readonly partition: number; readonly alert: Alert }[]): Promise<void> {
      for (const { generation, partition } of await world.log.extents(EVENTS_TOPIC)) {
        const transitions = alerts.filter((one) => one.partition === partition).map(({ alert }) => transitionOf(alert));
        const touches = world.store.touchRows(partition);
        await world.store.checkpoint([{ partition, offset: 0, generation, touches, facts: [], deadLetters: [], transitions }]);
      }
    }

    it('knows where they stand: by what is stored, by what was told since, and by what is told', async () => {
      await world.touch(500);
      await world.publish(staged('one'));
      await world.checkpoint();
      await store(
        changeOf('account-1', 1, 'aware'),
        changeOf('account-2', 2, 'sales'),
        entryOf('account-1', 'up'),
        entryOf('account-2', 'up'),
      );
      // These come after what is stored, one of them of an account that only the log has.
      await world.log.append(EVENTS_TOPIC, [{ key: Buffer.from('new'), value: touchValueOf('new'), partition: partitionOf('new') }]);
      told.push(
        changeOf('account-1', 2, 'sales'),
        changeOf('account-2', 1, 'aware'),
        changeOf('new', 1, 'aware'),
        entryOf('account-2', 'down'),
      );
      const replica = replicaOf();
      await ready(replica);
      expect(standing(replica, 'account-1')).toEqual(['sales', true]);
      expect(standing(replica, 'account-2')).toEqual(['sales', false]);
      expect(standing(replica, 'account-3')).toEqual([null, false]);
      expect(standing(replica, 'new')).toEqual(['aware', false]);

      for (const { alert, partition } of [
        changeOf('account-1', 3, 'aware'),
        changeOf('account-3', 1, 'aware'),
        changeOf('nobody', 1, 'aware'),
      ]) {
        replica.takeAlert(partition, alert);
        told.push({ alert, partition });
      }
      expect(['account-1', 'account-3'].map((accountId) => standing(replica, accountId)[0])).toEqual(['aware', 'aware']);
      await world.publish(staged('two'));
      await expect.poll(() => replica.modelStatus.model.version, WAIT).toBe('two');
      expect(['account-1', 'account-2', 'account-3', 'new'].map((accountId) => standing(replica, accountId))).toEqual([
        ['aware', true],
        ['sales', false],
        ['aware', false],
        ['aware', false],
      ]);
    });
  });

  it('shows how far each partition is behind', async () => {
    await world.touch(500);
    const replica = replicaOf();
    await ready(replica);
    await expect.poll(() => metrics.text(), WAIT).toContain('touchstone_log_lag_records{partition="2"} 0');
  });
});

function touchValueOf(accountId: string): Uint8Array {
  const none = { contactId: null, channel: null, campaignId: null, creativeId: null, url: null, source: null, properties: {} };
  const writer = new TouchWriter();
  writer.write({ id: `of ${accountId}`, accountId, kind: 'call', occurredAt: Date.now(), minutes: 0, ...none });
  return writer.value();
}

/** Looks in every turn of the event loop: at a mixture of models, and at versions that go back. */
function watchTakeover(replica: LedgerReplica): { finish(): Promise<readonly string[]> } {
  const wrong: string[] = [];
  const before = new Map<number, number>();
  let isOver = false;

  async function watch(): Promise<void> {
    while (!isOver) {
      const versions = new Set<string>();
      for (const { model, partition, position } of replica.ledgers.partitions) {
        versions.add(model.version);
        if (position < (before.get(partition) ?? 0)) wrong.push(`partition ${partition} went back to ${position}`);
        before.set(partition, position);
      }
      if (versions.size > 1) wrong.push(`models are mixed: ${[...versions].join(', ')}`);
      await new Promise(setImmediate);
    }
  }

  const watching = watch();
  return {
    async finish() {
      isOver = true;
      await watching;
      return wrong;
    },
  };
}

/** The first records of a run. */
function until(run: RecordRun, count: number): RecordRun {
  let given = 0;
  return new Proxy(run, {
    get: (target, name) => (name === 'next' ? () => given++ < count && target.next() : Reflect.get(target, name, target)),
  });
}

/** A log whose subscription ends by itself, once, when it is told to; from then on it begins at `start`. */
function failingOnce(log: EventLog, cause: EventLogError, start = 0): { readonly log: EventLog; fail(): void } {
  let end = (): void => {};
  let hasFailed = false;
  const wrapped: EventLog = {
    partitionCount: (topic) => log.partitionCount(topic),
    append: (topic, records) => log.append(topic, records),
    committed: (topic, group) => log.committed(topic, group),
    close: () => log.close(),
    async extents(topic) {
      const extents = await log.extents(topic);
      return hasFailed ? extents.map((extent) => ({ ...extent, start: Math.min(start, extent.end) })) : extents;
    },
    async subscribe(options) {
      const subscription = await log.subscribe({ ...options, onBlock: (block) => (isOver ? undefined : options.onBlock(block)) });
      let isOver = false;
      end = () => {
        isOver = true;
        hasFailed = true;
        void subscription.stop().then(() => options.onFailed(cause));
      };
      return subscription;
    },
  };
  return { log: wrapped, fail: () => end() };
}

/** As if retention had passed a slow reader: the first block that ends beyond `offset` is gone before it is read. */
function overrunOnce(log: EventLog, offset: number): { readonly log: EventLog; happened(): boolean } {
  const failing = failingOnce(log, new EventLogError('offset_out_of_range', 'dropped'));
  let happened = false;
  const { subscribe } = failing.log;
  const wrapped: EventLog = {
    ...failing.log,
    subscribe: (options) =>
      subscribe({
        ...options,
        onBlock(block) {
          if (happened || block.nextOffset < offset) return options.onBlock(block);
          happened = true;
          failing.fail();
          return undefined;
        },
      }),
  };
  return { log: wrapped, happened: () => happened };
}
