import { setTimeout as sleep } from 'node:timers/promises';
import type { Touch } from '@touchstone/codec';
import { Traffic } from '../../bench/workload/traffic.ts';
import { createRandom } from '../../support/random.ts';
import type { Scenario } from '../scenario.ts';
import { runOnStage } from '../stage/run-on-stage.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
/** A touch may come again after this many others. */
const REMEMBERED = 20_000;

/** One touch in five comes twice, times are out of order by up to an hour, one in ten is late by days or months, some are ahead. */
function disorder(seed: number, accounts: number): { next: (now: number) => Touch; repeats: () => number; late: () => number } {
  const random = createRandom(seed);
  const traffic = new Traffic({ accounts, contacts: accounts * 5, seed });
  const sent: Touch[] = [];
  let repeats = 0;
  let late = 0;

  function occurredAt(now: number): number {
    if (random.chance(0.1)) {
      late++;
      return now - random.whole(HOUR_MS, 390 * DAY_MS);
    }
    // Ahead by a little counts, ahead by over an hour is set aside.
    if (random.chance(0.02)) return now + random.whole(0, 5 * MINUTE_MS);
    if (random.chance(0.005)) return now + random.whole(2 * HOUR_MS, 9 * HOUR_MS);
    return now - random.whole(0, HOUR_MS);
  }

  return {
    repeats: () => repeats,
    late: () => late,
    next(now) {
      if (sent.length > 0 && random.chance(0.2)) {
        repeats++;
        const again = random.pick(sent);
        // The first counts, whatever the second says.
        return random.chance(0.5) ? again : { ...again, minutes: again.minutes + 1 };
      }
      const touch = { ...traffic.next(now), occurredAt: occurredAt(now) };
      if (sent.length < REMEMBERED) sent.push(touch);
      else sent[random.whole(0, REMEMBERED - 1)] = touch;
      return touch;
    },
  };
}

export const disorderedTouches: Scenario = {
  id: 'T10',
  title: 'touches repeated, out of order and late',
  run(options) {
    const accounts = options.long ? 10_000 : 500;
    const { late, next, repeats } = disorder(options.seed, accounts);
    return runOnStage(options, {
      aggregators: 2,
      accounts,
      touches: options.long ? 1_000_000 : 40_000,
      perSecond: options.long ? 4000 : 3000,
      next,
      async hurt({ aggregators, count, faults, load, fault, random, stage }) {
        // What is remembered of ids has to come back with the rest.
        for (let kill = 0; kill < (options.long ? 10 : 2); kill++) {
          await sleep(random.whole(2000, 5000));
          const at = random.whole(0, aggregators.length - 1);
          await aggregators[at]!.kill();
          fault();
          count('kill');
          aggregators[at] = await stage.start('aggregator');
        }
        await load.finish();
        faults['repeats'] = repeats();
        faults['late'] = late();
      },
    });
  },
};
