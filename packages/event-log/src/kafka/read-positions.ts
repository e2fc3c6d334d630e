import { EventLogError } from '../event-log.ts';
import type { CommittedPosition, PartitionExtent } from '../event-log.ts';
import type { Cluster } from './cluster.ts';
import { assertNoError } from './protocol/broker-error.ts';
import { fetchOffsets, findCoordinator } from './protocol/group-offsets.ts';
import { EARLIEST, LATEST, listOffsets } from './protocol/list-offsets.ts';

/** Where partitions begin and end, asked from their leaders. @throws EventLogError `io`, `topic_mismatch`; BrokerError */
export async function readExtents(
  cluster: Cluster,
  { topic, generation }: { readonly topic: string; readonly generation: string },
  partitions: readonly number[],
  timeoutMs: number,
): Promise<readonly PartitionExtent[]> {
  const state = cluster.topic(topic);
  if (state !== null && state.id !== generation)
    throw new EventLogError('topic_mismatch', `topic ${topic} was made anew: start this program again`);
  const byLeader = new Map<number, number[]>();
  for (const partition of partitions) {
    const leader = cluster.leader(topic, partition);
    if (leader === null) throw new EventLogError('io', `nobody leads ${topic}/${partition}`);
    byLeader.set(leader, [...(byLeader.get(leader) ?? []), partition]);
  }
  const read = async (at: typeof EARLIEST | typeof LATEST) => {
    const answers = await Promise.all(
      [...byLeader].map(([leader, led]) => cluster.control.request(leader, listOffsets, { topic, partitions: led, at }, timeoutMs)),
    );
    return new Map(
      answers.flat().map(({ partition, errorCode, offset }) => {
        assertNoError(errorCode, `extent of ${topic}/${partition}`);
        return [partition, offset];
      }),
    );
  };
  // The end last: records may be dropped and added between the two, and an end below the start would make no sense.
  const starts = await read(EARLIEST);
  const ends = await read(LATEST);
  return partitions.map((partition) => {
    const [start, end] = [starts.get(partition), ends.get(partition)];
    if (start === undefined || end === undefined)
      throw new EventLogError('corrupt', `the broker left out the extent of ${topic}/${partition}`);
    return { partition, start, end, generation };
  });
}

/** What a group has committed, with the generation that its commits named. @throws EventLogError `io`; BrokerError */
export async function readCommitted(
  cluster: Cluster,
  { topic, group }: { readonly topic: string; readonly group: string },
  partitions: readonly number[],
  timeoutMs: number,
): Promise<ReadonlyMap<number, CommittedPosition>> {
  const { control } = cluster;
  const coordinator = await control.request(cluster.anyBroker, findCoordinator, group, timeoutMs);
  assertNoError(coordinator.errorCode, `the coordinator of ${group}`);
  const answer = await control.request(coordinator.nodeId, fetchOffsets, { group, topic, partitions }, timeoutMs);
  assertNoError(answer.errorCode, `positions of ${group}`);
  const committed = new Map<number, CommittedPosition>();
  for (const { partition, errorCode, offset, metadata } of answer.offsets) {
    assertNoError(errorCode, `position of ${group} in ${topic}/${partition}`);
    if (offset >= 0) committed.set(partition, { offset, generation: metadata });
  }
  return committed;
}
