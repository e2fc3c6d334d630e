import { EVENTS_TOPIC } from '@touchstone/event-log';
import type { StartErrorCode } from '@touchstone/recovery';
import type { Instance } from './instance.ts';
import type { Disaster } from './options.ts';
import { poisonRecord } from './poison-records.ts';
import { runUntil } from './run-until.ts';
import type { System } from './system.ts';

type Scene = Pick<System, 'broker' | 'database' | 'instances' | 'refusals' | 'random' | 'timeline' | 'trace' | 'watcher'>;

const CODES: Record<Disaster, StartErrorCode> = { 'made anew': 'topic_made_anew', swept: 'records_lost', truncated: 'log_truncated' };
const WATCHED_MS = 40_000;
const GENERATION = 'topic-1';

/**
 * The log stops being the one that the store was written from. From then on every process must refuse to work, by the right name, and nothing may
 * be stored.
 * @returns what to add to the name of the disaster
 */
export async function strikeDisaster(disaster: Disaster, scene: Scene): Promise<string> {
  const { broker, database, instances, random, refusals, timeline, trace, watcher } = scene;
  const partitions = broker.partitionsOf(EVENTS_TOPIC);
  const stored = database.positions();
  const victim = partitions.find(({ index }) => (stored.get(index)?.offset ?? 0) > 0);
  if (victim === undefined) return ', before anything was stored';
  // Only who has read the lost records can tell, before a start compares store and log: an owner that is behind them reads on.
  const isSeen =
    disaster === 'made anew' || (disaster === 'truncated' && isOwnerAhead(instances, victim.index, stored.get(victim.index)!.offset));
  const isWhileDown = !isSeen || random.chance(0.5);
  if (isWhileDown) for (const instance of instances) instance.crash();
  const ends = partitions.map(({ end }) => end);
  watcher.isAfterDisaster = true;
  trace.note('the log is', disaster);
  switch (disaster) {
    case 'made anew':
      for (const partition of partitions) partition.makeAnew(`${GENERATION} made anew`);
      break;
    case 'swept':
      broker.append(EVENTS_TOPIC, [{ ...poisonRecord(random), partition: victim.index }]);
      victim.dropBelow(victim.end);
      break;
    case 'truncated':
      victim.dropFrom(stored.get(victim.index)!.offset - 1);
  }
  if (disaster !== 'truncated') {
    broker.append(
      EVENTS_TOPIC,
      partitions.map(({ index }) => ({ ...poisonRecord(random), partition: index })),
    );
  }
  const until = timeline.now + WATCHED_MS;
  await runUntil(timeline, () => timeline.now >= until);
  const codes = new Set(refusals.map(({ code }) => code));
  if (codes.size !== 1 || !codes.has(CODES[disaster]))
    watcher.violate(`the log was ${disaster}, refused with: ${[...codes].join(', ') || 'nothing'}`);
  for (const { aggregator, host } of instances) {
    if (aggregator?.readiness().ready === true) watcher.violate(`the log was ${disaster}, but ${host!.name} is ready`);
  }
  // Who still runs may store what it has read before and, where the log is whole, what it appends to it as time goes by; nothing else.
  const isWhole = (partition: number): boolean => disaster === 'truncated' && partition !== victim.index;
  for (const { generation, offset, partition } of database.positions().values()) {
    const end = isWhole(partition) ? partitions[partition]!.end : ends[partition]!;
    if (!stored.has(partition) || (generation === GENERATION && offset <= end)) continue;
    watcher.violate(`the log was ${disaster}, but partition ${partition} is stored at ${offset} of ${generation}`);
  }
  return '';
}

function isOwnerAhead(instances: readonly Instance[], partition: number, offset: number): boolean {
  return instances.some((instance) => instance.owns(partition) && (instance.aggregator?.ledgers.of(partition)?.position ?? 0) >= offset);
}
