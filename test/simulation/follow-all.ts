import { EventLogError, type SubscribeOptions, type Subscription } from '@touchstone/event-log';
import { deliver, type Delivery } from './delivery.ts';
import type { Host } from './host.ts';
import type { LogWorld } from './log-world.ts';

/** A subscription without a group: it reads every partition, and nobody takes one away. */
export function followAll(options: SubscribeOptions, host: Host, world: LogWorld): Subscription {
  const partitions = world.broker.partitionsOf(options.topic);
  const paused = new Set<number>();
  let isStopped = false;
  const deliveries: Delivery[] = partitions.map((partition) =>
    deliver({
      partition,
      tenure: -1,
      former: Promise.resolve(),
      host,
      world,
      isPaused: () => paused.has(partition.index),
      isCurrent: () => !isStopped,
      begin: () => options.onAssigned(partition.index),
      handle: (block) => options.onBlock(block),
      onFailed(cause) {
        end();
        options.onFailed(cause);
      },
    }),
  );

  function end(): void {
    isStopped = true;
    for (const delivery of deliveries) delivery.wake();
  }

  return {
    assigned: new Set(partitions.map(({ index }) => index)),
    owns: () => !isStopped,
    pause: (partition) => void paused.add(partition),
    resume(partition) {
      paused.delete(partition);
      deliveries[partition]?.wake();
    },
    commit: () => Promise.reject(new EventLogError('not_owner', 'this subscription has no group')),
    async stop() {
      end();
      await Promise.all(deliveries.map(({ ended }) => ended));
    },
  };
}
