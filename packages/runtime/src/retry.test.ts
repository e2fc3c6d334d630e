import { afterEach, describe, expect, it, vi } from 'vitest';
import { isRetriable, persist, repeat } from './retry.ts';
import { systemScheduler } from './scheduler.ts';

const passing = Object.assign(new Error('not now'), { retriable: true });

afterEach(() => void vi.useRealTimers());

describe('what may be tried again', () => {
  it.each([
    ['what says so', passing, true],
    ['what says the contrary', Object.assign(new Error('never'), { retriable: false }), false],
    ['what says nothing: a fault', new TypeError('a mistake of ours'), false],
    ['what is no error at all', 'text', false],
  ])('%s', (_what, cause, expected) => {
    expect(isRetriable(cause)).toBe(expected);
  });
});

describe('a repeated step', () => {
  function started(outcomes: (Error | null)[]) {
    vi.useFakeTimers();
    const told: string[] = [];
    const repeated = repeat({
      scheduler: systemScheduler,
      intervalMs: 10,
      step: async () => {
        const outcome = outcomes.shift() ?? null;
        told.push(outcome === null ? 'done' : 'failed');
        if (outcome !== null) throw outcome;
      },
      onRetry: (_cause, pauseMs) => told.push(pauseMs >= 50 ? 'pause' : 'no pause'),
      onFault: () => told.push('fault'),
    });
    return { told, repeated };
  }

  it('runs at its interval, and after failures that may pass goes on with pauses', async () => {
    const { told, repeated } = started([null, passing, passing]);
    await vi.advanceTimersByTimeAsync(400);
    repeated.stop();
    expect(told.slice(0, 6)).toEqual(['done', 'failed', 'pause', 'failed', 'pause', 'done']);
  });

  it('rests as long as is asked for, where that is longer than the interval', async () => {
    vi.useFakeTimers();
    const startedAt: number[] = [];
    const rests = [0, 3, 40];
    const repeated = repeat({
      scheduler: systemScheduler,
      intervalMs: 10,
      step: async () => void startedAt.push(Date.now()),
      restMs: () => rests.shift() ?? 0,
      onRetry: () => {},
      onFault: () => {},
    });
    await vi.advanceTimersByTimeAsync(100);
    repeated.stop();
    expect(startedAt.slice(1, 5).map((at, i) => at - startedAt[i]!)).toEqual([10, 10, 40, 10]);
  });

  it('tells a fault once, and ends', async () => {
    const { told } = started([new TypeError('a mistake of ours')]);
    await vi.advanceTimersByTimeAsync(1000);
    expect(told).toEqual(['failed', 'fault']);
  });

  it('ends when stopped, also in a pause', async () => {
    const { told, repeated } = started([passing]);
    await vi.advanceTimersByTimeAsync(15);
    repeated.stop();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(told).toEqual(['failed', 'pause']);
  });
});

describe('a step that is persisted in', () => {
  it('is run until it succeeds, and gives what it gave', async () => {
    vi.useFakeTimers();
    const outcomes = [passing, passing];
    const told: number[] = [];
    const result = persist({
      scheduler: systemScheduler,
      step: async () => {
        const outcome = outcomes.shift();
        if (outcome !== undefined) throw outcome;
        return 'done';
      },
      onRetry: (_cause, failures) => void told.push(failures),
    });
    await vi.advanceTimersByTimeAsync(1000);
    expect(await result).toBe('done');
    expect(told).toEqual([1, 2]);
  });

  it.each([
    ['the step fails for good', new TypeError('a mistake of ours'), () => {}, 'a mistake of ours'],
    [
      'whoever is told of the failure gives up',
      passing,
      () => {
        throw new Error('enough');
      },
      'enough',
    ],
  ])('ends when %s', async (_what, outcome, onRetry, message) => {
    const step = (): Promise<void> => Promise.reject(outcome);
    await expect(persist({ scheduler: systemScheduler, step, onRetry })).rejects.toThrow(message);
  });
});
