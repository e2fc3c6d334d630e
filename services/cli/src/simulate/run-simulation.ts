import { setTimeout as sleep } from 'node:timers/promises';
import { waitUntilReady, type ApiClient } from '../api-client.ts';
import { topAccounts } from '../top-accounts.ts';
import { sendBatch } from '../send-batch.ts';
import { formatCount, formatFigure } from '../terminal/format.ts';
import { accountFacts, contactFacts } from './world-facts.ts';
import { makeWorld } from './make-world.ts';
import { createRandom } from './random.ts';
import { createTraffic, type MadeTouch, type TrafficNews } from './traffic.ts';

export interface SimulationOptions {
  readonly client: ApiClient;
  readonly seed: string;
  readonly accounts: number;
  /** Touches per second. */
  readonly rate: number;
  /** Null goes on until stopped. */
  readonly seconds: number | null;
  readonly backfillDays: number;
  /** Tells the ids of this run from those of others. */
  readonly run: string;
  readonly clock: () => number;
  readonly signal: AbortSignal;
  readonly view: SimulationView;
}

/** What whoever watches gets to see. */
export interface SimulationView {
  tell(line: string): void;
  news(items: readonly TrafficNews[]): void;
  /** About once a second. `top` is null when the key may not read. */
  update(figures: SimulationFigures, top: TopAccounts): void;
  end(): void;
}

/** Null when they can not be read. */
export type TopAccounts = readonly Record<string, unknown>[] | null;

export interface SimulationFigures {
  readonly sent: number;
  readonly accepted: number;
  readonly rejected: number;
  readonly seconds: number;
}

const BATCH_MAX = 1000;
const TICK_MS = 100;
const LOOK_MS = 1000;
const TOP = 10;
const BACKFILL_TOUCHES_A_DAY = 3;
const BACKFILL_HEAT_MS = 3 * 86_400_000;
const LIVE_HEAT_MS = 120_000;
const DAY_MS = 86_400_000;

/** Makes a world, tells the server who is in it, and sends touches until the time is up or the signal says stop. */
export async function runSimulation(options: SimulationOptions): Promise<SimulationFigures> {
  const { client, view, clock, signal } = options;
  await waitUntilReady(client, view.tell);
  const random = createRandom(`${options.seed}/world/${options.accounts}`);
  const world = makeWorld(random, options.accounts);
  const people = world.companies.reduce((sum, company) => sum + company.people.length, 0);
  const send = createSender(options);

  await send.facts('/v1/accounts', accountFacts(world, clock()));
  await send.facts('/v1/contacts', contactFacts(world, clock()));
  view.tell(`${formatCount(world.companies.length)} companies with ${formatCount(people)} people, seed ${options.seed}.`);

  if (options.backfillDays > 0) await backfill();
  await goLive();
  return send.figures();

  async function backfill(): Promise<void> {
    const traffic = createTraffic({
      random: createRandom(`${options.seed}/backfill`),
      world,
      run: `${options.run}-b`,
      heatMs: BACKFILL_HEAT_MS,
    });
    const total = Math.round(options.backfillDays * options.accounts * BACKFILL_TOUCHES_A_DAY);
    const spanMs = options.backfillDays * DAY_MS;
    const from = clock() - spanMs;
    view.tell(`Sending ${formatCount(total)} touches of the last ${formatCount(options.backfillDays)} days.`);
    for (let made = 0; made < total && !signal.aborted;) {
      const size = Math.min(BATCH_MAX, total - made);
      await send.touches(Array.from({ length: size }, () => traffic.next(Math.floor(from + (spanMs * made++) / total))));
      traffic.takeNews();
    }
  }

  async function goLive(): Promise<void> {
    const traffic = createTraffic({ random: createRandom(`${options.seed}/live`), world, run: options.run, heatMs: LIVE_HEAT_MS });
    const began = performance.now();
    const before = send.figures();
    let made = 0;
    let lookedAt = -Infinity;
    let canRead = true;
    view.tell(
      `Sending ${formatFigure(options.rate, 0)} touches/s${options.seconds === null ? '; Ctrl-C stops' : ` for ${options.seconds} s`}.`,
    );
    for (;;) {
      const elapsed = (performance.now() - began) / 1000;
      const isOver = signal.aborted || (options.seconds !== null && elapsed >= options.seconds);
      const due = Math.floor(Math.min(elapsed, options.seconds ?? Infinity) * options.rate) - made;
      // A server slower than the rate is sent full batches one after the other: what is due waits as a number, not as touches.
      const size = signal.aborted ? 0 : Math.min(BATCH_MAX, due);
      if (size > 0) await send.touches(Array.from({ length: size }, () => traffic.next(clock())));
      made += size;
      view.news(traffic.takeNews());
      if (isOver) break;
      if (performance.now() - lookedAt >= LOOK_MS) {
        lookedAt = performance.now();
        const top: TopAccounts = canRead ? await look() : null;
        canRead = top !== null;
        const { sent, accepted, rejected } = send.figures();
        view.update(
          { sent: sent - before.sent, accepted: accepted - before.accepted, rejected: rejected - before.rejected, seconds: elapsed },
          top,
        );
      }
      if (size < BATCH_MAX) await sleep(TICK_MS, undefined, { signal }).catch(() => undefined);
    }
  }

  async function look(): Promise<TopAccounts> {
    try {
      return await topAccounts(client, TOP);
    } catch (error) {
      view.tell(`No leaderboard: ${error instanceof Error ? error.message : String(error)}`);
      return null;
    }
  }
}

interface Sender {
  facts(path: string, lines: Iterable<string>): Promise<void>;
  touches(touches: readonly MadeTouch[]): Promise<void>;
  figures(): SimulationFigures;
}

function createSender({ client, view, signal }: SimulationOptions): Sender {
  const began = performance.now();
  let [sent, accepted, rejected] = [0, 0, 0];

  async function send(path: string, lines: readonly string[]): Promise<{ accepted: number; rejected: number }> {
    const result = await sendBatch(lines, { client, path, onWait: view.tell, signal });
    const [first] = result.rejected;
    if (first !== undefined && rejected === 0)
      view.tell(`The server rejected ${result.rejected.length} of ${lines.length}: ${first.code}, ${first.message}`);
    return { accepted: result.accepted, rejected: result.rejected.length };
  }

  return {
    async facts(path, lines) {
      for (const batch of batches(lines)) await send(path, batch);
    },
    async touches(touches) {
      const lines = touches.map((touch) => JSON.stringify(touch));
      const result = await send('/v1/touches', lines);
      sent += lines.length;
      accepted += result.accepted;
      rejected += result.rejected;
    },
    figures: () => ({ sent, accepted, rejected, seconds: (performance.now() - began) / 1000 }),
  };
}

function* batches(lines: Iterable<string>): Generator<string[]> {
  let batch: string[] = [];
  for (const line of lines) {
    batch.push(line);
    if (batch.length < BATCH_MAX) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}
