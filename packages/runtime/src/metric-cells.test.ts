import fc from 'fast-check';
import { Counter, Histogram, Registry } from 'prom-client';
import { expect, it } from 'vitest';
import { METRICS } from './metric-list.ts';
import { createMetrics } from './metrics.ts';

const endpoint = fc.constantFrom('touches', 'accounts', 'with "quotes"', '');
const outcome = fc.constantFrom('accepted', 'rejected');
const seconds = fc.oneof(fc.constantFrom(...METRICS.ingest_seconds.buckets), fc.double({ min: 0, max: 60, noNaN: true }));
const steps = fc.array(fc.record({ endpoint, outcome, amount: fc.nat(), seconds }), { maxLength: 50 });

it('tells what prom-client’s own metrics tell', async () => {
  const property = fc.asyncProperty(steps, async (taken) => {
    const registry = new Registry();
    const registers = [registry];
    const { ingest_items_total: items, ingest_seconds: times } = METRICS;
    const counter = new Counter({
      name: 'touchstone_ingest_items_total',
      help: items.help,
      labelNames: ['endpoint', 'outcome'],
      registers,
    });
    const buckets = [...times.buckets];
    const histogram = new Histogram({ name: 'touchstone_ingest_seconds', help: times.help, labelNames: ['endpoint'], buckets, registers });
    const metrics = createMetrics({ ofProcess: false });
    for (const { amount, endpoint, outcome, seconds } of taken) {
      counter.inc({ endpoint, outcome }, amount);
      metrics.count('ingest_items_total', { endpoint, outcome }, amount);
      histogram.observe({ endpoint }, seconds);
      metrics.observe('ingest_seconds', { endpoint }, seconds);
    }
    const linesOf = (text: string): string[] => text.split('\n').filter((line) => /ingest_(items_total|seconds)/.test(line));
    expect(linesOf(await metrics.text())).toEqual(linesOf(await registry.metrics()));
  });
  await fc.assert(property);
});
