import { setTimeout as sleep } from 'node:timers/promises';
import type { Scenario } from '../scenario.ts';
import { runOnStage, type Scene } from '../stage/run-on-stage.ts';
import { SESSION_TIMEOUT_MS } from '../stage/stage.ts';

const MEAN_GAP_MS = 3000;

/** Three aggregators, one of which dies or stands still at a random moment, again and again. */
export const killAtRandom: Scenario = {
  id: 'T1',
  title: 'aggregators killed at random',
  run: (options) =>
    runOnStage(options, {
      aggregators: 3,
      ...(options.long
        ? { accounts: 10_000, touches: 1_000_000, perSecond: 2500, partitions: 8 }
        : { accounts: 1000, touches: 40_000, perSecond: 1500, partitions: 4 }),
      async hurt(scene) {
        const acts = scene.random.shuffle([
          ...Array<'kill'>(options.long ? 100 : 8).fill('kill'),
          ...Array<'stall'>(options.long ? 30 : 3).fill('stall'),
        ]);
        const stalls: Promise<void>[] = [];
        for (const act of acts) {
          await sleep(Math.min(4 * MEAN_GAP_MS, -Math.log(1 - scene.random()) * (options.long ? MEAN_GAP_MS : MEAN_GAP_MS / 2)));
          scene.count(act);
          if (act === 'kill') await killOne(scene);
          else stalls.push(stallOne(scene));
        }
        await Promise.all(stalls);
      },
    }),
};

async function killOne({ aggregators, fault, random, stage }: Scene): Promise<void> {
  const at = random.whole(0, aggregators.length - 1);
  await aggregators[at]!.kill();
  fault();
  await sleep(random.whole(0, 500));
  aggregators[at] = await stage.start('aggregator');
}

/** Past the session timeout: the others take its partitions, and it wakes up in the belief that they are its own. */
async function stallOne({ aggregators, fault, random }: Scene): Promise<void> {
  const stalled = random.pick(aggregators).stall(SESSION_TIMEOUT_MS * (1.2 + 0.8 * random()));
  fault();
  await stalled;
}
