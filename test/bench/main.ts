import { writeFileSync } from 'node:fs';
import { createContext, type BenchContext } from './bench-context.ts';
import { benchCeilings } from './benches/ceilings.ts';
import { benchDrain } from './benches/drain.ts';
import { benchFanOut } from './benches/fan-out.ts';
import { benchIngest } from './benches/ingest.ts';
import { benchLatency } from './benches/latency.ts';
import { benchMemory } from './benches/memory.ts';
import { benchReads } from './benches/reads.ts';
import { benchRecovery } from './benches/recovery.ts';
import type { Section } from './figures.ts';
import { describeMachine } from './machine.ts';
import { BENCH_NAMES, readOptions, type BenchName, type BenchOptions } from './options.ts';
import { resultsPage, sectionText } from './report.ts';

/**
 * Measures the whole system: `node test/bench/main.ts [--quick] [--only NAME,...] [--runs N]`. A whole run takes some ten minutes and writes
 * RESULTS.md; with `--quick` or `--only` it only prints. Loads 127.0.0.1 alone.
 */

const BENCHES: Readonly<Record<BenchName, (context: BenchContext) => Promise<Section>>> = {
  ceilings: benchCeilings,
  ingest: benchIngest,
  latency: benchLatency,
  drain: benchDrain,
  recovery: benchRecovery,
  memory: benchMemory,
  reads: benchReads,
  'fan-out': benchFanOut,
};

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    console.error(`\nended by ${signal}; RESULTS.md is as it was`);
    process.exit(1);
  });
}

const { command, names, quick, sizes } = optionsOrLeave(process.argv.slice(2));
const machine = describeMachine();
for (const [name, value] of Object.entries(machine)) console.log(`${name}: ${value}`);

const startedAt = performance.now();
const context = createContext(sizes);
const sections: Section[] = [];
for (const name of names) {
  const section = await BENCHES[name](context);
  sections.push(section);
  console.log(sectionText(section));
}
context.close();

const isWhole = !quick && names.length === BENCH_NAMES.length;
if (isWhole) writeFileSync(new URL('RESULTS.md', import.meta.url), resultsPage(machine, command, sections));
const minutes = ((performance.now() - startedAt) / 60_000).toFixed(1);
console.log(`\n${minutes} minutes${isWhole ? '; written to test/bench/RESULTS.md' : ''}`);

function optionsOrLeave(args: readonly string[]): BenchOptions {
  try {
    return readOptions(args);
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    console.error(`usage: pnpm bench [--quick] [--only ${BENCH_NAMES.join(',')}] [--runs N]`);
    return process.exit(2);
  }
}
