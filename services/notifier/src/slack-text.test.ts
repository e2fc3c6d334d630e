import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { markdownText, plainText } from './slack-text.ts';

const anyText = fc.oneof(
  fc.string({ unit: 'binary', size: 'max', maxLength: 300 }),
  fc.string({ unit: fc.constantFrom('<', '>', '&', '\u{1f680}', '\ud83d', 'a', ' ', '\n'), size: 'max', maxLength: 300 }),
);

describe('text for Slack', () => {
  it('is never longer than asked, empty, or broken in the middle of a character or an escape', () => {
    fc.assert(
      fc.property(anyText, fc.integer({ min: 10, max: 200 }), (text, most) => {
        for (const made of [plainText(text, most), markdownText(text, most)]) {
          expect(made.length).toBeLessThanOrEqual(most);
          expect(made).not.toBe('');
          expect(made.isWellFormed()).toBe(true);
        }
        expect(markdownText(text, most).replaceAll(/&(amp|lt|gt);/g, '')).not.toMatch(/[<>&]/);
      }),
      { numRuns: 500 },
    );
  });

  it('is whole where it fits to the last character', () => {
    expect(plainText('a'.repeat(20), 20)).toBe('a'.repeat(20));
    expect(plainText('a'.repeat(21), 20)).toBe(`${'a'.repeat(19)}…`);
    expect(markdownText('<'.repeat(5), 20)).toBe('&lt;'.repeat(5));
    expect(markdownText('<'.repeat(6), 20)).toBe(`${'&lt;'.repeat(4)}…`);
  });

  test.each([
    ['<!channel> <@U1>', '&lt;!channel&gt; &lt;@U1&gt;'],
    ['a\r\nb\tc\u0000d', 'a b c d'],
    ['safe\u202Egnp.exe', 'safe gnp.exe'],
    ['\u200B \u2028', '–'],
    ['', '–'],
    ['AT&amp;T', 'AT&amp;amp;T'],
  ])('of %j is %j', (text, made) => {
    expect(markdownText(text, 100)).toBe(made);
  });
});
