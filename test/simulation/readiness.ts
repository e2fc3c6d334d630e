import type { Instance } from './instance.ts';
import type { Watcher } from './watcher.ts';

/** Who says that it is ready has applied all that was on the log when its partitions were assigned. */
export function checkReadiness(instances: readonly Instance[], watcher: Watcher): void {
  for (const { aggregator, parts } of instances) {
    const subscription = parts?.log.subscription;
    if (!aggregator || !subscription || !aggregator.readiness().ready) continue;
    for (const partition of subscription.assigned ?? []) {
      const position = aggregator.ledgers.of(partition)?.position ?? -1;
      const end = subscription.endAtAssignment(partition);
      if (position < end) watcher.violate(`${parts.host.name} is ready with partition ${partition} at ${position} of ${end}`);
    }
  }
}
