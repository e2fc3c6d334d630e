import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { METRICS, type MetricSpec } from './metric-list.ts';
import { createMetrics } from './metrics.ts';

const specs = Object.entries<MetricSpec>(METRICS);

describe('the list of metrics', () => {
  it('is the table of METRICS.md, row by row', () => {
    const table = readFileSync(new URL('../METRICS.md', import.meta.url), 'utf8')
      .split('\n')
      .filter((line) => line.startsWith('| `touchstone_'));
    const expected = specs.map(([name, spec]) => {
      const labels = Object.entries(spec.labels).map(([label, max]) => `${label} (${max})`);
      return `| \`touchstone_${name}\` | ${spec.kind} | ${labels.join(', ')} | ${spec.help} |`;
    });
    expect(table).toEqual(expected);
  });

  it.each(specs)('%s has the name its kind asks for', (name, spec) => {
    expect(name).toMatch(/^[a-z]+(_[a-z]+)*$/);
    expect(name.endsWith('_total')).toBe(spec.kind === 'counter');
    if (spec.kind === 'histogram') expect(name).toMatch(/_(seconds|bytes)$/);
    expect(spec.buckets === undefined).toBe(spec.kind !== 'histogram');
    expect(Object.keys(spec.labels).filter((label) => /account|contact|email|url/i.test(label))).toEqual([]);
  });
});

describe('createMetrics', () => {
  it('exposes what was counted, set and measured, in base units', async () => {
    const metrics = createMetrics({ ofProcess: false });
    metrics.count('ingest_items_total', { endpoint: 'touches', outcome: 'accepted' }, 500);
    metrics.count('ingest_items_total', { endpoint: 'touches', outcome: 'accepted' });
    metrics.set('log_lag_records', { partition: '3' }, 7);
    metrics.observe('ingest_seconds', { endpoint: 'touches' }, 0.004);
    const text = await metrics.text();
    expect(text).toContain('touchstone_ingest_items_total{endpoint="touches",outcome="accepted"} 501');
    expect(text).toContain('touchstone_log_lag_records{partition="3"} 7');
    expect(text).toContain('touchstone_ingest_seconds_bucket{le="0.005",endpoint="touches"} 1');
    expect(text).toContain('touchstone_ingest_seconds_bucket{le="0.0025",endpoint="touches"} 0');
  });

  it('names the first 50 unknown kinds and counts the rest together', async () => {
    const metrics = createMetrics({ ofProcess: false });
    for (let kind = 0; kind < 60; kind++) metrics.count('touches_unknown_kind_total', { kind: `kind_${kind}` });
    metrics.count('touches_unknown_kind_total', { kind: 'kind_0' });
    const lines = (await metrics.text()).split('\n').filter((line) => line.startsWith('touchstone_touches_unknown_kind_total{'));
    expect(lines).toHaveLength(51);
    expect(lines).toContain('touchstone_touches_unknown_kind_total{kind="other"} 10');
    expect(lines).toContain('touchstone_touches_unknown_kind_total{kind="kind_0"} 2');
  });

  it('reads gauges of the moment when it is scraped', async () => {
    const metrics = createMetrics({ ofProcess: false });
    let ledgers = 1;
    metrics.beforeScrape(() => metrics.set('ledgers', {}, ledgers));
    ledgers = 42;
    expect(await metrics.text()).toContain('touchstone_ledgers 42');
  });

  it('forgets what a gauge said, and gives its labels to others', async () => {
    const metrics = createMetrics({ ofProcess: false });
    for (let day = 0; day < 2; day++) {
      metrics.clear('creative_clicks');
      for (let i = 0; i < 50; i++) metrics.set('creative_clicks', { campaign: 'spring', creative: `${day}-${i}` }, i);
    }
    const lines = (await metrics.text()).split('\n').filter((line) => line.startsWith('touchstone_creative_clicks{'));
    expect(lines).toHaveLength(50);
    expect(lines).toContain('touchstone_creative_clicks{campaign="spring",creative="1-49"} 49');
  });

  it('adds the metrics of the process', async () => {
    expect(await createMetrics().text()).toContain('process_cpu_user_seconds_total');
  });
});
