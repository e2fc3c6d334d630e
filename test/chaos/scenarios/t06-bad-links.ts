import { setTimeout as sleep } from 'node:timers/promises';
import { PASS, type LinkAccident, type LinkFault, type TcpProxy } from '@touchstone/testkit';
import type { Random } from '../../support/random.ts';
import type { Scenario } from '../scenario.ts';
import { runOnStage } from '../stage/run-on-stage.ts';

const ACCIDENTS: readonly LinkAccident[] = ['drop-response', 'reset-mid-frame', 'half-open'];
/** A lost answer on the way to ClickHouse has no frames to be told apart by: there it is an HTTP fault, of another scenario. */
const STORE_ACCIDENTS: readonly LinkAccident[] = ['reset-mid-frame', 'half-open'];
const LATENCY: LinkFault = { kind: 'latency', ms: 200, jitterMs: 200 };
const SLOW: LinkFault = { kind: 'slow', bytesPerSecond: 1000 };

/** The network between services and broker, and between services and ClickHouse, does all that networks do. */
export const spoilLinks: Scenario = {
  id: 'T6',
  title: 'bad links to broker and ClickHouse',
  run: (options) =>
    runOnStage(options, {
      proxied: true,
      aggregators: 2,
      accounts: 1000,
      touches: options.long ? 1_500_000 : 20_000,
      perSecond: 1000,
      httpClients: 2,
      async hurt({ count, fault, random, stage }) {
        const longestMs = options.long ? [5000, 30_000, 120_000] : [5000];
        const links = { broker: stage.brokerProxy!, ClickHouse: stage.storeLink! };
        for (let round = 0; round < (options.long ? 500 : 16); round++) {
          const name = random.pick(['broker', 'ClickHouse'] as const);
          const isLong = round % 50 === 7;
          const done = await spoil(
            links[name],
            name === 'broker' ? ACCIDENTS : STORE_ACCIDENTS,
            random,
            isLong ? random.pick(longestMs) : 1500,
          );
          count(`${done} (${name})`);
          if (round % 10 === 9) fault();
          await sleep(random.whole(0, 700));
        }
      },
    }),
};

/** Resolves to what was done, when the link is well again. */
async function spoil(link: TcpProxy, accidents: readonly LinkAccident[], random: Random, ms: number): Promise<string> {
  if (ms <= 2000 && random.chance(0.5)) {
    const accident = random.pick(accidents);
    link.arm(accident);
    return accident;
  }
  const fault = random.pick<LinkFault>(
    ms > 2000 ? [{ kind: 'blackhole' }] : [{ kind: 'blackhole' }, { kind: 'hold' }, { kind: 'refuse' }, LATENCY, SLOW],
  );
  await link.set(fault);
  await sleep(ms);
  await link.set(PASS);
  return fault.kind === 'blackhole' ? `blackhole of ${ms / 1000} s` : fault.kind;
}
