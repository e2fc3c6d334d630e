import { setTimeout as sleep } from 'node:timers/promises';
import type { Scenario } from '../scenario.ts';
import { runOnStage } from '../stage/run-on-stage.ts';

const EVERY_MS = 1000;
const LONG_MS = 10 * 60_000;
const SHORT_MS = 16_000;

/** Aggregators come and the oldest leave, three at all times: partitions move for as long as it lasts. */
export const rollMembers: Scenario = {
  id: 'T4',
  title: 'aggregators joining and leaving in turn',
  run: (options) => {
    const lastsMs = options.long ? LONG_MS : SHORT_MS;
    return runOnStage(options, {
      aggregators: 3,
      partitions: 6,
      accounts: 1000,
      touches: options.long ? 1_000_000 : 30_000,
      perSecond: 1500,
      async hurt({ aggregators, count, fault, stage }) {
        const until = performance.now() + lastsMs;
        while (performance.now() < until) {
          fault();
          aggregators.push(await stage.start('aggregator'));
          count('join');
          await sleep(EVERY_MS);
          const leaving = aggregators.shift()!;
          await leaving.begun;
          const { code, signal } = await leaving.stop();
          count('leave');
          if (code !== 0)
            stage.wrong.push(`an aggregator that was asked to stop ended with ${code ?? signal}: ${leaving.output().slice(-2000)}`);
        }
      },
    });
  },
};
