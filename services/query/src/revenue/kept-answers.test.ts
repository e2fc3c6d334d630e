import { describe, expect, it } from 'vitest';
import { KeptAnswers } from './kept-answers.ts';

describe('kept answers', () => {
  it('are given again for ten times as long as they took, to whoever asks the same', async () => {
    let elapsed = 0;
    let computed = 0;
    const kept = new KeptAnswers(
      () => 1000 + elapsed,
      () => elapsed,
    );
    const ask = (question: unknown) =>
      kept.get(question, () => {
        elapsed += 50;
        return Promise.resolve(++computed);
      });
    // Both wait for one.
    expect(await Promise.all([ask(['a']), ask(['a'])])).toEqual([
      { answer: 1, asOf: 1000 },
      { answer: 1, asOf: 1000 },
    ]);
    elapsed += 499;
    expect(await ask(['a'])).toMatchObject({ answer: 1 });
    expect(await ask(['b'])).toMatchObject({ answer: 2 });
    elapsed += 500;
    expect(await ask(['a'])).toMatchObject({ answer: 3, asOf: 1000 + 1099 });
  });

  it('are not kept when they fail', async () => {
    const kept = new KeptAnswers(() => 0);
    await expect(kept.get('a', () => Promise.reject(new Error('away')))).rejects.toThrow('away');
    expect(await kept.get('a', () => Promise.resolve('there'))).toMatchObject({ answer: 'there' });
  });
});
