import { setTimeout as sleep } from 'node:timers/promises';
import { openKafkaLog as openReal, SCORES_TOPIC, type KafkaLog, type KafkaLogOptions } from '@touchstone/event-log';
import { isSlow, published, reach, unseen } from './dying-point.ts';
import { withMethods } from './with-methods.ts';

/** Several times as long as a checkpoint of this process waits for the next. */
const SLOW_MS = 200;
/** A group takes longer than this to give a partition to another member. */
const LET_GO_MS = 200;

export * from '@touchstone/event-log';

/** Stands in for the log's opener in a process that is to die. */
export async function openKafkaLog(options: KafkaLogOptions): Promise<KafkaLog> {
  const log = await openReal(options);
  const assignedAt = new Map<number, number>();
  return withMethods(log, {
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
          if (isSlow) await sleep(SLOW_MS);
          await subscribing.onBlock(block);
          if (block.appendedAt > assignedAt.get(block.partition)! - LET_GO_MS) unseen.add(block.partition);
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
