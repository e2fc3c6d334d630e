import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import type { Server } from '../../support/start-server.ts';
import { startBenchServer, stopCleanly, type BenchContext } from '../bench-context.ts';
import { figure, type Figure, type Section } from '../figures.ts';
import { readMetrics } from '../load/server-metrics.ts';
import { KINDS } from '../workload/traffic.ts';

const MEGABYTE = 2 ** 20;
const LOOK_MS = 20;

interface RecoveredLine {
  readonly records: number;
  readonly seconds: number;
  readonly accounts: number;
  readonly contacts: number;
}

/** How soon a server that was stopped serves again. */
export async function benchRecovery({ makeDirectory, sizes, stored }: BenchContext): Promise<Section> {
  const figures: Figure[] = [];
  const empty = makeDirectory();
  await stopCleanly(await startBenchServer(empty));
  const emptySeconds: number[] = [];
  let emptyMemory = 0;
  for (let run = 0; run < sizes.longRuns; run++) {
    const startedAt = performance.now();
    const server = await startBenchServer(empty);
    emptySeconds.push((performance.now() - startedAt) / 1000);
    emptyMemory = (await readMetrics(server.url)).residentBytes;
    await stopCleanly(server);
  }
  figures.push(figure('nothing stored: start to ready', 's', emptySeconds));
  figures.push(figure('nothing stored: resident memory', 'MB', [emptyMemory / MEGABYTE]));

  for (const touches of sizes.stored) {
    const data = await stored(touches);
    const label = touches.toLocaleString('en-GB') + ' touches';
    const replays: Started[] = [];
    const loads: Started[] = [];
    const takeovers: number[] = [];
    for (let run = 0; run < sizes.longRuns; run++) {
      rmSync(join(data, 'snapshots'), { recursive: true, force: true });
      const replay = await start(data);
      if (recordsReplayed(replay) < touches) throw new Error(`${recordsReplayed(replay)} touches were replayed of ${touches}`);
      takeovers.push(await secondsToTakeover(replay.server, run));
      // Under the new model: the snapshot that it leaves is the one that the next start needs.
      await stopCleanly(replay.server);
      const load = await start(data);
      if (recordsReplayed(load) !== 0) throw new Error(`the snapshots were not used: ${recordsReplayed(load)} touches were replayed`);
      await stopCleanly(load.server);
      replays.push(replay);
      loads.push(load);
    }
    figures.push(
      ...startFigures(`${label}, without snapshots`, replays),
      figure(
        `${label}: replay`,
        'touches/s',
        replays.map((one) => touches / one.line.seconds),
      ),
      ...startFigures(`${label}, with snapshots`, loads),
      figure(`${label}: another model, publication to takeover`, 's', takeovers),
      figure(
        `${label}: another model, publication to takeover`,
        'touches/s',
        takeovers.map((seconds) => touches / seconds),
      ),
      figure(`${label}: contacts`, 'contacts', [replays[0]!.line.contacts]),
    );
  }
  return {
    title: 'Recovery from the stored touches',
    text:
      'A server is stopped and started again, once with its snapshots deleted and once with them. From the start of the process until it is ' +
      'ready; the replay alone as the server itself reports it; and how soon another model is in force after it was published. Memory is read when it is ready, pages of the replay that the collector has not taken back yet included.',
    figures,
  };
}

interface Started {
  readonly server: Server;
  readonly seconds: number;
  readonly line: RecoveredLine;
  readonly residentBytes: number;
  readonly externalBytes: number;
}

async function start(data: string): Promise<Started> {
  const startedAt = performance.now();
  const server = await startBenchServer(data);
  const seconds = (performance.now() - startedAt) / 1000;
  const { externalBytes, residentBytes } = await readMetrics(server.url);
  return { server, seconds, line: recoveredLine(server.output()), residentBytes, externalBytes };
}

function startFigures(label: string, starts: readonly Started[]): Figure[] {
  return [
    figure(
      `${label}: start to ready`,
      's',
      starts.map(({ seconds }) => seconds),
    ),
    figure(
      `${label}: resident memory`,
      'MB',
      starts.map(({ residentBytes }) => residentBytes / MEGABYTE),
    ),
    figure(
      `${label}: of it outside the heap, where ledgers are`,
      'MB',
      starts.map(({ externalBytes }) => externalBytes / MEGABYTE),
    ),
  ];
}

function recordsReplayed({ line }: Started): number {
  return line.records;
}

/** Publishes a model whose every kind is worth something else than before, half of them capped. */
async function secondsToTakeover(server: Server, run: number): Promise<number> {
  const version = `bench-${run}-${Date.now()}`;
  const rules = KINDS.map((kind, i) => ({ id: kind, kind, points: i + run + 1, ...(i % 2 === 0 ? { dailyCap: 3 } : {}) }));
  const startedAt = performance.now();
  const headers = { 'content-type': 'application/json' };
  const response = await server.fetch('/v1/models', { method: 'POST', headers, body: JSON.stringify({ version, rules }) });
  if (response.status !== 202) throw new Error(`the model was not taken: ${response.status} ${await response.text()}`);
  for (;;) {
    if ((await server.get<{ version: string }>('/v1/models/current')).version === version) return (performance.now() - startedAt) / 1000;
    await setTimeout(LOOK_MS);
  }
}

function recoveredLine(output: string): RecoveredLine {
  const line = output.split('\n').find((text) => /recovered from the stored touches|took up the partitions/.test(text));
  if (line === undefined) throw new Error(`the server did not tell what it recovered:\n${output.slice(-4000)}`);
  return JSON.parse(line) as RecoveredLine;
}
