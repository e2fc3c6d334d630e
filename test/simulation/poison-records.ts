import { encodeAccountScore, encodeModelPublished, TouchWriter } from '@touchstone/codec';
import { defaultModel } from '@touchstone/engine';
import type { Random } from '../support/random.ts';
import type { WorkRecord } from './workload.ts';

const KEYS = 8;

/** One of each kind that a log may hold and nobody can apply. */
const VALUES: readonly (Uint8Array | null)[] = [
  null,
  new Uint8Array(0),
  Buffer.from('no Avro at all'),
  Buffer.from('c3010000000000000000', 'hex'),
  goodTouch().subarray(0, 15),
  Buffer.concat([goodTouch(), Buffer.from('and more')]),
  encodeAccountScore({
    accountId: 'account-0',
    version: 1,
    modelVersion: 'default-1',
    asOf: 1,
    points: 1,
    score: 1,
    engaged: true,
    contacts: 1,
    lastTouchAt: null,
  }),
  encodeModelPublished({ ...defaultModel, halfScorePoints: -1 }, 0),
];

export function poisonRecord(random: Random): WorkRecord {
  return { key: Buffer.from(`poison-${random.whole(0, KEYS - 1)}`), value: random.pick(VALUES), entry: null };
}

function goodTouch(): Uint8Array {
  const writer = new TouchWriter();
  const nothing = { channel: null, campaignId: null, creativeId: null, url: null, source: null, properties: {} };
  writer.write({ id: 'cut', accountId: 'account-0', contactId: null, kind: 'meeting', occurredAt: 0, minutes: 1, ...nothing });
  return writer.value();
}
