import { PassThrough } from 'node:stream';
import { describe, expect, it, test } from 'vitest';
import { formatDuration } from './format.ts';
import { createLiveArea } from './live-area.ts';
import { createProgress } from './progress.ts';
import { formatTable } from './table.ts';

/** A stream that claims to be a terminal, or not. */
function fakeStream(isTTY: boolean): { stream: NodeJS.WriteStream; written: () => string } {
  const through = new PassThrough();
  let text = '';
  through.on('data', (chunk: Buffer) => (text += chunk.toString()));
  const stream = Object.assign(through, { isTTY, columns: 20, rows: 10 }) as unknown as NodeJS.WriteStream;
  return { stream, written: () => text };
}

describe('a table', () => {
  it('aligns by what a terminal draws', () => {
    const lines = formatTable(
      [{ title: 'name' }, { title: 'n', align: 'right' }],
      [
        ['日本', '1'],
        ['é', '22'],
        ['abcdef', ''],
      ],
    );
    expect(lines.slice(1)).toEqual(['日本     1', 'é       22', 'abcdef']);
  });
});

describe('a live area', () => {
  it('draws again in place, with lines that fit, and prints above itself', () => {
    const { stream, written } = fakeStream(true);
    const area = createLiveArea(stream);
    area.draw(['a'.repeat(30), 'b']);
    area.print('news');
    expect(written()).toBe(`${'a'.repeat(19)}\nb\n\u001b[2F\u001b[Jnews\n${'a'.repeat(19)}\nb\n`);
  });

  it('draws nothing on anything but a terminal', () => {
    const { stream, written } = fakeStream(false);
    const area = createLiveArea(stream);
    area.draw(['a']);
    area.print('news');
    area.clear();
    expect(written()).toBe('news\n');
  });
});

describe('progress', () => {
  it('has a share where the end is known', () => {
    const { stream, written } = fakeStream(true);
    stream.columns = 200;
    createProgress(stream).update({ share: 0.5, done: 1200, unit: 'lines' });
    expect(written()).toMatch(/^━{12}─{12} {2}50 % {2}1,200 lines {2}[\d,]+\/s {2}\d+ s left\n$/);
  });

  it('is quiet when asked, and when there is no terminal and no time has passed', () => {
    for (const [isTTY, isQuiet] of [
      [true, true],
      [false, false],
    ] as const) {
      const { stream, written } = fakeStream(isTTY);
      createProgress(stream, { isQuiet }).update({ share: 0.5, done: 1, unit: 'lines' });
      expect(written()).toBe('');
    }
  });
});

test.each([
  [4.4, '4 s'],
  [59.7, '1 min 0 s'],
  [200, '3 min 20 s'],
  [7500, '2 h 5 min'],
])('%d seconds are %s', (seconds, text) => {
  expect(formatDuration(seconds)).toBe(text);
});
