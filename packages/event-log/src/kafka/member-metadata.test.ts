import { fc } from '@fast-check/vitest';
import { AssignerProtocol } from 'kafkajs';
import { describe, expect, it } from 'vitest';
import { decodeAssignment, decodeSubscription, encodeAssignment, encodeSubscription } from './member-metadata.ts';

const TOPIC = 'events';
const anyPartitions = fc.uniqueArray(fc.nat(7), { maxLength: 8 });

describe('what members tell each other', () => {
  it('reads back what a member claims', () => {
    fc.assert(
      fc.property(anyPartitions, fc.integer({ min: -1, max: 2 ** 31 - 1 }), (held, generation) => {
        expect(decodeSubscription('m', encodeSubscription(TOPIC, { held, generation }), TOPIC, 8)).toEqual({ id: 'm', held, generation });
      }),
    );
  });

  it('reads back what a member was given', () => {
    fc.assert(
      fc.property(anyPartitions, fc.boolean(), (partitions, moreToCome) => {
        const given = { partitions, moreToCome };
        expect(decodeAssignment(encodeAssignment(TOPIC, given), TOPIC, 8)).toEqual(given);
      }),
    );
  });

  it("is in the form that Kafka's tools read", () => {
    const subscription = AssignerProtocol.MemberMetadata.decode(encodeSubscription(TOPIC, { held: [1], generation: 3 }));
    expect(subscription).toMatchObject({ version: 2, topics: [TOPIC] });
    const assignment = AssignerProtocol.MemberAssignment.decode(encodeAssignment(TOPIC, { partitions: [2, 5], moreToCome: false }));
    expect(assignment).toMatchObject({ assignment: { [TOPIC]: [2, 5] } });
  });

  it('takes a member without user data or claims for one that holds nothing', () => {
    const bytes = AssignerProtocol.MemberMetadata.encode({ version: 0, topics: ['other', TOPIC], userData: Buffer.alloc(0) });
    expect(decodeSubscription('m', bytes, TOPIC, 8)).toEqual({ id: 'm', held: [], generation: -1 });
  });

  it('gives nothing to a member that does not want the topic', () => {
    expect(decodeSubscription('m', encodeSubscription('other', { held: [1], generation: 1 }), TOPIC, 8)).toBeNull();
  });

  it('drops partitions that are not there, and such as are named twice', () => {
    const subscription = encodeSubscription(TOPIC, { held: [3, 8, -1, 3, 2 ** 31 - 1], generation: 1 });
    expect(decodeSubscription('m', subscription, TOPIC, 8)?.held).toEqual([3]);
    const assignment = encodeAssignment(TOPIC, { partitions: [9, 7, 7], moreToCome: true });
    expect(decodeAssignment(assignment, TOPIC, 8)).toEqual({ partitions: [7], moreToCome: true });
  });

  it('takes no answer from the leader for no partitions', () => {
    expect(decodeAssignment(Buffer.alloc(0), TOPIC, 8)).toEqual({ partitions: [], moreToCome: false });
  });

  it('reads any bytes of a member without failing, and claims only partitions that are there', () => {
    const sound = encodeSubscription(TOPIC, { held: [0, 1], generation: 2 });
    const damaged = fc.tuple(fc.nat(sound.length - 1), fc.nat(255)).map(([at, byte]) => {
      const bytes = Buffer.from(sound);
      bytes[at] = byte;
      return bytes;
    });
    const cut = fc.nat(sound.length).map((length) => sound.subarray(0, length));
    const any = fc.uint8Array({ maxLength: 64 }).map((bytes) => Buffer.from(bytes));
    fc.assert(
      fc.property(fc.oneof(damaged, cut, any), (bytes) => {
        for (const partition of decodeSubscription('m', bytes, TOPIC, 8)?.held ?? []) expect([0, 1, 2, 3, 4, 5, 6, 7]).toContain(partition);
      }),
      { numRuns: 2000 },
    );
  });
});
