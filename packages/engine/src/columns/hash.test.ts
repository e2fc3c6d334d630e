import { fc, test } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import { Hash64, hash32 } from './hash.ts';

const encoder = new TextEncoder();

function hashOf(bytes: Uint8Array): [low: number, high: number] {
  const hash = new Hash64();
  hash.set(bytes, 0, bytes.length);
  return [hash.low, hash.high];
}

describe('hash32', () => {
  // Published test values of MurmurHash3 x86_32.
  it.each([
    ['nothing', '', 0, 0],
    ['nothing, with a seed', '', 1, 0x514e28b7],
    ['one word', 'test', 0, 0xba6bd213],
    ['one word, with a seed', 'test', 0x9747b28c, 0x704b81dc],
    ['words and a tail of one byte', 'Hello, world!', 0, 0xc0363e43],
    ['many words and a tail of three bytes', 'The quick brown fox jumps over the lazy dog', 0x9747b28c, 0x2fa826cd],
  ])('of %s is as published', (_, text, seed, expected) => {
    const bytes = encoder.encode(`<${text}>`);
    expect(hash32(bytes, 1, bytes.length - 1, seed)).toBe(expected);
  });

  // Names count on it. Seeds that differ in few bits would be the first to fall together.
  test.prop([fc.uint8Array({ maxLength: 40 }), fc.uniqueArray(fc.nat(0xffff_ffff), { minLength: 100, maxLength: 100 })])(
    'of the same bytes is another one for every seed',
    (bytes, seeds) => {
      const near = seeds.flatMap((seed) => [seed, (seed ^ 1) >>> 0, (seed ^ 0x8000_0000) >>> 0]);
      const hashes = near.map((seed) => hash32(bytes, 0, bytes.length, seed));
      expect(new Set(hashes).size).toBe(new Set(near).size);
    },
  );
});

describe('hash64', () => {
  it('differs for texts that differ in their last bytes, and for zeros of different length', () => {
    const texts = ['', 'a', 'b', 'ab', 'abc', 'abd', 'abcd', 'abce', 'abcde', '\0', '\0\0', '\0\0\0', '\0\0\0\0'];
    const halves = texts.flatMap((text) => hashOf(encoder.encode(text)));
    expect(new Set(halves).size).toBe(halves.length);
  });

  it('does not have its halves collide together: ids made to collide in the low one differ in the high one', () => {
    const words = new Uint32Array(4);
    const one = new Uint8Array(words.buffer, 0, 8);
    const other = new Uint8Array(words.buffer, 8, 8);
    let lowCollisions = 0;
    let bothCollisions = 0;
    const count = 3_000_000;
    for (let at = 0; at < count; at++) {
      words[0] = Math.imul(at, 0x9e3779b1);
      words[1] = Math.imul(at, 0x85ebca6b);
      words[2] = Math.imul(at ^ 0x5bd1e995, 0xc2b2ae3d);
      words[3] = unmixed(stateAfter(words[0]) ^ stateAfter(words[2]) ^ mixed(words[1]));
      const [low, high] = hashOf(one);
      const [otherLow, otherHigh] = hashOf(other);
      if (low === otherLow) lowCollisions++;
      if (high === otherHigh) bothCollisions++;
    }
    expect(lowCollisions).toBe(count);
    // Once in 1400 such tests by chance; with two seeds of one lane it would be ten in each.
    expect(bothCollisions).toBe(0);
  });
});

// The low half's way with a word, and back.
const [C1, C2, SEED] = [0xcc9e2d51, 0x1b873593, 0x2545f491];

function mixed(word: number): number {
  const product = Math.imul(word, C1);
  return Math.imul((product << 15) | (product >>> 17), C2);
}

function unmixed(word: number): number {
  const product = Math.imul(word, inverse(C2));
  return Math.imul((product >>> 15) | (product << 17), inverse(C1));
}

function stateAfter(word: number): number {
  const state = SEED ^ mixed(word);
  return Math.imul((state << 13) | (state >>> 19), 5) + 0xe6546b64;
}

/** Of an odd number, modulo 2^32 (Newton). */
function inverse(odd: number): number {
  let found = odd;
  for (let step = 0; step < 5; step++) found = Math.imul(found, 2 - Math.imul(odd, found));
  return found;
}
