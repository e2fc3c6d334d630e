import { startBenchServer, stopCleanly, type BenchContext } from '../bench-context.ts';
import { figure, type Figure, type Section } from '../figures.ts';
import { readMetrics } from '../load/server-metrics.ts';

const MEGABYTE = 2 ** 20;

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
    const label = `${touches.toLocaleString('en-GB')} touches`;
    const readySeconds: number[] = [];
    const lines: RecoveredLine[] = [];
    const resident: number[] = [];
    const ledgers: number[] = [];
    for (let run = 0; run < sizes.longRuns; run++) {
      const startedAt = performance.now();
      const server = await startBenchServer(data);
      readySeconds.push((performance.now() - startedAt) / 1000);
      lines.push(recoveredLine(server.output(), touches));
      const { externalBytes, residentBytes } = await readMetrics(server.url);
      resident.push(residentBytes / MEGABYTE);
      ledgers.push(externalBytes / MEGABYTE);
      await stopCleanly(server);
    }
    figures.push(
      figure(`${label}: start to ready`, 's', readySeconds),
      figure(
        `${label}: replay`,
        's',
        lines.map(({ seconds }) => seconds),
      ),
      figure(
        `${label}: replay`,
        'touches/s',
        lines.map(({ seconds }) => touches / seconds),
      ),
      figure(
        `${label}: contacts`,
        'contacts',
        lines.map(({ contacts }) => contacts),
      ),
      figure(`${label}: resident memory`, 'MB', resident),
      figure(`${label}: of it outside the heap, where ledgers are`, 'MB', ledgers),
    );
  }
  return {
    title: 'Recovery from the stored touches',
    text:
      'A server is stopped and started again. From the start of the process until it is ready; and the replay alone, as the server itself ' +
      'reports it. Memory is read when it is ready, pages of the replay that the collector has not taken back yet included.',
    figures,
  };
}

function recoveredLine(output: string, touches: number): RecoveredLine {
  const line = output.split('\n').find((text) => text.includes('recovered from the stored touches'));
  if (line === undefined) throw new Error(`the server did not tell what it recovered:\n${output.slice(-4000)}`);
  const recovered = JSON.parse(line) as RecoveredLine;
  if (recovered.records !== touches) throw new Error(`${recovered.records} touches were recovered of ${touches}`);
  return recovered;
}
