import { fc, test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import { crc32c } from './crc32c.ts';

describe('crc32c', () => {
  test.each([
    { what: 'nothing', bytes: '', crc: 0 },
    { what: 'the check value of the polynomial', bytes: Buffer.from('123456789').toString('hex'), crc: 0xe3069283 },
    { what: '32 zeros (RFC 3720)', bytes: '00'.repeat(32), crc: 0x8a9136aa },
    { what: '32 ones (RFC 3720)', bytes: 'ff'.repeat(32), crc: 0x62a8ab43 },
    { what: '0 to 31 (RFC 3720)', bytes: Buffer.from(Array.from({ length: 32 }, (_, i) => i)).toString('hex'), crc: 0x46dd794e },
  ])('is right for $what', ({ bytes, crc }) => {
    expect(crc32c(Buffer.from(bytes, 'hex'))).toBe(crc);
  });

  test.prop([fc.uint8Array({ maxLength: 100 }), fc.nat(100)])('can be taken in two parts', (bytes, cut) => {
    expect(crc32c(bytes.subarray(cut), crc32c(bytes.subarray(0, cut)))).toBe(crc32c(bytes));
  });
});
