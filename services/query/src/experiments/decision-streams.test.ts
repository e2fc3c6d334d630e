import { createMetrics, systemScheduler, type Scheduler } from '@touchstone/runtime';
import { describe, expect, it } from 'vitest';
import type { Decider, Evaluation } from './decider.ts';
import { DecisionStreams, type StreamOutput } from './decision-streams.ts';

/** Answers of a test, by account. */
function openWorld(scheduler: Scheduler = systemScheduler) {
  const variants = new Map<string, string>();
  const decider = {
    evaluateAll: (accountId: string): Evaluation[] => [
      { key: 'hero', variant: variants.get(accountId) ?? 'a', reason: 'SPLIT', metadata: { score: Math.random() } },
    ],
  } as unknown as Decider;
  const streams = new DecisionStreams({
    decider,
    keys: { sign: (keyId, text) => (keyId === 'gone' ? null : Buffer.from(`${keyId}-${text}`).toString('base64url')) },
    scheduler,
    metrics: createMetrics({ ofProcess: false }),
  });
  return { variants, streams };
}

class Output implements StreamOutput {
  readonly written: string[] = [];
  isFull = false;
  #drained = (): void => {};

  write(text: string): boolean {
    this.written.push(text);
    return !this.isFull;
  }

  once(_event: 'drain', listener: () => void): void {
    this.#drained = listener;
  }

  drain(): void {
    this.isFull = false;
    this.#drained();
  }
}

describe('a stream of an account', () => {
  it('says once at its beginning to ask, and again only when something is decided otherwise', async () => {
    const { streams, variants } = openWorld();
    const output = new Output();
    streams.open('acme', output, null);
    expect(output.written).toHaveLength(1);
    streams.look('acme');
    streams.look('globex');
    await new Promise((resolve) => setImmediate(resolve));
    expect(output.written).toHaveLength(1);
    variants.set('acme', 'b');
    streams.look('acme');
    await expect.poll(() => output.written).toHaveLength(2);
    expect(output.written[1]).toMatch(/^id: \S+\ndata: \{"type":"refetchEvaluation","etag":"\\"\S+\\"","lastModified":\d+\}\n\n$/);
  });

  it('says nothing to who comes back and has missed nothing', () => {
    const { streams, variants } = openWorld();
    const first = new Output();
    streams.open('acme', first, null);
    const id = /^id: (\S+)/.exec(first.written[0]!)![1]!;
    const again = new Output();
    streams.open('acme', again, id);
    expect(again.written).toEqual([]);
    variants.set('acme', 'b');
    const late = new Output();
    streams.open('acme', late, id);
    expect(late.written).toHaveLength(1);
  });

  it('waits for a client that reads slowly, and tells it the latest alone', async () => {
    const { streams, variants } = openWorld();
    const output = new Output();
    output.isFull = true;
    streams.open('acme', output, null);
    for (const variant of ['b', 'c', 'd']) {
      variants.set('acme', variant);
      streams.lookAtAll();
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(output.written).toHaveLength(1);
    output.drain();
    await expect.poll(() => output.written).toHaveLength(2);
  });

  it('goes on when another of its account is closed', async () => {
    const { streams, variants } = openWorld();
    const [gone, left] = [new Output(), new Output()];
    const close = streams.open('acme', gone, null);
    streams.open('acme', left, null);
    close();
    variants.set('acme', 'b');
    streams.look('acme');
    await expect.poll(() => left.written).toHaveLength(2);
    expect([gone.written.length, streams.count]).toEqual([1, 1]);
  });

  it('is looked at however many there are', async () => {
    const { streams, variants } = openWorld();
    const outputs = Array.from({ length: 250 }, (_, n) => {
      const output = new Output();
      streams.open(`account-${n}`, output, null);
      variants.set(`account-${n}`, 'b');
      return output;
    });
    streams.lookAtAll();
    await expect.poll(() => outputs.every(({ written }) => written.length === 2)).toBe(true);
  });

  it('is looked at each second, for time alone changes what is decided, until all stop', async () => {
    const planned: { ms: number; run: () => void; isCancelled: boolean }[] = [];
    const after = (ms: number, run: () => void): (() => void) => {
      const plan = { ms, run, isCancelled: false };
      planned.push(plan);
      return () => (plan.isCancelled = true);
    };
    const { streams, variants } = openWorld({ ...systemScheduler, after });
    const output = new Output();
    streams.open('acme', output, null);
    streams.start();
    for (const [round, variant] of ['b', 'c'].entries()) {
      variants.set('acme', variant);
      expect(planned).toHaveLength(round + 1);
      expect(planned[round]!.ms).toBe(1000);
      planned[round]!.run();
      await expect.poll(() => output.written).toHaveLength(round + 2);
    }
    streams.stop();
    expect(planned.at(-1)!.isCancelled).toBe(true);
    planned.at(-1)!.run();
    expect(planned).toHaveLength(3);
  });

  it('ends when it is closed', async () => {
    const { streams, variants } = openWorld();
    const output = new Output();
    const close = streams.open('acme', output, null);
    close();
    close();
    expect(streams.count).toBe(0);
    variants.set('acme', 'b');
    streams.look('acme');
    await new Promise((resolve) => setImmediate(resolve));
    expect(output.written).toHaveLength(1);
  });
});

describe('the address of a stream', () => {
  const parsed = (address: string) => {
    const parameters = new URL(address, 'http://localhost').searchParams;
    const of = (name: string): string => parameters.get(name)!;
    return { account: of('account'), key: of('key'), until: Number(of('until')), signature: of('signature') };
  };

  it('works for twelve hours at least, stays the same for a while, and then is over', () => {
    let now = Date.UTC(2026, 2, 1);
    const { streams } = openWorld({ ...systemScheduler, now: () => now });
    for (const hours of [0, 0.1, 11.9, 12, 23.9, 24]) {
      now = Date.UTC(2026, 2, 1) + hours * 3_600_000;
      const address = parsed(streams.addressOf('acme', 'key_1'));
      const lasts = address.until - now;
      expect(lasts).toBeGreaterThan(12 * 3_600_000);
      expect(lasts).toBeLessThanOrEqual(24 * 3_600_000);
      now += 3_000_000;
      if (hours < 11 || (hours >= 12 && hours < 23)) expect(parsed(streams.addressOf('acme', 'key_1'))).toEqual(address);
      now = address.until - 1;
      expect(streams.isValid(address)).toBe(true);
      now = address.until;
      expect(streams.isValid(address)).toBe(false);
    }
  });

  it('works for its account and key, as long as its time is not over', () => {
    const { streams } = openWorld();
    const address = parsed(streams.addressOf('acme', 'key_1'));
    expect(streams.isValid(address)).toBe(true);
    expect(streams.isValid({ ...address, account: 'globex' })).toBe(false);
    expect(streams.isValid({ ...address, key: 'key_2' })).toBe(false);
    expect(streams.isValid({ ...address, until: address.until + 1 })).toBe(false);
    expect(streams.isValid({ ...parsed(streams.addressOf('acme', 'gone')), signature: '' })).toBe(false);
  });
});
