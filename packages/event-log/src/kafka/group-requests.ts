import type { Api } from './protocol/api.ts';

/** The requests of a group's members, in the last versions before the flexible ones: known to Kafka 2.3 and later. */

const CONSUMER_PROTOCOL = 'consumer';

export const UNKNOWN_MEMBER_ID = 25;
export const ILLEGAL_GENERATION = 22;
export const REBALANCE_IN_PROGRESS = 27;
export const MEMBER_ID_REQUIRED = 79;
export const NOT_COORDINATOR = 16;
export const COORDINATOR_NOT_AVAILABLE = 15;
const INCONSISTENT_GROUP_PROTOCOL = 23;
const INVALID_GROUP_ID = 24;
const INVALID_SESSION_TIMEOUT = 26;
const GROUP_MAX_SIZE_REACHED = 81;

/** What codes mean that only groups have. `lasting` are those that end only when somebody changes the configuration. */
export const GROUP_ERRORS: Readonly<Record<number, { readonly means: string; readonly lasting: boolean }>> = {
  [ILLEGAL_GENERATION]: { means: 'the group has gone on to another generation', lasting: false },
  [INCONSISTENT_GROUP_PROTOCOL]: {
    means: 'the group has members of another kind: for another topic, another number of partitions, or of another version',
    lasting: false,
  },
  [INVALID_GROUP_ID]: { means: 'the name of the group is not allowed', lasting: true },
  [UNKNOWN_MEMBER_ID]: { means: 'the group does not have this member', lasting: false },
  [INVALID_SESSION_TIMEOUT]: {
    means: "the session timeout is outside of the broker's group.min.session.timeout.ms and group.max.session.timeout.ms",
    lasting: true,
  },
  [REBALANCE_IN_PROGRESS]: { means: 'the members of the group are joining again', lasting: false },
  [GROUP_MAX_SIZE_REACHED]: { means: "the group has as many members as the broker's group.max.size allows", lasting: false },
};

const GROUP = 0;

export interface CoordinatorPlace {
  readonly errorCode: number;
  readonly host: string;
  readonly port: number;
}

/** Which broker looks after a group, and where it is reached. */
export const findGroupCoordinator: Api<string, CoordinatorPlace> = {
  name: 'FindCoordinator',
  key: 10,
  version: 2,
  flexible: false,
  encode: (writer, group) => void writer.text(group).int8(GROUP),
  decode(reader) {
    reader.int32();
    const errorCode = reader.int16();
    reader.nullableText();
    reader.int32();
    return { errorCode, host: reader.text(), port: reader.int32() };
  },
};

export interface JoinGroupRequest {
  readonly group: string;
  /** Empty for a new member, which is answered MEMBER_ID_REQUIRED and its id. */
  readonly memberId: string;
  readonly sessionTimeoutMs: number;
  readonly rebalanceTimeoutMs: number;
  /** Name of the way to assign: members of one group have one in common. */
  readonly protocol: string;
  readonly metadata: Buffer;
}

export interface JoinGroupResponse {
  readonly errorCode: number;
  readonly generation: number;
  readonly leaderId: string;
  readonly memberId: string;
  /** Empty for all but the leader. */
  readonly members: readonly { readonly id: string; readonly metadata: Buffer }[];
}

/** Answered once all members have joined. */
export const joinGroup: Api<JoinGroupRequest, JoinGroupResponse> = {
  name: 'JoinGroup',
  key: 11,
  version: 5,
  flexible: false,
  encode(writer, { group, memberId, sessionTimeoutMs, rebalanceTimeoutMs, protocol, metadata }) {
    writer.text(group).int32(sessionTimeoutMs).int32(rebalanceTimeoutMs).text(memberId).text(null).text(CONSUMER_PROTOCOL);
    writer.count(1).text(protocol).bytesLength(metadata.length).raw(metadata);
  },
  decode(reader) {
    reader.int32();
    const [errorCode, generation] = [reader.int16(), reader.int32()];
    reader.nullableText();
    const [leaderId, memberId] = [reader.text(), reader.text()];
    const members = reader.list(8, () => {
      const id = reader.text();
      reader.nullableText();
      return { id, metadata: reader.nullableBytes() ?? Buffer.alloc(0) };
    });
    return { errorCode, generation, leaderId, memberId, members };
  },
};

/** Who speaks: checked by the coordinator with every request. */
export interface Membership {
  readonly group: string;
  readonly generation: number;
  readonly memberId: string;
}

export interface SyncGroupRequest extends Membership {
  /** From the leader; empty from all others. */
  readonly assignments: ReadonlyMap<string, Buffer>;
}

/** Answered once the leader has said who gets what. */
export const syncGroup: Api<SyncGroupRequest, { readonly errorCode: number; readonly assignment: Buffer }> = {
  name: 'SyncGroup',
  key: 14,
  version: 3,
  flexible: false,
  encode(writer, { group, generation, memberId, assignments }) {
    writer.text(group).int32(generation).text(memberId).text(null).count(assignments.size);
    for (const [id, bytes] of assignments) writer.text(id).bytesLength(bytes.length).raw(bytes);
  },
  decode(reader) {
    reader.int32();
    return { errorCode: reader.int16(), assignment: reader.nullableBytes() ?? Buffer.alloc(0) };
  },
};

export const heartbeat: Api<Membership, { readonly errorCode: number }> = {
  name: 'Heartbeat',
  key: 12,
  version: 3,
  flexible: false,
  encode: (writer, { group, generation, memberId }) => void writer.text(group).int32(generation).text(memberId).text(null),
  decode(reader) {
    reader.int32();
    return { errorCode: reader.int16() };
  },
};

export const leaveGroup: Api<{ readonly group: string; readonly memberId: string }, { readonly errorCode: number }> = {
  name: 'LeaveGroup',
  key: 13,
  version: 3,
  flexible: false,
  encode: (writer, { group, memberId }) => void writer.text(group).count(1).text(memberId).text(null),
  decode(reader) {
    reader.int32();
    const errorCode = reader.int16();
    const members = reader.list(6, () => {
      reader.text();
      reader.nullableText();
      return reader.int16();
    });
    return { errorCode: errorCode === 0 ? (members.find((code) => code !== 0) ?? 0) : errorCode };
  },
};

export interface OffsetCommitRequest extends Membership {
  readonly topic: string;
  readonly positions: ReadonlyMap<number, { readonly offset: number; readonly metadata: string }>;
}

/** The first error of any partition: the coordinator takes all or none where the membership is what is wrong. */
export const commitOffsets: Api<OffsetCommitRequest, { readonly errorCode: number }> = {
  name: 'OffsetCommit',
  key: 8,
  version: 5,
  flexible: false,
  encode(writer, { group, generation, memberId, topic, positions }) {
    writer.text(group).int32(generation).text(memberId).count(1).text(topic).count(positions.size);
    for (const [partition, { offset, metadata }] of positions) writer.int32(partition).int64(offset).text(metadata);
  },
  decode(reader) {
    reader.int32();
    const topics = reader.list(6, () => {
      reader.text();
      return reader.list(6, () => {
        reader.int32();
        return reader.int16();
      });
    });
    return { errorCode: topics.flat().find((code) => code !== 0) ?? 0 };
  },
};
