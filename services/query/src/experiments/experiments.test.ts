import { encodeExperimentRecord } from '@touchstone/codec';
import { defaultModel, LedgerSet, PartitionLedgers } from '@touchstone/engine';
import { RecordBlockBuilder, type SubscribeOptions } from '@touchstone/event-log';
import type { ExperimentStep } from '@touchstone/experiments';
import { createMetrics, systemScheduler, type Logger } from '@touchstone/runtime';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { Experiments } from './experiments.ts';

const silent = { info() {}, warn() {}, error() {}, debug() {} } as unknown as Logger;
const none = { by: 'k', definition: null, creativeId: null, weights: null, reason: null, evidence: null };

/** A process that starts with an experiment which runs already, and a store that answers when it is told to. */
function openProcess() {
  const stored = Promise.withResolvers<void>();
  const ledgers = new LedgerSet();
  const metrics = createMetrics({ ofProcess: false });
  const told: ((published: { accountId: string }) => void)[] = [];
  const experiments = new Experiments({
    ledgers,
    feed: { keptAlerts: () => [].values() as never, whenTold: (follower) => told.push(follower as (typeof told)[number]) as never },
    store: {
      positions: () => stored.promise.then(() => new Map([[0, { offset: 0, at: 0 }]])) as never,
      offsetSince: () => Promise.resolve(null) as never,
      replay: () => {
        throw new Error('nothing is stored');
      },
      contactRoles: () => {
        throw new Error('no contact is known');
      },
      crossings: () => {
        throw new Error('nothing was crossed');
      },
    },
    keys: { sign: () => 'signed' },
    metrics,
    scheduler: systemScheduler,
    logger: silent,
    readiness: () => ({ ready: true, detail: 'state is restored' }),
  });
  const definition = JSON.stringify({ id: 'hero', campaignId: 'spring', arms: [{ creativeId: 'a' }, { creativeId: 'b' }] });
  const steps: ExperimentStep[] = [
    { ...none, experimentId: 'hero', action: 'create', expectedRevision: 0, definition },
    { ...none, experimentId: 'hero', action: 'start', expectedRevision: 1 },
  ];
  for (const step of steps) experiments.log.book.apply(step, 1000);
  const subscription = { stop: () => Promise.resolve() };
  let onBlock: SubscribeOptions['onBlock'] = () => {};
  const log = {
    append: vi.fn(),
    extents: () => Promise.resolve([{ start: 0, end: 0 }]),
    subscribe: (options: SubscribeOptions) => {
      ({ onBlock } = options);
      return Promise.resolve(subscription);
    },
  };
  let offset = 0;
  /** A step comes by the log, of this process or another. */
  const deliver = (step: ExperimentStep): void => {
    const builder = new RecordBlockBuilder();
    builder.append(null, encodeExperimentRecord({ ...step, id: `step-${offset}`, at: 2000 }));
    void onBlock({ partition: 0, baseOffset: offset, nextOffset: ++offset, count: 1, appendedAt: 2000, bytes: builder.bytes().slice() });
  };
  const start = async (): Promise<void> => {
    ledgers.replace([new PartitionLedgers(0, defaultModel)]);
    await experiments.start(log as never, () => {});
  };
  const tell = (accountId: string): void => {
    for (const follower of told) follower({ accountId });
  };
  return { experiments, start, store: stored, deliver, tell, metrics };
}

let open: Experiments | null = null;
afterEach(async () => {
  vi.useRealTimers();
  vi.restoreAllMocks();
  await open?.stop();
});

describe('experiments after a restart', () => {
  it('are ready once what accounts were shown is read, and stay so', async () => {
    const { experiments, start, store } = openProcess();
    open = experiments;
    expect(experiments.readiness()).toMatchObject({ ready: false });
    await start();
    expect(experiments.readiness()).toEqual({ ready: false, detail: 'what accounts were shown is being read' });
    store.resolve();
    await expect.poll(() => experiments.readiness()).toEqual({ ready: true, detail: '1 experiments run' });
  });

  it('give figures to keep when they are read', async () => {
    const { experiments, start, store } = openProcess();
    open = experiments;
    await start();
    const results = experiments.resultsToKeep(experiments.log.book.get('hero')!);
    setTimeout(store.resolve, 300);
    expect(await results).toMatchObject({ judgement: { verdict: 'wait' } });
  });

  it('refuse to keep none for good where they are not read in time', async () => {
    const { experiments, start } = openProcess();
    open = experiments;
    await start();
    const state = experiments.log.book.get('hero')!;
    vi.spyOn(systemScheduler, 'elapsed').mockReturnValueOnce(0).mockReturnValue(1e9);
    await expect(experiments.resultsToKeep(state)).rejects.toMatchObject({ code: 'unavailable', headers: { 'retry-after': '5' } });
  });
});

