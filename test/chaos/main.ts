import { parseArgs } from 'node:util';
import { describeReport } from './describe-report.ts';
import { scenarios } from './scenarios.ts';

/**
 * Real processes on a real broker, killed, stopped, cut off and starved, and then compared with a recomputation from the log.
 *
 *     node test/chaos/main.ts [--long] [--only T1,T5] [--seed 7]
 *
 * Without --long each scenario takes about half a minute, with it up to an hour. With CHAOS_LOGS=DIRECTORY all that the processes write is
 * kept there, a file each. Needs Docker, or Java with Maven.
 */
const { values } = parseArgs({
  options: { long: { type: 'boolean', default: false }, only: { type: 'string' }, seed: { type: 'string' } },
});
const long = values.long || process.env['CHAOS'] === 'long';
const seed = Number(values.seed ?? Date.now() % 1_000_000);
const wanted = values.only?.split(',').map((id) => id.trim().toUpperCase());
const chosen = scenarios.filter(({ id }) => wanted === undefined || wanted.includes(id));

console.log(`${long ? 'long' : 'short'} form, seed ${seed}: ${chosen.map(({ id }) => id).join(', ')}`);
let failures = 0;
for (const scenario of chosen) {
  const startedAt = performance.now();
  const seconds = (): number => (performance.now() - startedAt) / 1000;
  const say = (line: string): void => console.log(`  ${scenario.id} ${seconds().toFixed(0).padStart(4)} s: ${line}`);
  try {
    const report = await scenario.run({ long, seed, say });
    if (report.wrong.length > 0) failures++;
    console.log(describeReport(scenario, report, seconds()).join('\n'));
  } catch (error) {
    failures++;
    console.log(`${scenario.id} FAILED after ${seconds().toFixed(0)} s:`, error);
  }
}
// A client of a scenario that failed half-way may still be asking for an answer.
process.exit(failures === 0 ? 0 : 1);
