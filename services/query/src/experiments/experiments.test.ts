import { defaultModel, LedgerSet, PartitionLedgers } from '@touchstone/engine';
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
  const experiments = new Experiments({
    ledgers,
    feed: { keptAlerts: () => [].values() as never, whenTold: () => () => {} },
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
    metrics: createMetrics({ ofProcess: false }),
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
  const log = { append: vi.fn(), extents: () => Promise.resolve([{ start: 0, end: 0 }]), subscribe: () => Promise.resolve(subscription) };
  const start = async (): Promise<void> => {
    ledgers.replace([new PartitionLedgers(0, defaultModel)]);
    await experiments.start(log as never, () => {});
  };
  return { experiments, start, store: stored };
}

let open: Experiments | null = null;
afterEach(async () => {
  vi.useRealTimers();
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
    await vi.waitFor(() => expect(experiments.readiness()).toEqual({ ready: true, detail: '1 experiments run' }));
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
    vi.restoreAllMocks();
  });
});
