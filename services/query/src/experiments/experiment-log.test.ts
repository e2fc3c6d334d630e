import { encodeExperimentRecord } from '@touchstone/codec';
import { RecordBlockBuilder, type SubscribeOptions } from '@touchstone/event-log';
import type { ExperimentStep } from '@touchstone/experiments';
import { createMetrics, systemScheduler, type Logger } from '@touchstone/runtime';
import { describe, expect, it, vi } from 'vitest';
import { ExperimentLog } from './experiment-log.ts';

const silent = { info() {}, warn() {}, error() {}, debug() {} } as unknown as Logger;
const none = { experimentId: 'hero', by: 'k', definition: null, creativeId: null, weights: null, reason: null, evidence: null };
const definition = JSON.stringify({ id: 'hero', campaignId: 'spring', arms: [{ creativeId: 'a' }, { creativeId: 'b' }] });
const STEPS: readonly ExperimentStep[] = [
  { ...none, action: 'create', expectedRevision: 0, definition },
  { ...none, action: 'start', expectedRevision: 1 },
  { ...none, action: 'swap', expectedRevision: 2, creativeId: 'a' },
  { ...none, action: 'stop', expectedRevision: 3 },
];

/** A topic with so many steps at the start; the writer's clock is an hour ahead of the log's. */
function openLog(end: number) {
  let onBlock: SubscribeOptions['onBlock'] = () => {};
  const log = {
    append: vi.fn(),
    extents: () => Promise.resolve([{ start: 0, end }]),
    subscribe: (options: SubscribeOptions) => {
      ({ onBlock } = options);
      return Promise.resolve({ stop: () => Promise.resolve() });
    },
  };
  const experiments = new ExperimentLog({ scheduler: systemScheduler, metrics: createMetrics({ ofProcess: false }), logger: silent });
  const deliver = (offset: number): void => {
    const [builder, appendedAt] = [new RecordBlockBuilder(), 1000 * (offset + 1)];
    builder.append(null, encodeExperimentRecord({ ...STEPS[offset]!, id: `step-${offset}`, at: appendedAt + 3_600_000 }));
    void onBlock({ partition: 0, baseOffset: offset, nextOffset: offset + 1, count: 1, appendedAt, bytes: builder.bytes().slice() });
  };
  return { experiments, deliver, start: () => experiments.start(log as never, () => {}) };
}

describe('the experiments of a process', () => {
  it('are known when all that was on the topic at the start is read, and not before', async () => {
    const { deliver, experiments, start } = openLog(3);
    const started = start();
    for (const offset of [0, 1]) {
      await Promise.resolve();
      deliver(offset);
      await new Promise(setImmediate);
      expect(experiments.isRead).toBe(false);
    }
    await expect(experiments.write(STEPS[2]!)).rejects.toMatchObject({ code: 'unavailable' });
    deliver(2);
    await started;
    expect(experiments.isRead).toBe(true);
    expect(experiments.book.get('hero')).toMatchObject({ revision: 3, out: ['a'] });
  });

  it('tell followers of steps that come from then on, with their place on the topic', async () => {
    const { deliver, experiments, start } = openLog(3);
    const followed = vi.fn();
    experiments.follow(followed);
    const started = start();
    await Promise.resolve();
    for (const offset of [0, 1, 2]) deliver(offset);
    await started;
    expect(followed).not.toHaveBeenCalled();
    deliver(3);
    expect(followed.mock.calls).toMatchObject([[{ state: { status: 'stopped' }, entry: { action: 'stop', revision: 4 }, offset: 3 }]]);
  });

  it('go by the clock of the log, which all processes read', async () => {
    const { deliver, experiments, start } = openLog(0);
    await start();
    for (const offset of STEPS.keys()) deliver(offset);
    expect(experiments.book.get('hero')).toMatchObject({ createdAt: 1000, startedAt: 2000, stoppedAt: 4000 });
    expect(experiments.book.get('hero')!.lineups.map(({ since }) => since)).toEqual([2000, 3000]);
  });
});
