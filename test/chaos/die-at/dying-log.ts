import { openKafkaLog as openReal, SCORES_TOPIC, type KafkaLog, type KafkaLogOptions } from '@touchstone/event-log';
import { isToBeHeldBack, published, reach, unseen } from './dying-point.ts';
import { withMethods } from './with-methods.ts';

/** Records that a partition seems to have more than it has, and gets within seconds: for so long its scores are held back. */
const MORE_RECORDS = 300;

export * from '@touchstone/event-log';

/** Stands in for the log's opener in a process that is to die. */
export async function openKafkaLog(options: KafkaLogOptions): Promise<KafkaLog> {
  const log = await openReal(options);
  const assignedAt = new Map<number, number>();
  return withMethods(log, {
    async extents(topic) {
      const extents = await log.extents(topic);
      return isToBeHeldBack ? extents.map((extent) => ({ ...extent, end: extent.end + MORE_RECORDS })) : extents;
    },
    async append(topic, records) {
      await log.append(topic, records);
      if (topic !== SCORES_TOPIC) return;
      for (const { partition } of records) published.add(partition);
      reach('after-publish');
    },
    async subscribe(subscribing) {
      const subscription = await log.subscribe({
        ...subscribing,
        onAssigned(partition) {
          assignedAt.set(partition, Date.now());
          return subscribing.onAssigned(partition);
        },
        async onBlock(block) {
          await subscribing.onBlock(block);
          if (block.appendedAt > assignedAt.get(block.partition)!) unseen.add(block.partition);
        },
      });
      return withMethods(subscription, {
        async commit(positions) {
          reach('before-commit');
          await subscription.commit(positions);
        },
      });
    },
  });
}
