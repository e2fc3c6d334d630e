import { readFileSync } from 'node:fs';

/** A version of the touch after ours, as a producer may know it that was upgraded first: the published one and a field more. */
export const NEWER_TOUCH_FILE = 'touch.v2.avsc';

/** What its records begin with: the marker and the fingerprint, CRC-64-AVRO, of the schema below. */
export const NEWER_TOUCH_HEADER = Buffer.from('c301496353c1160447aa', 'hex');

interface Schema {
  readonly fields: readonly object[];
}

export function newerTouchSchema(): string {
  const published = JSON.parse(readFileSync(new URL('../../schemas/touch.v1.avsc', import.meta.url), 'utf8')) as Schema;
  return JSON.stringify({ ...published, fields: [...published.fields, { name: 'mood', type: ['null', 'string'], default: null }] });
}
