import { setTimeout as sleep } from 'node:timers/promises';
import { AGGREGATOR_GROUP, EVENTS_TOPIC } from '@touchstone/event-log';
import type { Stage } from './stage.ts';

const LOOK_EVERY_MS = 250;

export interface PositionWatch {
  /** Times that both were read. */
  readonly looks: number;
  finish(): Promise<void>;
}

/** Committed and stored positions may only grow, and the committed one is never ahead of the stored one: a former owner would be seen here. */
export function watchPositions(stage: Stage): PositionWatch {
  const before = { committed: new Map<number, number>(), stored: new Map<number, number>() };
  let looks = 0;
  let isFinishing = false;

  async function run(): Promise<void> {
    while (!isFinishing) {
      // While broker or store are down there is nothing to see.
      await look().catch(() => {});
      await sleep(LOOK_EVERY_MS);
    }
  }

  async function look(): Promise<void> {
    const committed = await stage.kafka.committed(AGGREGATOR_GROUP, EVENTS_TOPIC);
    const stored = await stage.stored.positions();
    looks++;
    for (const [name, now] of Object.entries({ committed, stored })) {
      const known = before[name as keyof typeof before];
      for (const [partition, offset] of now) {
        const last = known.get(partition) ?? 0;
        if (offset < last) stage.wrong.push(`the ${name} position of partition ${partition} went from ${last} back to ${offset}`);
        known.set(partition, offset);
      }
    }
    for (const [partition, offset] of committed) {
      const kept = stored.get(partition) ?? 0;
      if (offset > kept) stage.wrong.push(`partition ${partition} is committed to ${offset}, but stored only to ${kept}`);
    }
  }

  const running = run();
  return {
    get looks() {
      return looks;
    },
    async finish() {
      isFinishing = true;
      await running;
    },
  };
}
