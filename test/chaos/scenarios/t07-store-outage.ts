import { setTimeout as sleep } from 'node:timers/promises';
import { AGGREGATOR_GROUP, EVENTS_TOPIC } from '@touchstone/event-log';
import { READ_ONLY, TOO_MANY_PARTS, type StoreFault } from '@touchstone/testkit';
import type { Scenario } from '../scenario.ts';
import { runOnStage, type Scene } from '../stage/run-on-stage.ts';
import type { Stage } from '../stage/stage.ts';
import { watchMemory } from '../stage/watch-memory.ts';

const MINUTE_MS = 60_000;
/** Small, so that an outage of seconds reaches the bound and partitions are held. */
const PENDING_MEGABYTES = 8;
/** Of the process's own memory: the program itself, ledgers of the scenario's accounts, and what is gathered. */
const MEMORY_MAX_MB = 500;
/** A statement that was under way when the fault began may still be carried out. */
const UNDER_WAY_MS = 1500;
const CAUGHT_UP_WITHIN_MS = 5 * MINUTE_MS;

interface Outage {
  readonly name: string;
  readonly fault: StoreFault;
  readonly ms: number;
}

const OUTAGE: StoreFault = { kind: 'outage' };
const readOnly: StoreFault = { kind: 'exception', exception: READ_ONLY, statements: 'writing' };
const tooManyParts: StoreFault = { kind: 'exception', exception: TOO_MANY_PARTS, statements: 'writing' };

/** ClickHouse is away, refuses to write, or does not answer; touches keep coming. */
export const storeOutage: Scenario = {
  id: 'T7',
  title: 'ClickHouse away, read-only, overloaded, silent',
  run(options) {
    const { long } = options;
    const perSecond = long ? 1000 : 1500;
    const outages: Outage[] = [
      { name: 'outage of 5 s', fault: OUTAGE, ms: 5000 },
      { name: 'read-only', fault: readOnly, ms: long ? MINUTE_MS : 3500 },
      { name: 'too many parts', fault: tooManyParts, ms: long ? MINUTE_MS : 3500 },
      { name: 'no answer', fault: { kind: 'stall' }, ms: long ? MINUTE_MS : 3500 },
      long ? { name: 'outage of 60 s', fault: OUTAGE, ms: MINUTE_MS } : { name: 'outage of 15 s', fault: OUTAGE, ms: 15_000 },
      ...(long ? [{ name: 'outage of 10 min', fault: OUTAGE, ms: 10 * MINUTE_MS }] : []),
    ];
    return runOnStage(options, {
      proxied: true,
      aggregators: 2,
      accounts: 1000,
      touches: long ? 1_200_000 : 40_000,
      perSecond,
      env: { PENDING_MEGABYTES_MAX: String(PENDING_MEGABYTES) },
      async hurt(scene) {
        const memory = watchMemory(() => scene.aggregators);
        for (const outage of outages) {
          await goThrough(outage, scene);
          scene.count(outage.name);
          await catchUp(scene, perSecond, outage);
        }
        // Applied each time, and each time the process is told otherwise.
        scene.stage.storeProxy!.set({ kind: 'lose-answers' }, long ? 100 : 6);
        await sleep(3000);
        scene.stage.storeProxy!.set({ kind: 'pass' });
        scene.faults['answers lost after they were applied'] = scene.stage.storeProxy!.faults.get('lose-answers') ?? 0;
        const peak = await memory.finish();
        scene.figures['memory at most'] = `${Math.round(peak)} MB`;
        if (peak > MEMORY_MAX_MB) scene.stage.wrong.push(`an aggregator took ${Math.round(peak)} MB, the bound is ${MEMORY_MAX_MB}`);
      },
    });
  },
};

async function goThrough({ fault, ms, name }: Outage, { aggregators, stage }: Scene): Promise<void> {
  const proxy = stage.storeProxy!;
  proxy.set(fault);
  await sleep(UNDER_WAY_MS);
  const before = await positionsOf(stage);
  // One that is killed meanwhile has to wait for the store, not give up.
  await aggregators[0]!.kill();
  aggregators[0] = await stage.start('aggregator');
  await sleep(ms - UNDER_WAY_MS);
  const after = await positionsOf(stage);
  proxy.set({ kind: 'pass' });
  if (after !== before) stage.wrong.push(`during ${name} positions moved from ${before} to ${after}`);
}

/** Stored past the fault, and committed. */
async function positionsOf(stage: Stage): Promise<string> {
  const stored = await stage.stored.positions();
  const committed = await stage.kafka.committed(AGGREGATOR_GROUP, EVENTS_TOPIC);
  return JSON.stringify({ stored: inOrder(stored), committed: inOrder(committed) });
}

function inOrder(offsets: ReadonlyMap<number, number>): [number, number][] {
  return [...offsets].toSorted(([a], [b]) => a - b);
}

/** Waits until what is not stored is less than what comes in within two seconds; tells how much faster than the input that went. */
async function catchUp({ figures, stage }: Scene, perSecond: number, { name }: Outage): Promise<void> {
  const startedAt = performance.now();
  const backlog = await unstored(stage);
  const endsBefore = sum(await stage.kafka.ends(EVENTS_TOPIC));
  let left = backlog;
  while (left > 2 * perSecond) {
    if (performance.now() - startedAt > CAUGHT_UP_WITHIN_MS) {
      stage.wrong.push(`after ${name} ${left} records were still not stored within ${CAUGHT_UP_WITHIN_MS} ms`);
      return;
    }
    await sleep(50);
    left = await unstored(stage);
  }
  const seconds = (performance.now() - startedAt) / 1000;
  const stored = backlog - left + (sum(await stage.kafka.ends(EVENTS_TOPIC)) - endsBefore);
  figures[`caught up after ${name}`] =
    `${backlog} records in ${seconds.toFixed(1)} s, ${(stored / seconds / perSecond).toFixed(1)} times the input`;
}

async function unstored(stage: Stage): Promise<number> {
  return sum(await stage.kafka.ends(EVENTS_TOPIC)) - sum(await stage.stored.positions());
}

function sum(offsets: ReadonlyMap<number, number>): number {
  let all = 0;
  for (const offset of offsets.values()) all += offset;
  return all;
}
