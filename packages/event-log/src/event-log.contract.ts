import { describe } from 'vitest';
import { describeAppends } from './appends.contract.ts';
import { logOfEachTest } from './log-under-test.ts';
import type { SetUpLog } from './log-under-test.ts';
import { describeSubscriptions } from './subscriptions.contract.ts';

/** What every adapter of the port must keep. Each test gets a log of its own with one empty topic, `events`, of four partitions. */
export function describeEventLog(name: string, setUp: SetUpLog): void {
  describe(`the event log: ${name}`, () => {
    const place = logOfEachTest(setUp);
    describeAppends(place);
    describeSubscriptions(place);
  });
}
