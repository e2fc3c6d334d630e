import { fc, test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import { FrameCollector } from './frame-collector.ts';
import { FrameMemory } from './frame-memory.ts';

const framed = (body: Uint8Array): Buffer => {
  const head = Buffer.alloc(4);
  head.writeInt32BE(body.length);
  return Buffer.concat([head, body]);
};

/** What a collector makes of a stream that a socket reads in pieces of at most these sizes. Frames are given back at once: who reads them is done. */
function collect(stream: Uint8Array, sizes: readonly number[]): string[] {
  const memory = new FrameMemory();
  const collector = new FrameCollector(memory);
  const frames: string[] = [];
  for (let at = 0, i = 0; at < stream.length; i++) {
    const room = collector.room();
    const count = Math.min(room.length, sizes[i % sizes.length]!, stream.length - at);
    room.set(stream.subarray(at, at + count));
    at += count;
    collector.filled(count, (frame) => {
      frames.push(frame.toString('hex'));
      memory.giveBack(frame);
    });
  }
  return frames;
}

describe('frames', () => {
  test.prop([
    fc.array(fc.uint8Array({ minLength: 4, maxLength: 40 }), { maxLength: 8 }),
    fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1 }),
  ])('come out whole, however the socket cuts them', (bodies, sizes) => {
    expect(collect(Buffer.concat(bodies.map(framed)), sizes)).toEqual(bodies.map((body) => Buffer.from(body).toString('hex')));
  });

  test.prop([
    fc.array(fc.tuple(fc.integer({ min: 4, max: 200_000 }), fc.nat(255)), { maxLength: 5 }),
    fc.array(fc.integer({ min: 1, max: 100_000 }), { minLength: 1, maxLength: 5 }).filter((sizes) => Math.max(...sizes) > 1000),
  ])('come out whole where they are larger than what is read at once', (shapes, sizes) => {
    const bodies = shapes.map(([length, first]) => Uint8Array.from({ length }, (_, i) => first + i * 31));
    expect(collect(Buffer.concat(bodies.map(framed)), sizes)).toEqual(bodies.map((body) => Buffer.from(body).toString('hex')));
  });

  test('are not changed by what is read after them', () => {
    const collector = new FrameCollector(new FrameMemory());
    const frames: Buffer[] = [];
    for (const byte of [1, 2, 3]) {
      for (const part of [framed(new Uint8Array(8).fill(byte)), framed(new Uint8Array(100_000).fill(byte))]) {
        for (let at = 0; at < part.length;) {
          const count = part.copy(collector.room(), 0, at);
          at += count;
          collector.filled(count, (frame) => frames.push(frame));
        }
      }
    }
    expect(frames.map((frame) => [frame.length, [...new Set(frame)]])).toEqual(
      [1, 2, 3].flatMap((byte) => [8, 100_000].map((length) => [length, [byte]])),
    );
  });

  test.each([
    { what: 'below zero', length: -1 },
    { what: 'of the lowest number', length: -(2 ** 31) },
    { what: 'too short for an answer', length: 3 },
    { what: 'larger than any answer', length: 2 ** 31 - 1 },
  ])('a length $what is refused', ({ length }) => {
    const head = Buffer.alloc(4);
    head.writeInt32BE(length);
    expect(() => collect(head, [head.length])).toThrow(expect.objectContaining({ code: 'corrupt' }));
  });
});
