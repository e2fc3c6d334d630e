import { EventLogError } from '../event-log.ts';
import { WireReader } from './protocol/wire-reader.ts';
import { WireWriter } from './protocol/wire-writer.ts';
import type { MemberClaims } from './sticky-assigner.ts';

/**
 * What members tell each other through the coordinator, in the form that Kafka's own consumers have, so that its tools show who has what:
 * ConsumerProtocolSubscription version 2 (the first with the generation) and ConsumerProtocolAssignment version 0.
 */
const SUBSCRIPTION_VERSION = 2;
const ASSIGNMENT_VERSION = 0;
const FIRST_WITH_HELD = 1;
const FIRST_WITH_GENERATION = 2;
/** User data of an assignment after which another rebalance follows at once. */
const MORE_TO_COME = Buffer.from([1]);
const NOTHING = Buffer.alloc(0);

export interface MemberAssignment {
  readonly partitions: readonly number[];
  /** Partitions were withheld: who has them is about to join again. */
  readonly moreToCome: boolean;
}

export function encodeSubscription(topic: string, { generation, held }: Omit<MemberClaims, 'id'>): Buffer {
  const writer = new WireWriter().int16(SUBSCRIPTION_VERSION).count(1).text(topic).bytesLength(0);
  writePartitions(writer, topic, held);
  return writer.int32(generation).bytes();
}

/**
 * What a member claims; null for one that does not want the topic, or whose bytes can not be read and which therefore gets nothing. Claims on
 * partitions that are not there are dropped.
 */
export function decodeSubscription(id: string, bytes: Buffer, topic: string, partitionCount: number): MemberClaims | null {
  try {
    const reader = new WireReader(bytes);
    const version = reader.int16();
    if (version < 0 || !reader.list(2, () => reader.text()).includes(topic)) return null;
    reader.nullableBytes();
    const held = version >= FIRST_WITH_HELD ? readPartitions(reader, topic, partitionCount) : [];
    return { id, held, generation: version >= FIRST_WITH_GENERATION ? reader.int32() : -1 };
  } catch (cause) {
    if (cause instanceof EventLogError) return null;
    throw cause;
  }
}

export function encodeAssignment(topic: string, { partitions, moreToCome }: MemberAssignment): Buffer {
  const writer = new WireWriter().int16(ASSIGNMENT_VERSION);
  writePartitions(writer, topic, partitions);
  const userData = moreToCome ? MORE_TO_COME : NOTHING;
  return writer.bytesLength(userData.length).raw(userData).bytes();
}

/** @throws EventLogError `corrupt`; a leader that gave us nothing at all is no error */
export function decodeAssignment(bytes: Buffer, topic: string, partitionCount: number): MemberAssignment {
  if (bytes.length === 0) return { partitions: [], moreToCome: false };
  const reader = new WireReader(bytes);
  reader.int16();
  const partitions = readPartitions(reader, topic, partitionCount);
  return { partitions, moreToCome: reader.nullableBytes()?.equals(MORE_TO_COME) ?? false };
}

function writePartitions(writer: WireWriter, topic: string, partitions: readonly number[]): void {
  writer.count(1).text(topic).count(partitions.length);
  for (const partition of partitions) writer.int32(partition);
}

function readPartitions(reader: WireReader, topic: string, partitionCount: number): number[] {
  const topics = reader.list(6, () => ({ name: reader.text(), partitions: reader.list(4, () => reader.int32()) }));
  const partitions = topics.filter(({ name }) => name === topic).flatMap((entry) => entry.partitions);
  return [...new Set(partitions)].filter((partition) => partition >= 0 && partition < partitionCount);
}
