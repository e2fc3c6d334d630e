import { FIELD, type TextField } from '@touchstone/engine';
import { RecordBlockBuilder, type RecordBlock } from '@touchstone/event-log';
import { describe, expect, test } from 'vitest';
import { generatePeersTouches } from '../../support/peers/generate-touches.ts';
import { messageOf } from '../../support/peers/touch-message.ts';
import { PeersTouchRun } from './touch-run.ts';

const PARTITION = 3;
const BASE_OFFSET = 100;
const touches = generatePeersTouches({ accounts: 50, seed: 1, touches: 500 });
const ofCampaign = touches.find(({ campaignId }) => campaignId !== null)!;
const { value } = messageOf(ofCampaign);
const inCampaign = value.indexOf(ofCampaign.campaignId!) + 1;

function blockOf(values: readonly Buffer[]): RecordBlock {
  const builder = new RecordBlockBuilder();
  for (const one of values) builder.append(null, one);
  const bytes = builder.bytes().slice();
  return {
    partition: PARTITION,
    baseOffset: BASE_OFFSET,
    nextOffset: BASE_OFFSET + values.length,
    count: values.length,
    appendedAt: 0,
    bytes,
  };
}

describe('touches of the comparison', () => {
  test('are read with all their fields where they are to be stored', () => {
    const run = new PeersTouchRun(PARTITION, true);
    run.open(blockOf(touches.map((touch) => messageOf(touch).value)));
    const read = touches.map(() => {
      expect(run.next()).toBe(true);
      const text = (field: TextField): string | null => run.touch.text(FIELD[field]);
      return {
        id: text('id'),
        accountId: text('accountId'),
        contactId: text('contactId'),
        kind: text('kind'),
        occurredAt: run.touch.occurredAt,
        receivedAt: run.appendedAt,
        minutes: run.touch.minutes,
        channel: text('channel'),
        campaignId: text('campaignId'),
        creativeId: text('creativeId'),
        url: text('url'),
        source: text('source'),
        offset: run.offset,
      };
    });
    expect(run.next()).toBe(false);
    expect(read).toEqual(touches.map(({ account: _, ...fields }, at) => ({ ...fields, offset: BASE_OFFSET + at })));
  });

  test('are read as far as the engine has a use for them where they are not', () => {
    const run = new PeersTouchRun(PARTITION, false);
    run.open(blockOf(touches.map((touch) => messageOf(touch).value)));
    for (const touch of touches) {
      expect(run.next()).toBe(true);
      const { contactId, campaignId, minutes, occurredAt } = touch;
      expect(run.touch.text(FIELD.contactId)).toBe(contactId);
      expect(run.touch.text(FIELD.campaignId)).toBe(campaignId);
      expect(run.touch).toMatchObject({ minutes, occurredAt });
    }
    expect(run.next()).toBe(false);
  });

  test.each([
    ['one that is cut off', true, value.subarray(0, -8), 'have no properties'],
    [
      'one that is cut off, with less of it asked for',
      false,
      value.subarray(0, inCampaign),
      'the touch at offset 100 of partition 3 is cut off',
    ],
    ['one with properties', true, Buffer.concat([value.subarray(0, -1), Buffer.from([2])]), 'have no properties'],
    ['one with something after it', true, Buffer.concat([value, Buffer.alloc(1)]), 'have no properties'],
  ])('end the run at %s', (_what, isWhole, bytes, message) => {
    const run = new PeersTouchRun(PARTITION, isWhole);
    run.open(blockOf([bytes]));
    expect(() => run.next()).toThrow(message);
  });
});
