import { setTimeout as sleep } from 'node:timers/promises';
import type { Scenario } from '../scenario.ts';
import { runOnStage } from '../stage/run-on-stage.ts';

/** The broker goes, in good order or not, and comes back. Recovery counts from when it answers again. */
export const bounceBroker: Scenario = {
  id: 'T5',
  title: 'broker stopped and killed',
  run: (options) =>
    runOnStage(options, {
      aggregators: 2,
      accounts: 1000,
      touches: options.long ? 400_000 : 25_000,
      perSecond: 1000,
      httpClients: 2,
      async hurt({ count, fault, random, stage }) {
        const { broker } = stage;
        for (let bounce = 0; bounce < (options.long ? 20 : 2); bounce++) {
          await sleep(random.whole(1000, 4000));
          const isClean = bounce % 2 === 0;
          await (isClean ? broker.stop() : broker.kill());
          await sleep(random.whole(0, 2000));
          await broker.start();
          fault();
          count(isClean ? 'stop' : 'kill');
        }
      },
    }),
};
