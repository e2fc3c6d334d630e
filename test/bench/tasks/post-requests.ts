import { setTimeout as sleep } from 'node:timers/promises';
import { assertAccepted, Lane } from '../load/lane.ts';
import { readMetrics, untilApplied } from '../load/server-metrics.ts';
import { makeRequests, type RequestSpec } from '../workload/requests.ts';

/** A checkpoint that is under way when a run ends is not to be paid for by the next. */
const SETTLE_MS = 2500;

export interface PostArgs extends RequestSpec {
  readonly port: number;
  readonly connections: number;
  /** The first run warms the server up and is not told. */
  readonly runs: number;
  /** False for a server that applies nothing. */
  readonly isWhole: boolean;
}

export interface PostRun {
  readonly touchesPerSecond: number;
  /** From the last answer until every touch was applied; 0 when nothing is applied. */
  readonly lagSeconds: number;
  readonly serverMicrosPerTouch: number;
  readonly clientMicrosPerTouch: number;
}

/** Posts touches as fast as they are answered. Every run has touches of its own. */
export async function postRequests(args: PostArgs): Promise<readonly PostRun[]> {
  const runs: PostRun[] = [];
  for (let run = 0; run <= args.runs; run++) {
    const requests = makeRequests({ ...args, seed: args.seed + run });
    const result = await postAll(args, requests);
    if (run > 0) runs.push(result);
    if (args.isWhole) await sleep(SETTLE_MS);
  }
  return runs;
}

async function postAll({ port, connections, touches, isWhole }: PostArgs, requests: readonly Buffer[]): Promise<PostRun> {
  const url = `http://127.0.0.1:${port}`;
  const lanes = await Promise.all(Array.from({ length: connections }, () => Lane.open(port)));
  const before = isWhole ? await readMetrics(url) : null;
  const usedBefore = process.cpuUsage();
  const startedAt = performance.now();
  let next = 0;
  await Promise.all(
    lanes.map(async (lane) => {
      while (next < requests.length) assertAccepted(await lane.send(requests[next++]!));
    }),
  );
  const seconds = (performance.now() - startedAt) / 1000;
  const { user, system } = process.cpuUsage(usedBefore);
  const after = before === null ? null : await untilApplied(url, before.touchesApplied + touches);
  const lagSeconds = after === null ? 0 : (performance.now() - startedAt) / 1000 - seconds;
  for (const lane of lanes) lane.close();
  return {
    touchesPerSecond: touches / seconds,
    lagSeconds,
    serverMicrosPerTouch: before === null || after === null ? 0 : ((after.cpuSeconds - before.cpuSeconds) * 1e6) / touches,
    clientMicrosPerTouch: (user + system) / touches,
  };
}
