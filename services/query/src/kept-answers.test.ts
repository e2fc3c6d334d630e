import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { KeptAnswers, type KeptAnswersOptions } from './kept-answers.ts';

/** A store on a clock of its own: it counts its answers, and each takes `took` ms. */
function openKept(options: Partial<KeptAnswersOptions> = {}) {
  const world = { elapsed: 0, took: 50, computed: 0, isAway: false };
  const kept = new KeptAnswers({ clock: () => 1000 + world.elapsed, elapsed: () => world.elapsed, ...options });
  const ask = (question: unknown) =>
    kept.get(question, async () => {
      await turn();
      world.elapsed += world.took;
      if (world.isAway) throw new Error('away');
      return ++world.computed;
    });
  /** What was begun in the background ends. */
  const settle = async (): Promise<void> => {
    for (let turns = 0; turns < 10; turns++) await turn();
  };
  return { world, kept, ask, settle };
}

describe('kept answers', () => {
  it('are given again for ten times as long as they took, to whoever asks the same', async () => {
    const { ask, world } = openKept();
    // Both wait for one.
    expect(await Promise.all([ask(['a']), ask(['a'])])).toEqual([
      { answer: 1, asOf: 1000 },
      { answer: 1, asOf: 1000 },
    ]);
    world.elapsed += 499;
    expect(await ask(['a'])).toMatchObject({ answer: 1 });
    expect(await ask(['b'])).toMatchObject({ answer: 2 });
    world.elapsed += 500;
    expect(await ask(['a'])).toMatchObject({ answer: 3, asOf: 1000 + 1099 });
  });

  it('are given for a while after, where they are dear, and once a new one has come, that one', async () => {
    const { ask, settle, world } = openKept();
    world.took = 2000;
    await ask('a');
    world.elapsed += 29_999;
    // One renewal for all who ask.
    expect(await Promise.all([ask('a'), ask('a')])).toMatchObject([{ answer: 1 }, { answer: 1 }]);
    await settle();
    expect(world.computed).toBe(2);
    expect(await ask('a')).toMatchObject({ answer: 2, asOf: 1000 + 31_999 });
    world.elapsed += 30_000;
    expect(await ask('a')).toMatchObject({ answer: 3 });
  });

  it('are not given stale where they are cheap', async () => {
    const { ask, world } = openKept();
    await ask('a');
    world.elapsed += 501;
    expect(await ask('a')).toMatchObject({ answer: 2 });
  });

  it('are given stale where they are cheap and the new one has to wait for its turn, or fails', async () => {
    const timers: (() => void)[] = [];
    const { kept, world } = openKept({ wait: () => new Promise<void>((resolve) => void timers.push(resolve)) });
    const turns: (() => void)[] = [];
    const ask = () =>
      kept.get('a', async () => {
        const nth = ++world.computed;
        if (nth === 2) await new Promise<void>((resolve) => void turns.push(resolve));
        if (nth === 3) throw new Error('away');
        world.elapsed += 50;
        return nth;
      });
    await ask();
    world.elapsed += 501;
    const both = [ask(), ask()];
    await turn();
    for (const end of timers) end();
    expect(await Promise.all(both)).toMatchObject([{ answer: 1 }, { answer: 1 }]);
    turns[0]!();
    await turn();
    expect(await ask()).toMatchObject({ answer: 2 });
    world.elapsed += 501;
    expect(await ask()).toMatchObject({ answer: 2 });
    expect(world.computed).toBe(3);
    expect(await ask()).toMatchObject({ answer: 4 });
  });

  it('outlast a renewal that fails, as long as they may be given', async () => {
    const { ask, settle, world } = openKept();
    world.took = 2000;
    await ask('a');
    world.elapsed += 25_000;
    world.isAway = true;
    expect(await ask('a')).toMatchObject({ answer: 1 });
    await settle();
    expect(await ask('a')).toMatchObject({ answer: 1 });
    await settle();
    world.elapsed += 5000;
    await expect(ask('a')).rejects.toThrow('away');
    world.isAway = false;
    expect(await ask('a')).toMatchObject({ answer: 2 });
  });

  it('are renewed one after the other', async () => {
    let underWay = 0;
    let most = 0;
    const { kept, settle, world } = openKept();
    const ask = (question: number) =>
      kept.get(question, async () => {
        most = Math.max(most, ++underWay);
        await turn();
        world.elapsed += 500;
        underWay--;
        return question;
      });
    for (let question = 0; question < 5; question++) await ask(question);
    world.elapsed += 20_000;
    await Promise.all([0, 1, 2, 3, 4].map(ask));
    await settle();
    expect(most).toBe(1);
  });

  it('are no more than so many bytes: those not asked for longest go first, and one too large is not kept', async () => {
    const { kept, world } = openKept({ bytesMax: 3000, freshMinMs: 10_000 });
    const ask = async (question: string, length = 998) => {
      const { answer } = await kept.get(question, async () => {
        world.computed++;
        return question.repeat(length);
      });
      return answer.length;
    };
    for (const question of ['a', 'b', 'c', 'a', 'd', 'a', 'c', 'd']) await ask(question);
    expect(world.computed).toBe(4);
    await ask('b');
    expect(world.computed).toBe(5);
    expect(await ask('x', 5000)).toBe(5000);
    expect(await ask('x', 5000)).toBe(5000);
    expect(world.computed).toBe(7);
  });

  it('are not kept when they fail', async () => {
    const { ask, world } = openKept();
    world.isAway = true;
    await expect(ask('a')).rejects.toThrow('away');
    world.isAway = false;
    expect(await ask('a')).toMatchObject({ answer: 1 });
  });

  it('are forgotten on request', async () => {
    const { ask, kept } = openKept({ freshMinMs: 10_000 });
    await ask('a');
    kept.forget('a');
    expect(await ask('a')).toMatchObject({ answer: 2 });
  });
});
