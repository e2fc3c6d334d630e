import type { Instance } from './instance.ts';
import type { SimulationOptions } from './options.ts';
import type { System } from './system.ts';

type Scene = Pick<System, 'options' | 'timeline' | 'trace' | 'random' | 'counts' | 'coordinator' | 'instances' | 'outages'>;

const HOUR_MS = 3_600_000;

/** Does harm at random moments until the time of faults is over. */
export function startChaos({ coordinator, counts, instances, options, outages, random, timeline, trace }: Scene): void {
  const up = (): Instance | undefined => {
    const running = instances.filter(({ isUp }) => isUp);
    return running.length === 0 ? undefined : random.pick(running);
  };

  const harm: Record<keyof SimulationOptions['every'], () => void> = {
    crash: () => up()?.crash(),
    stall: () => up()?.host?.stall(random() * options.stallMsMax),
    restart: () => up()?.stop(),
    rebalance: () => coordinator.disturb(),
    storeOutage() {
      outages.storeUntil = timeline.now + random() * options.storeOutageMsMax;
    },
    brokerOutage() {
      outages.brokerUntil = timeline.now + random() * 4000;
    },
    clockStep() {
      const host = up()?.host;
      if (host) host.clockErrorMs = random.whole(-HOUR_MS, HOUR_MS);
    },
  };

  for (const [kind, everyMs] of Object.entries(options.every) as [keyof SimulationOptions['every'], number][]) {
    if (everyMs > 0) again(kind, everyMs);
  }

  function again(kind: keyof SimulationOptions['every'], everyMs: number): void {
    const waitMs = -Math.log(1 - random()) * everyMs;
    if (timeline.now + waitMs > options.faultsMs) return;
    timeline.after(waitMs, () => {
      counts.add(kind);
      trace.note('chaos', kind);
      harm[kind]();
      again(kind, everyMs);
    });
  }
}