describe('experiments that go on', () => {
  const other = { ...none, experimentId: 'other' };
  const definition = JSON.stringify({ id: 'other', campaignId: 'spring', arms: [{ creativeId: 'a' }, { creativeId: 'b' }] });

  it('have evidence as soon as they are started, and none when they are stopped', async () => {
    const { deliver, experiments, start, store } = openProcess();
    open = experiments;
    // Evidence is not looked at, as it is every two seconds: that would make up for a start that nobody noticed.
    vi.spyOn(systemScheduler, 'elapsed').mockReturnValue(-1);
    await start();
    store.resolve();
    await expect.poll(() => experiments.readiness()).toMatchObject({ ready: true });
    deliver({ ...other, action: 'create', expectedRevision: 0, definition });
    deliver({ ...other, action: 'start', expectedRevision: 1 });
    // What is started later does not make the process unfit to decide.
    expect(experiments.readiness()).toEqual({ ready: true, detail: '2 experiments run' });
    const state = experiments.log.book.get('other')!;
    await expect.poll(() => experiments.resultsOf(state)).not.toBeNull();
    deliver({ ...other, action: 'stop', expectedRevision: 2 });
    expect(experiments.running.map(({ definition: { id } }) => id)).toEqual(['hero']);
    expect(await experiments.resultsOf(state)).toBeNull();
    expect(await experiments.resultsToKeep(experiments.log.book.get('other')!)).toBeNull();
  });

  it('have gauges while they run, through their steps, and no longer', async () => {
    const { deliver, experiments, metrics, start, store } = openProcess();
    open = experiments;
    await start();
    store.resolve();
    const gauges = async (): Promise<string[]> => {
      const lines = (await metrics.text()).split('\n');
      return lines.filter((line) => /^touchstone_experiment_\w*accounts\{/.test(line) && line.includes('"hero"'));
    };
    await expect.poll(gauges).toHaveLength(5);
    deliver({ ...none, experimentId: 'hero', action: 'swap', expectedRevision: 2, creativeId: 'a' });
    expect(await gauges()).toHaveLength(5);
    deliver({ ...none, experimentId: 'hero', action: 'stop', expectedRevision: 3 });
    expect(await gauges()).toEqual([]);
  });

  it('have no figures that were made while they were stopped', async () => {
    const { deliver, experiments, metrics, start, store } = openProcess();
    open = experiments;
    const made = experiments.resultsOf.bind(experiments);
    const look = vi.spyOn(experiments, 'resultsOf').mockImplementation(async (state) => {
      const results = await made(state);
      if (results !== null) deliver({ ...none, experimentId: 'hero', action: 'stop', expectedRevision: 2 });
      return results;
    });
    await start();
    store.resolve();
    await expect.poll(() => experiments.running).toEqual([]);
    await Promise.all(look.mock.results.map(({ value }) => value as Promise<unknown>));
    expect(await metrics.text()).not.toContain('experiment="hero"');
  });

  it('make streams look at all accounts with each step, and at one that something is told of', async () => {
    const { deliver, experiments, start, tell } = openProcess();
    open = experiments;
    await start();
    const [lookAtAll, look] = [vi.spyOn(experiments.streams, 'lookAtAll'), vi.spyOn(experiments.streams, 'look')];
    deliver({ ...none, experimentId: 'hero', action: 'swap', expectedRevision: 2, creativeId: 'a' });
    expect(lookAtAll).toHaveBeenCalledTimes(1);
    // One for a revision that is past changes nothing.
    deliver({ ...none, experimentId: 'hero', action: 'swap', expectedRevision: 2, creativeId: 'b' });
    expect(lookAtAll).toHaveBeenCalledTimes(1);
    tell('acme');
    expect(look.mock.calls).toEqual([['acme']]);
  });
});
