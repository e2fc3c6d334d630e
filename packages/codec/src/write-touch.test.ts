import { fc, test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import { publishedSchemas } from './schema-set.ts';
import { SPAN, TouchSpans } from './touch-spans.ts';
import { anyTouch, touchLike } from './test-values.ts';
import { TouchWriter } from './write-touch.ts';

const { header, type } = publishedSchemas.newest('touch');

describe('the writer of touches', () => {
  test.prop([fc.array(anyTouch, { maxLength: 20 })])('writes the bytes that avsc would, touch behind touch', (touches) => {
    const writer = new TouchWriter();
    const written = touches.map((touch) => {
      writer.write(touch);
      return { value: writer.value(), key: Buffer.from(writer.key()).toString() };
    });
    for (const [index, touch] of touches.entries()) {
      expect(Buffer.from(written[index]!.value)).toEqual(Buffer.concat([header, type.toBuffer(touch)]));
      expect(written[index]!.key).toBe(touch.accountId ?? touch.contactId);
    }
  });

  test.each([0, 1, 39, 40, 41, 63, 64, 127, 128, 8191, 8192, 70_000])('text of %i units, ASCII or not', (length) => {
    const writer = new TouchWriter();
    for (const text of ['a'.repeat(length), 'ü'.repeat(length), `${'a'.repeat(length)}ü`, '€'.repeat(length), '😀'.repeat(length / 2)]) {
      const touch = touchLike({ contactId: text, url: text, properties: { [text]: text, z: '' } });
      writer.write(touch);
      expect(Buffer.from(writer.value()).equals(Buffer.concat([header, type.toBuffer(touch)]))).toBe(true);
    }
  });

  test.each([0, 63, 64, 2 ** 30 - 1, 2 ** 30, 2 ** 31, 2 ** 32, 1_763_000_000_000, 253_402_300_799_999])('occurredAt %i', (occurredAt) => {
    const writer = new TouchWriter();
    writer.write(touchLike({ occurredAt }));
    expect(Buffer.from(writer.value())).toEqual(Buffer.concat([header, type.toBuffer(touchLike({ occurredAt }))]));
  });

  test('what was handed out stays as it is while the writer goes on', () => {
    const writer = new TouchWriter();
    writer.write(touchLike({ id: 'first' }));
    const value = writer.value();
    const key = writer.key();
    const before = Buffer.from(value);
    for (let index = 0; index < 5000; index++) writer.write(touchLike({ id: `later-${index}`, accountId: 'other' }));
    expect(Buffer.from(value)).toEqual(before);
    expect(Buffer.from(key).toString()).toBe('acme.example');
  });

  test('half a surrogate pair becomes U+FFFD, so that what is written is UTF-8', () => {
    const writer = new TouchWriter();
    writer.write(touchLike({ channel: 'a\ud83d' }));
    expect(Buffer.from(writer.value()).includes('a\u{fffd}')).toBe(true);
  });

  const ascii = fc.string({ maxLength: 130, unit: 'binary-ascii' });
  const asciiTouch = fc.record({
    id: fc.option(ascii),
    accountId: ascii,
    contactId: fc.option(ascii),
    kind: ascii,
    channel: fc.option(ascii),
    url: fc.option(ascii),
    properties: fc.dictionary(ascii, ascii, { maxKeys: 4 }),
    isContactOnly: fc.boolean(),
  });
  test.prop([fc.array(asciiTouch, { maxLength: 10 })])('copies a touch from ranges of bytes as it writes it from texts', (all) => {
    const [writer, copier] = [new TouchWriter(), new TouchWriter()];
    const spans = new TouchSpans(4);
    for (const { isContactOnly, id, ...texts } of all) {
      const touch = touchLike({
        ...texts,
        id: id ?? 'made',
        ...(isContactOnly && { accountId: null, contactId: texts.contactId ?? 'jane' }),
      });
      writer.write(touch);
      const own = Object.entries(touch.properties);
      const { bytes, rangeOf } = gathered();
      spans.reset(bytes);
      for (const [name, text] of Object.entries(SPAN) as [keyof typeof SPAN, number][]) {
        const value = name === 'id' ? id : touch[name];
        if (value !== null) spans.texts.set(rangeOf(value), 2 * text);
      }
      spans.madeId = id === null ? 'made' : '';
      for (const [index, [key, value]] of own.entries()) spans.properties.set([...rangeOf(key), ...rangeOf(value)], 4 * index);
      spans.propertyCount = own.length;
      spans.occurredAt = touch.occurredAt;
      spans.minutes = touch.minutes;
      copier.copy(spans);
      expect(Buffer.from(copier.value())).toEqual(Buffer.from(writer.value()));
      expect(Buffer.from(copier.key())).toEqual(Buffer.from(writer.key()));
    }
  });

  test('a touch of nobody has no key and is refused', () => {
    expect(() => new TouchWriter().write(touchLike({ accountId: null, contactId: null }))).toThrow(TypeError);
    expect(() => new TouchWriter().copy(new TouchSpans(0))).toThrow(TypeError);
  });
});

/** Bytes in which texts stand one behind another, with something between them. */
function gathered(): { bytes: Buffer; rangeOf: (text: string) => [number, number] } {
  const bytes = Buffer.alloc(4096);
  let end = 0;
  return {
    bytes,
    rangeOf(text) {
      const start = end + 1;
      end = start + bytes.write(text, start);
      return [start, end];
    },
  };
}
