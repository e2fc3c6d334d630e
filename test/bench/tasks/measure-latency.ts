import { quantile } from '../figures.ts';
import { assertAccepted, Lane } from '../load/lane.ts';
import { followScores } from '../load/score-events.ts';
import { itemOf, bodyOf, requestOf, type Format } from '../workload/requests.ts';
import { Traffic, type World } from '../workload/traffic.ts';

const TICK_MS = 1;
/** What was sent last has so long to show. */
const LAST_SCORES_MS = 30_000;

export interface LatencyArgs extends World {
  readonly port: number;
  readonly key: string;
  readonly touchesPerSecond: number;
  readonly touchesPerRequest: number;
  readonly connections: number;
  readonly warmUpSeconds: number;
  readonly seconds: number;
  readonly runs: number;
}

/** Milliseconds. */
export interface LatencyRun {
  /** From sending a touch to its score being received. */
  readonly score: { readonly p50: number; readonly p99: number; readonly max: number };
  /** From sending a touch to the answer that it is durable. */
  readonly answer: { readonly p50: number; readonly p99: number };
  /** How long after its time a request was sent: what the generator itself was held up. */
  readonly lateness: { readonly p99: number };
  readonly touches: number;
}

interface Pending {
  readonly occurredAt: number;
  readonly sentAt: number;
  readonly run: number;
}

/**
 * Sends touches at a steady rate, whether or not those before are answered, and takes the time until the stream tells a score that has them:
 * one whose `lastTouchAt` is not before the touch. Both ends by the clock of this process.
 */
export async function measureLatency(args: LatencyArgs): Promise<readonly LatencyRun[]> {
  const { connections, port, key, runs, seconds, touchesPerRequest, touchesPerSecond, warmUpSeconds } = args;
  const format: Format = touchesPerRequest === 1 ? 'single' : 'array';
  const traffic = new Traffic(args);
  const samples = Array.from({ length: runs + 1 }, () => ({ score: [] as number[], answer: [] as number[], lateness: [] as number[] }));
  const pending = new Map<string, Pending[]>();
  let pendingCount = 0;

  const stream = await followScores(`http://127.0.0.1:${port}`, key, ({ accountId, lastTouchAt }) => {
    const now = performance.now();
    const waiting = pending.get(accountId);
    while (waiting !== undefined && waiting.length > 0 && waiting[0]!.occurredAt <= lastTouchAt) {
      const { run, sentAt } = waiting.shift()!;
      samples[run]!.score.push(now - sentAt);
      pendingCount--;
    }
  });

  const lanes = await Promise.all(Array.from({ length: connections }, () => Lane.open(port)));
  const free = [...lanes];
  const queue: { request: Buffer; sentAt: number; run: number }[] = [];
  const failure = Promise.withResolvers<never>();
  failure.promise.catch(() => {});

  async function work(lane: Lane): Promise<void> {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      assertAccepted(await lane.send(next.request));
      samples[next.run]!.answer.push(performance.now() - next.sentAt);
    }
    free.push(lane);
  }

  function send(run: number): void {
    // Rounded down by the clock, so a score that was computed a moment later is never taken for older than its touch.
    const occurredAt = Date.now();
    const touches = Array.from({ length: touchesPerRequest }, () => ({ ...traffic.next(occurredAt), occurredAt }));
    const request = requestOf(key, format, bodyOf(format, touches.map(itemOf)));
    const sentAt = performance.now();
    for (const { accountId } of touches) {
      const waiting = pending.get(accountId!);
      if (waiting === undefined) pending.set(accountId!, [{ occurredAt, sentAt, run }]);
      else waiting.push({ occurredAt, sentAt, run });
      pendingCount++;
    }
    queue.push({ request, sentAt, run });
    // By turns: a server lets go of a connection over which nothing comes.
    const lane = free.shift();
    if (lane !== undefined) work(lane).catch(failure.reject);
  }

  const intervalMs = (1000 * touchesPerRequest) / touchesPerSecond;
  const startedAt = performance.now();
  const lengths = [warmUpSeconds, ...Array.from({ length: runs }, () => seconds)];
  const requests = (lengths.reduce((sum, length) => sum + length, 0) * 1000) / intervalMs;
  const done = Promise.withResolvers<void>();
  let sent = 0;
  const ticker = setInterval(() => {
    const now = performance.now();
    for (; sent < requests && startedAt + sent * intervalMs <= now; sent++) {
      const at = (sent * intervalMs) / 1000;
      const run = at < warmUpSeconds ? 0 : 1 + Math.floor((at - warmUpSeconds) / seconds);
      samples[run]!.lateness.push(now - startedAt - sent * intervalMs);
      send(run);
    }
    if (sent >= requests) done.resolve();
  }, TICK_MS);
  await Promise.race([done.promise, failure.promise]);
  clearInterval(ticker);

  const deadline = performance.now() + LAST_SCORES_MS;
  while (pendingCount > 0 && performance.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 20));
  if (pendingCount > 0) throw new Error(`${pendingCount} touches never showed in a score`);
  stream.close();
  for (const lane of lanes) lane.close();
  return samples.slice(1).map(({ answer, lateness, score }) => ({
    score: { p50: quantile(score, 0.5), p99: quantile(score, 0.99), max: quantile(score, 1) },
    answer: { p50: quantile(answer, 0.5), p99: quantile(answer, 0.99) },
    lateness: { p99: quantile(lateness, 0.99) },
    touches: score.length,
  }));
}
