import type { Touch } from '@touchstone/codec';
import { Traffic } from '../../bench/workload/traffic.ts';
import { createRandom, type Random } from '../../support/random.ts';
import { followStream } from '../../support/follow-stream.ts';
import { startLoad, type LoadClient } from '../../support/load-client.ts';
import { watchAccounts } from '../../support/watch-accounts.ts';
import type { ScenarioOptions, ScenarioReport } from '../scenario.ts';
import { checkExact } from './check-exact.ts';
import { startDirectLoad, type DirectLoad, type DirectLoadOptions } from './direct-load.ts';
import type { ServiceProcess } from './service-process.ts';
import { Stage, type StageOptions } from './stage.ts';
import { watchPositions } from './watch-positions.ts';

/** A machine that a long form has kept busy may have a million touches to catch up with. */
const LONG_SETTLED_WITHIN_MS = 15 * 60_000;

const MOMENT_MS = 1000;
const ACCOUNTS_OF_A_MOMENT = 25;

export interface Plan extends StageOptions {
  readonly aggregators: number;
  readonly accounts: number;
  /** More of them when it takes the scenario longer. */
  readonly touches: number;
  readonly perSecond: number;
  /** Clients that send to an ingest process, beside what is put on the log directly; none by default. */
  readonly httpClients?: number;
  /** In place of usual traffic. */
  readonly next?: DirectLoadOptions['next'];
  /** Hurts the system while touches come in. Touches come at least for as long. */
  readonly hurt: (scene: Scene) => Promise<void>;
}

/** What a scenario works on. */
export interface Scene {
  readonly stage: Stage;
  /** Those that run; the scenario keeps it so. */
  readonly aggregators: ServiceProcess[];
  readonly query: ServiceProcess;
  readonly load: DirectLoad;
  readonly random: Random;
  readonly faults: Record<string, number>;
  readonly figures: Record<string, number | string>;
  readonly say: (line: string) => void;
  count(fault: string): void;
  /** Something has just gone wrong, from which the system has to recover. */
  fault(): void;
}

/**
 * Sets a stage, lets touches come in and readers look on while the scenario hurts the system, waits until it has settled, and compares.
 * Everything that was started has ended when this returns or throws.
 */
export async function runOnStage(options: ScenarioOptions, plan: Plan): Promise<ScenarioReport> {
  const stage = await Stage.open(plan);
  try {
    return await play(stage, plan, options);
  } finally {
    await stage.close();
  }
}

async function play(stage: Stage, plan: Plan, { long, say, seed }: ScenarioOptions): Promise<ScenarioReport> {
  const random = createRandom(seed);
  const aggregators = await stage.startAggregators(plan.aggregators);
  const query = await stage.start('query');
  await query.becomesReady();

  const traffic = new Traffic({ accounts: plan.accounts, contacts: plan.accounts * 5, seed });
  const accountIds = Array.from({ length: Math.min(plan.accounts, 300) }, (_, rank) => `account-${rank.toString().padStart(5, '0')}`);
  const stream = followStream(query.url);
  const watch = watchAccounts(query.url, accountIds, createRandom(seed + 1));
  const positions = watchPositions(stage);
  const faults: Record<string, number> = {};
  const faultTimes: number[] = [];
  const figures: Record<string, number | string> = {};
  const { kafka, partitions } = stage;
  const load = startDirectLoad({
    kafka,
    partitions,
    least: plan.touches,
    perSecond: plan.perSecond,
    next: plan.next ?? ((now) => ofItsTime(traffic.next(now), now)),
  });
  const clients = await startClients(stage, plan.httpClients ?? 0, seed);
  say('the stage is set');
  try {
    const count = (fault: string): void => void (faults[fault] = (faults[fault] ?? 0) + 1);
    await plan.hurt({
      stage,
      aggregators,
      query,
      load,
      random,
      faults,
      figures,
      say,
      count,
      fault: () => void faultTimes.push(Date.now()),
    });
    say(`hurt it: ${JSON.stringify(faults)}; ${load.acked.size} touches so far`);
    await load.finish();
    await Promise.all(clients.map((client) => client.finish()));
    await stage.settle(long ? LONG_SETTLED_WITHIN_MS : undefined);
    say('settled');
  } finally {
    load.stop();
    await Promise.allSettled([watch.finish(), positions.finish(), stream.stop(), ...clients.map((client) => client.finish())]);
  }
  const acked = [...load.acked, ...clients.flatMap((client) => [...client.acked.values()].flatMap((ids) => [...ids]))];
  const found = await checkExact(stage, { acked, queryUrl: query.url, faults: faultTimes });
  const wrong = [...stage.wrong, ...watch.wrong, ...found.wrong];
  if (stream.counts.older > 0) wrong.push(`the stream told ${stream.counts.older} scores that were older than what it had told`);
  return {
    wrong,
    faults,
    recoveriesMs: found.recoveriesMs,
    figures: {
      touches: acked.length,
      accounts: found.accounts,
      'sent twice': found.repeated,
      'older scores on the topic': found.olderScores,
      'answers read': watch.answers,
      'streamed events': stream.counts.events,
      'positions read': positions.looks,
      ...figures,
    },
  };
}

/**
 * Half of the touches go to accounts that are heard of for a moment and never again: what is lost of the others would be made good by the
 * next touch, and nobody would see.
 */
function ofItsTime(touch: Touch, now: number): Touch {
  if (Number.parseInt(touch.id.slice(-1), 16) % 2 === 0) return touch;
  return { ...touch, accountId: `moment-${Math.floor(now / MOMENT_MS)}-${Number(touch.accountId?.slice(-5)) % ACCOUNTS_OF_A_MOMENT}` };
}

async function startClients(stage: Stage, count: number, seed: number): Promise<LoadClient[]> {
  if (count === 0) return [];
  const ingest = await stage.start('ingest');
  await ingest.becomesReady();
  const accountIds = Array.from({ length: 50 }, (_, i) => `client-account-${i}`);
  return Array.from({ length: count }, (_, i) =>
    startLoad({
      url: ingest.url,
      name: `client-${i}`,
      accountIds,
      batchMax: 40,
      pauseMsMax: 100,
      random: createRandom(seed + 100 + i),
    }),
  );
}
