import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LINE_BYTES_MAX, readLines, type Line } from './read-lines.ts';

async function linesOf(chunks: readonly Buffer[]): Promise<Line[]> {
  const lines: Line[] = [];
  for await (const stretch of readLines(asAsync(chunks))) lines.push(...stretch);
  return lines;
}

async function* asAsync(chunks: readonly Buffer[]): AsyncGenerator<Buffer> {
  yield* chunks;
}

describe('readLines', () => {
  it('gives the same lines however the bytes come', async () => {
    const text = fc.array(
      fc.array(fc.constantFrom('a', 'é', '😀', ' '), { maxLength: 12 }).map((letters) => letters.join('')),
      { maxLength: 12 },
    );
    await fc.assert(
      fc.asyncProperty(
        text,
        fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1 }),
        fc.constantFrom('\n', '\r\n'),
        async (lines, sizes, end) => {
          const bytes = Buffer.from(lines.map((line) => line + end).join(''));
          const chunks: Buffer[] = [];
          for (let at = 0, turn = 0; at < bytes.length; turn++) {
            const size = sizes[turn % sizes.length]!;
            chunks.push(bytes.subarray(at, at + size));
            at += size;
          }
          const read = await linesOf(chunks);
          expect(read.map((line) => line.text)).toEqual(lines);
          expect(read.map((line) => line.number)).toEqual(lines.map((_, at) => at + 1));
        },
      ),
    );
  });

  it('takes a last line without an end, and drops a byte order mark', async () => {
    expect((await linesOf([Buffer.from('\ufeffa\n\nb')])).map(({ text }) => text)).toEqual(['a', '', 'b']);
  });

  it('cuts a line that is too long and goes on with the next', async () => {
    const chunk = Buffer.alloc(100_000, 'x');
    const lines = await linesOf([chunk, chunk, chunk, Buffer.from('\nnext\n')]);
    expect(lines.map(({ text, isTooLong }) => [text.length, isTooLong])).toEqual([
      [LINE_BYTES_MAX, true],
      [4, false],
    ]);
  });
});
