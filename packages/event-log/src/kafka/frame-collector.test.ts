import { fc, test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import { FrameCollector } from './frame-collector.ts';

const framed = (body: Uint8Array): Buffer => {
  const head = Buffer.alloc(4);
  head.writeInt32BE(body.length);
  return Buffer.concat([head, body]);
};

function collect(chunks: readonly Buffer[]): string[] {
  const collector = new FrameCollector();
  const frames: string[] = [];
  for (const chunk of chunks) collector.take(chunk, (frame) => frames.push(frame.toString('hex')));
  return frames;
}

describe('frames', () => {
  test.prop([
    fc.array(fc.uint8Array({ minLength: 4, maxLength: 40 }), { maxLength: 8 }),
    fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1 }),
  ])('come out whole, however the socket cuts them', (bodies, sizes) => {
    const stream = Buffer.concat(bodies.map(framed));
    const chunks: Buffer[] = [];
    for (let at = 0, i = 0; at < stream.length; i++) {
      const size = sizes[i % sizes.length]!;
      chunks.push(stream.subarray(at, at + size));
      at += size;
    }
    expect(collect(chunks)).toEqual(bodies.map((body) => Buffer.from(body).toString('hex')));
  });

  test.each([
    { what: 'below zero', length: -1 },
    { what: 'of the lowest number', length: -(2 ** 31) },
    { what: 'too short for an answer', length: 3 },
    { what: 'larger than any answer', length: 2 ** 31 - 1 },
  ])('a length $what is refused', ({ length }) => {
    const head = Buffer.alloc(4);
    head.writeInt32BE(length);
    expect(() => collect([head])).toThrow(expect.objectContaining({ code: 'corrupt' }));
  });
});
