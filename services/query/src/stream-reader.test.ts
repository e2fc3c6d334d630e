import { fc, test } from '@fast-check/vitest';
import { LedgerSet } from '@touchstone/engine';
import { describe, expect, it } from 'vitest';
import type { Follower, Resumed } from './live-feed.ts';
import { EVENT_NAMES, PublishedScore, StreamEvent } from './stream-event.ts';
import { StreamReader } from './stream-reader.ts';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A feed that tells what the test says. */
class TestFeed {
  readonly currentId = 'now';
  missed: Resumed | null = { missed: [], isComplete: true };
  readonly #followers = new Set<Follower>();
  #told = 0;

  follow = (follower: Follower): (() => void) => {
    this.#followers.add(follower);
    return () => void this.#followers.delete(follower);
  };

  resume = (): Resumed | null => this.missed;

  get followerCount(): number {
    return this.#followers.size;
  }

  tell(...accountIds: readonly string[]): void {
    for (const accountId of accountIds) {
      const event = eventOf(accountId, ++this.#told);
      for (const follower of this.#followers) follower(event);
    }
  }
}

function eventOf(accountId: string, number: number | null): StreamEvent {
  const score = { accountId, version: 1, modelVersion: 'm', asOf: 1, points: 1, score: 1, engaged: true, contacts: 1, lastTouchAt: 1 };
  return new StreamEvent(`after-${accountId}`, new PublishedScore(0, 0, score, new LedgerSet()), number);
}

/** A connection that takes so many writes, and then none until it drains. */
class TestOutput {
  readonly written: (string | Uint8Array)[] = [];
  room = Infinity;
  drain = (): void => {};

  write(bytes: string | Uint8Array): boolean {
    this.written.push(bytes);
    return --this.room > 0;
  }

  once(_event: 'drain', listener: () => void): void {
    this.drain = listener;
  }

  get text(): string {
    return this.written.map((bytes) => (typeof bytes === 'string' ? bytes : Buffer.from(bytes).toString())).join('');
  }

  get accountIds(): string[] {
    return [...this.text.matchAll(/^data: \{"accountId":"([^"]*)"/gm)].map(([, accountId]) => accountId!);
  }
}

function readerOf(
  feed: TestFeed,
  output: TestOutput,
  options: { isWanted?: (id: string) => boolean; lastEventId?: string; onTooSlow?: () => void } = {},
): StreamReader {
  const { isWanted = () => true, lastEventId = null, onTooSlow = () => {} } = options;
  const reader = new StreamReader({
    feed,
    output,
    names: new Set(EVENT_NAMES),
    isWanted: ({ published }) => isWanted(published.accountId),
    lastEventId,
    onTooSlow,
  });
  reader.start();
  return reader;
}

describe('a reader of the stream', () => {
  it('gets hello and then each event in the words of server-sent events', async () => {
    const feed = new TestFeed();
    const output = new TestOutput();
    readerOf(feed, output);
    feed.tell('a');
    await turn();
    const [hello, event, ...rest] = output.text.split('\n\n');
    expect(hello).toBe('id: now\nevent: hello\ndata: {}\nretry: 1000');
    expect(event).toMatch(/^id: after-a\nevent: score\ndata: \{"accountId":"a",.*\}$/);
    expect(rest).toEqual(['']);
  });

  it('shares with the others what comes in a turn, as one write of the same bytes', async () => {
    const feed = new TestFeed();
    const outputs = [new TestOutput(), new TestOutput()];
    for (const output of outputs) readerOf(feed, output);
    feed.tell('a', 'b', 'c');
    await turn();
    expect(outputs.map(({ written }) => written.length)).toEqual([2, 2]);
    expect(outputs[0]!.written[1]).toBe(outputs[1]!.written[1]);
    expect(outputs[0]!.accountIds).toEqual(['a', 'b', 'c']);
  });

  const filters = fc.array(fc.array(fc.boolean(), { minLength: 5, maxLength: 5 }), { minLength: 1, maxLength: 5 });
  test.prop([fc.array(fc.array(fc.nat(4), { maxLength: 8 }), { maxLength: 8 }), filters])(
    'gets what it wants and nothing else, whatever the others want',
    async (turns, wanted) => {
      const feed = new TestFeed();
      const outputs = wanted.map((wants) => {
        const output = new TestOutput();
        readerOf(feed, output, { isWanted: (id) => wants[Number(id)]! });
        return output;
      });
      for (const told of turns) {
        feed.tell(...told.map(String));
        await turn();
      }
      const expected = wanted.map((wants) =>
        turns
          .flat()
          .filter((id) => wants[id])
          .map(String),
      );
      expect(outputs.map(({ accountIds }) => accountIds)).toEqual(expected);
    },
  );

  it('catches up first, with what it wants, and a gap where something is no longer kept', async () => {
    const feed = new TestFeed();
    const missed = Array.from({ length: 200 }, (_, i) => eventOf(`missed-${i}`, null));
    feed.missed = { missed, isComplete: false };
    const output = new TestOutput();
    output.room = 2;
    readerOf(feed, output, { lastEventId: 'x', isWanted: (id) => id !== 'missed-1' });
    feed.tell('live');
    await turn();
    expect(output.accountIds.length).toBeLessThan(100);
    output.room = Infinity;
    output.drain();
    expect(output.text).toMatch(/^event: hello\ndata: \{\}\nretry: 1000\n\nevent: gap\ndata: \{\}\n\nid: after-missed-0\n/);
    expect(output.accountIds).toEqual(['missed-0', ...missed.slice(2).map(({ published }) => published.accountId), 'live']);
  });

  it('is written nothing while its connection is full, and everything in order after that', async () => {
    const feed = new TestFeed();
    const output = new TestOutput();
    readerOf(feed, output);
    output.room = 1;
    feed.tell('a');
    await turn();
    for (let i = 0; i < 1000; i++) feed.tell(String(i));
    await turn();
    expect(output.accountIds).toEqual(['a']);
    output.room = 3;
    output.drain();
    expect(output.accountIds.length).toBeLessThan(300);
    output.room = Infinity;
    output.drain();
    expect(output.accountIds).toEqual(['a', ...Array.from({ length: 1000 }, (_, i) => String(i))]);
  });

  it('is cut off once ten thousand events wait, and not before', async () => {
    const feed = new TestFeed();
    const output = new TestOutput();
    output.room = 1;
    let cuts = 0;
    const reader = readerOf(feed, output, { onTooSlow: () => cuts++ });
    for (let i = 0; i < 10_000; i++) feed.tell('a');
    expect([cuts, feed.followerCount]).toEqual([0, 1]);
    feed.tell('a');
    expect([cuts, feed.followerCount]).toEqual([1, 0]);
    await reader.over;
    output.drain();
    expect(output.accountIds).toEqual([]);
  });
});
