import type { OutgoingMessage } from '../../chaos/stage/kafka-client.ts';
import type { PeersTouch } from './generate-touches.ts';

export const PEERS_PARTITIONS = 8;

/** Longer than any touch of the generator. */
const BYTES_MAX = 1024;
const buffer = Buffer.alloc(BYTES_MAX);
let used = 0;

/** The touch as it stands on the comparison's topic: Avro without a header, an account in one partition. */
export function messageOf(touch: PeersTouch): OutgoingMessage {
  used = 0;
  putText(touch.id);
  putText(touch.accountId);
  putOptional(touch.contactId);
  putText(touch.kind);
  putLong(touch.occurredAt);
  putLong(touch.receivedAt);
  used = buffer.writeDoubleLE(touch.minutes, used);
  for (const text of [touch.channel, touch.campaignId, touch.creativeId, touch.url]) putOptional(text);
  putText(touch.source);
  // No properties: a map that ends at once.
  putLong(0);
  const value = Buffer.from(buffer.subarray(0, used));
  return { key: Buffer.from(touch.accountId), value, partition: touch.account % PEERS_PARTITIONS };
}

/** A union of null and string. */
function putOptional(text: string | null): void {
  putLong(text === null ? 0 : 1);
  if (text !== null) putText(text);
}

function putText(text: string): void {
  putLong(Buffer.byteLength(text));
  used += buffer.write(text, used);
}

/** Of a number that is not negative: twice it, seven bits a byte, the lowest first. */
function putLong(value: number): void {
  let left = value * 2;
  for (; left >= 128; left = Math.floor(left / 128)) buffer[used++] = (left % 128) + 128;
  buffer[used++] = left;
}
