import { cpSync, renameSync, rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { AGGREGATOR_GROUP, EVENTS_TOPIC } from '@touchstone/event-log';
import { Traffic } from '../../bench/workload/traffic.ts';
import type { Scenario } from '../scenario.ts';
import { checkExact } from '../stage/check-exact.ts';
import { startDirectLoad } from '../stage/direct-load.ts';
import type { ServiceName, ServiceProcess } from '../stage/service-process.ts';
import { Stage } from '../stage/stage.ts';

const TOUCHES = 2000;
const ENDS_WITHIN_MS = 45_000;

interface Mishap {
  readonly name: string;
  /** Given a settled stage whose aggregator still runs. */
  readonly act: (scene: MishapScene) => Promise<void>;
}

interface MishapScene {
  readonly stage: Stage;
  readonly say: (line: string) => void;
  readonly aggregator: ServiceProcess;
  /** More touches, confirmed. */
  readonly send: () => Promise<void>;
  readonly acked: Set<string>;
}

/** Somebody has done something to the log that takes records away, or moves positions. */
const MISHAPS: readonly Mishap[] = [
  {
    name: 'topic made anew while nothing runs',
    async act(scene) {
      const { aggregator, stage } = scene;
      await aggregator.stop();
      await stage.kafka.admin.deleteTopics({ topics: [EVENTS_TOPIC] });
      await untilGone(stage);
      await refusesToStart(scene, 'aggregator', 'topic_made_anew');
      await refusesToStart(scene, 'query', 'topic_made_anew');
    },
  },
  {
    name: 'topic made anew under a running aggregator',
    async act(scene) {
      const { aggregator, stage } = scene;
      aggregator.expectEnd();
      await stage.kafka.admin.deleteTopics({ topics: [EVENTS_TOPIC] });
      await untilGone(stage);
      // Whoever starts first makes it again.
      const ingest = await stage.start('ingest');
      await ingest.becomesReady();
      await endsWithNamedError(scene, aggregator, /topic_made_anew|topic_mismatch|offset_out_of_range/);
    },
  },
  {
    name: 'records deleted past the stored position',
    async act(scene) {
      const { aggregator, send, stage } = scene;
      await aggregator.stop();
      await send();
      const ends = await stage.kafka.ends(EVENTS_TOPIC);
      const partitions = [...ends].map(([partition, end]) => ({ partition, offset: String(end) }));
      await stage.kafka.admin.deleteTopicRecords({ topic: EVENTS_TOPIC, partitions });
      await refusesToStart(scene, 'aggregator', 'records_lost');
      await refusesToStart(scene, 'query', 'records_lost');
    },
  },
  {
    name: 'log cut off below the stored position',
    async act(scene) {
      const { aggregator, send, stage } = scene;
      const { dataDirectory } = stage.broker;
      if (dataDirectory === null) return;
      const before = `${dataDirectory}.before`;
      await stage.broker.stop();
      cpSync(dataDirectory, before, { recursive: true });
      await stage.broker.start();
      await send();
      await stage.settle();
      await aggregator.stop();
      await stage.broker.stop();
      rmSync(dataDirectory, { recursive: true });
      renameSync(before, dataDirectory);
      await stage.broker.start();
      await refusesToStart(scene, 'aggregator', 'log_truncated');
      await refusesToStart(scene, 'query', 'log_truncated');
    },
  },
  { name: 'group set back to the beginning', act: (scene) => moveGroup(scene, () => 0) },
  { name: 'group set to the end, past what was not stored', act: (scene) => moveGroup(scene, (end) => end) },
];

export const logMishaps: Scenario = {
  id: 'T12',
  title: 'log made anew, cut off, swept, positions moved',
  async run({ long, say, seed }) {
    const wrong: string[] = [];
    const faults: Record<string, number> = {};
    const stage = await Stage.open({ partitions: 2 });
    try {
      for (let round = 0; round < (long ? 5 : 1); round++) {
        for (const mishap of MISHAPS) {
          say(mishap.name);
          await goThrough(mishap, stage, seed + round, say);
          wrong.push(...stage.wrong.map((line) => `${mishap.name}: ${line}`));
          faults[mishap.name] = (faults[mishap.name] ?? 0) + 1;
          await stage.reset();
        }
      }
    } finally {
      await stage.close();
    }
    return { wrong, faults, recoveriesMs: [], figures: {} };
  },
};

async function goThrough(mishap: Mishap, stage: Stage, seed: number, say: (line: string) => void): Promise<void> {
  const [aggregator] = await stage.startAggregators(1);
  const { kafka, partitions } = stage;
  const traffic = new Traffic({ accounts: 50, contacts: 250, seed });
  const acked = new Set<string>();
  const send = async (): Promise<void> => {
    const load = startDirectLoad({ kafka, partitions, least: TOUCHES, perSecond: 10_000, next: (now) => traffic.next(now) });
    await load.finish();
    for (const id of load.acked) acked.add(id);
  };
  await send();
  await stage.settle();
  await mishap.act({ stage, say, aggregator: aggregator!, send, acked });
}

/** Positions of the group mean nothing to the ledgers: the stored ones say where to go on. */
async function moveGroup({ acked, aggregator, send, stage }: MishapScene, offsetOf: (end: number) => number): Promise<void> {
  await aggregator.stop();
  await send();
  const ends = await stage.kafka.ends(EVENTS_TOPIC);
  const partitions = [...ends].map(([partition, end]) => ({ partition, offset: String(offsetOf(end)) }));
  await stage.kafka.admin.setOffsets({ groupId: AGGREGATOR_GROUP, topic: EVENTS_TOPIC, partitions });
  const next = await stage.start('aggregator');
  await next.becomesReady();
  const query = await stage.start('query');
  await query.becomesReady();
  await stage.settle();
  const { wrong } = await checkExact(stage, { acked, queryUrl: query.url });
  stage.wrong.push(...wrong);
}

async function untilGone({ kafka }: Stage): Promise<void> {
  while ((await kafka.admin.listTopics()).includes(EVENTS_TOPIC)) await sleep(50);
}

async function refusesToStart({ say, stage }: MishapScene, service: ServiceName, code: string): Promise<void> {
  const started = await stage.start(service);
  started.expectEnd();
  await endsWithNamedError({ say, stage }, started, new RegExp(code));
}

/** Exit code 1, and a last line that names the error and says what to do. */
async function endsWithNamedError(
  { say, stage }: Pick<MishapScene, 'say' | 'stage'>,
  process: ServiceProcess,
  code: RegExp,
): Promise<void> {
  const timer = new AbortController();
  const late = sleep(ENDS_WITHIN_MS, null, { signal: timer.signal }).catch(() => null);
  const ending = await Promise.race([process.ended, late]);
  timer.abort();
  const { pid, service } = process;
  if (ending === null) {
    stage.wrong.push(`${service} ${pid} goes on: ${process.output().slice(-1500)}`);
    await process.kill();
    return;
  }
  const fatal = process
    .output()
    .split('\n')
    .filter((line) => line.includes('"level":"fatal"'))
    .at(-1);
  if (ending.code !== 1) stage.wrong.push(`${service} ended with ${ending.code ?? ending.signal}, not with 1`);
  const told = fatal === undefined ? null : (JSON.parse(fatal) as { code?: string; msg: string });
  say(`${service}: ${told?.msg ?? 'ended without a word'}`);
  if (!code.test(told?.code ?? ''))
    stage.wrong.push(`${service} should have named ${code.source}, but said ${fatal ?? process.output().slice(-1500)}`);
}
