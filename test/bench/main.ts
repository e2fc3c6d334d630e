import { join } from 'node:path';
import { createContext, type BenchContext } from './bench-context.ts';
import { benchAlertStorm } from './benches/alert-storm.ts';
import { benchAlerts } from './benches/alerts.ts';
import { benchCeilings } from './benches/ceilings.ts';
import { benchCheckpoints } from './benches/checkpoints.ts';
import { benchDrain } from './benches/drain.ts';
import { benchFanOut } from './benches/fan-out.ts';
import { benchIngest } from './benches/ingest.ts';
import { benchKafkaCeilings } from './benches/kafka-ceilings.ts';
import { benchKpis } from './benches/kpis.ts';
import { benchLatency } from './benches/latency.ts';
import { benchMemory } from './benches/memory.ts';
import { benchReads } from './benches/reads.ts';
import { benchRecovery } from './benches/recovery.ts';
import type { Section } from './figures.ts';
import { describeMachine } from './machine.ts';
import { BENCH_NAMES, readOptions, type BenchName, type BenchOptions } from './options.ts';
import { sectionText } from './report.ts';
import { forgetSection, savedOf, saveSection, wholeOf } from './saved-sections.ts';
import { writePage } from './write-page.ts';

/**
 * Measures the whole system: `node test/bench/main.ts [--quick] [--only NAME,...] [--runs N]`, or `--page`. A whole run writes RESULTS.md.
 * One in parts does as well: `--only` prints, and keeps its sections in `.results`; `--page` makes the page of them, if all are there and of
 * this machine, and says of which commit each is. `--quick` only prints. Loads 127.0.0.1 alone.
 */

const BENCHES: Readonly<Record<BenchName, (context: BenchContext) => Promise<Section>>> = {
  ceilings: benchCeilings,
  kafka: benchKafkaCeilings,
  ingest: benchIngest,
  latency: benchLatency,
  alerts: benchAlerts,
  'alert-storm': benchAlertStorm,
  drain: benchDrain,
  checkpoints: benchCheckpoints,
  recovery: benchRecovery,
  memory: benchMemory,
  reads: benchReads,
  'fan-out': benchFanOut,
  kpis: benchKpis,
};

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    console.error(`\nended by ${signal}; RESULTS.md is as it was`);
    process.exit(1);
  });
}

const kept = join(import.meta.dirname, '.results');
const { command, names, pageOnly, quick, sizes } = optionsOrLeave(process.argv.slice(2));
const machine = describeMachine();
if (pageOnly) makePage();
else await measure();

async function measure(): Promise<void> {
  for (const [name, value] of Object.entries(machine)) console.log(`${name}: ${value}`);
  const startedAt = performance.now();
  const context = createContext(sizes);
  const sections: Section[] = quick ? [] : savedOf(kept, machine).map(({ section }) => section);
  for (const name of names) {
    if (!quick) forgetSection(kept, name);
    const section = await BENCHES[name](context);
    sections.unshift(section);
    console.log(sectionText(section, sections));
    if (!quick) saveSection(kept, { name, machine, command, measuredAt: new Date().toISOString(), section });
  }
  context.close();
  console.log(`\n${((performance.now() - startedAt) / 60_000).toFixed(1)} minutes`);
  if (!quick && names.length === BENCH_NAMES.length) makePage();
}

function makePage(): void {
  try {
    writePage(import.meta.dirname, machine, wholeOf(kept, machine));
    console.log('written to test/bench/RESULTS.md');
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  }
}

function optionsOrLeave(args: readonly string[]): BenchOptions {
  try {
    return readOptions(args);
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    console.error(`usage: pnpm bench [--quick] [--only ${BENCH_NAMES.join(',')}] [--runs N] | --page`);
    return process.exit(2);
  }
}
