import { setTimeout as sleep } from 'node:timers/promises';
import type { Scenario } from '../scenario.ts';
import { runOnStage } from '../stage/run-on-stage.ts';
import { SESSION_TIMEOUT_MS } from '../stage/stage.ts';

/** Processes that stand still for longer than the group waits, and then go on in the belief that nothing has happened. */
export const stallPastSession: Scenario = {
  id: 'T3',
  title: 'aggregators stopped past the session timeout',
  run: (options) =>
    runOnStage(options, {
      aggregators: 3,
      accounts: 1000,
      touches: options.long ? 500_000 : 30_000,
      perSecond: 1500,
      async hurt({ aggregators, count, fault, random }) {
        for (let stall = 0; stall < (options.long ? 30 : 2); stall++) {
          const factor = stall % 2 === 0 ? 1.5 : 3;
          const stalled = random.pick(aggregators).stall(SESSION_TIMEOUT_MS * factor);
          fault();
          await stalled;
          count(`stall of ${factor} session timeouts`);
          await sleep(random.whole(500, 2000));
        }
      },
    }),
};
