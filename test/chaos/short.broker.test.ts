import { findKafka, sharedBroker } from '@touchstone/testkit';
import { describe, expect, it } from 'vitest';
import { describeReport } from './describe-report.ts';
import { scenarios } from './scenarios.ts';

/** Each scenario in its short form. They hurt their broker, so they take one of their own; a given one is not theirs to hurt. */
const { missing } = sharedBroker();
const own = await findKafka({ own: true });

describe.skipIf(missing !== null || own.kind === 'none')('the ledgers equal those of one undisturbed pass, whatever fails', () => {
  it.each(scenarios.map((scenario) => ({ ...scenario })))('$id $title', { timeout: 5 * 60_000 }, async (scenario) => {
    const startedAt = performance.now();
    const report = await scenario.run({ long: false, seed: Date.now() % 1_000_000, say: () => {} });
    const lines = describeReport(scenario, report, (performance.now() - startedAt) / 1000);
    process.stdout.write(`${lines[0]}\n`);
    expect(report.wrong).toEqual([]);
  });
});
