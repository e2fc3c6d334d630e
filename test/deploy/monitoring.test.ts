import { createMetrics, METRICS } from '@touchstone/runtime';
import { describe, expect, it } from 'vitest';
import { readText } from './compose-file.ts';
import { alertExpressions, dashboardExpressions, readAlerts, readDashboards, type Expression } from './read-expressions.ts';

const specs: Readonly<Record<string, { kind: string; labels: Readonly<Record<string, number>>; buckets?: readonly number[] }>> = METRICS;
const expressions = [...dashboardExpressions(), ...alertExpressions()];
const OF_EVERY_SERIES = new Set(['job', 'instance']);
/** As ClickHouse's documents have them. */
const OF_CLICKHOUSE = new Set(['ClickHouseAsyncMetrics_DiskAvailable_default', 'ClickHouseAsyncMetrics_DiskTotal_default']);

/** The name in the list of metrics that a series belongs to; null for none. */
function metricOf(series: string): string | null {
  const name = series.replace(/^touchstone_/, '');
  if (name in specs) return specs[name]!.kind === 'histogram' ? null : name;
  const base = name.replace(/_(bucket|sum|count)$/, '');
  return base !== name && specs[base]?.kind === 'histogram' ? base : null;
}

const seriesIn = ({ text }: Expression): readonly string[] =>
  text.replaceAll(/"[^"]*"/g, '""').match(/\b(?:touchstone|process|nodejs|ClickHouse)\w*/g) ?? [];

describe('every query', () => {
  it('asks for metrics that exist', async () => {
    const ofRuntime = await createMetrics().text();
    const unknown = expressions.flatMap((expression) =>
      seriesIn(expression)
        .filter((series) => {
          if (series.startsWith('touchstone_')) return metricOf(series) === null;
          if (series.startsWith('ClickHouse')) return !OF_CLICKHOUSE.has(series);
          return !new RegExp(`^# TYPE ${series.replace(/_(bucket|sum|count)$/, '(_bucket|_sum|_count)?')} `, 'm').test(ofRuntime);
        })
        .map((series) => `${expression.where}: ${series}`),
    );
    expect(unknown).toEqual([]);
  });

  it('selects by labels that the metric has, and by buckets that it has', () => {
    const wrong: string[] = [];
    for (const { where, text } of expressions) {
      for (const [, series, matchers] of text.matchAll(/\b(touchstone_\w+)\{([^}]*)\}/g)) {
        const { labels, buckets = [] } = specs[metricOf(series!) ?? ''] ?? { labels: {} };
        for (const [, label, value] of matchers!.matchAll(/(\w+)\s*(?:=~|!~|!=|=)\s*"([^"]*)"/g)) {
          if (label === 'le' && series!.endsWith('_bucket') && buckets.includes(Number(value))) continue;
          if (!OF_EVERY_SERIES.has(label!) && !Object.hasOwn(labels, label!)) wrong.push(`${where}: ${series} has no ${label}="${value}"`);
        }
      }
      // What is grouped by must come from the one metric within, or the sum has nothing to tell apart.
      const known = new Set(seriesIn({ where, text }).flatMap((series) => Object.keys(specs[metricOf(series) ?? '']?.labels ?? {})));
      for (const [, list] of text.matchAll(/\b(?:by|on) \(([^)]*)\)/g)) {
        for (const label of list!.split(/,\s*/)) {
          if (label !== 'le' && !OF_EVERY_SERIES.has(label) && !known.has(label)) wrong.push(`${where}: by ${label}`);
        }
      }
    }
    expect(wrong).toEqual([]);
  });

  it('takes rates of counters, and values of gauges', () => {
    const wrong: string[] = [];
    for (const { where, text } of expressions) {
      for (const series of seriesIn({ where, text })) {
        const metric = metricOf(series);
        if (metric === null) continue;
        const counts = specs[metric]!.kind !== 'gauge';
        const isRated = new RegExp(`\\b(rate|increase)\\(${series}\\b`).test(text);
        if (counts !== isRated) wrong.push(`${where}: ${series}`);
      }
    }
    expect(wrong).toEqual([]);
  });
});

describe.each(readDashboards())('dashboard $title', ({ uid, panels, templating, links }) => {
  it('has a data source to choose, and every panel uses it', () => {
    expect(templating.list[0]).toMatchObject({ name: 'datasource', type: 'datasource', query: 'prometheus' });
    for (const { type, title, datasource, targets = [] } of panels) {
      if (type === 'row') continue;
      expect(datasource?.uid, title).toBe('${datasource}');
      for (const target of targets) expect(target.datasource.uid, title).toBe('${datasource}');
    }
  });

  it('has panels with ids and queries of their own, each with a word on what it shows', () => {
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    for (const { type, title, description, targets = [] } of panels) {
      if (type === 'row') continue;
      expect(description, title).toMatch(/.\.$/);
      expect(targets.length, title).toBeGreaterThan(0);
      expect(new Set(targets.map(({ refId }) => refId)).size, title).toBe(targets.length);
    }
  });

  it('has no panel on top of another or beyond the 24 columns', () => {
    const taken = new Map<string, string>();
    for (const { title, gridPos } of panels) {
      expect(gridPos.x + gridPos.w, title).toBeLessThanOrEqual(24);
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++) {
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
          expect(taken.get(`${x} ${y}`), `${title} at ${x} ${y}`).toBeUndefined();
          taken.set(`${x} ${y}`, title);
        }
      }
    }
  });

  it('leads to dashboards that are there', () => {
    const uids = readDashboards().map((dashboard) => dashboard.uid);
    expect(uids.filter((other) => other === uid)).toHaveLength(1);
    for (const { url } of links) expect(uids).toContain(url.replace('/d/', ''));
  });
});

describe.each(readAlerts())('alert $alert', ({ alert, labels, annotations }) => {
  it('says how bad it is, what is wrong and what to do', () => {
    expect(labels?.['severity']).toMatch(/^(page|ticket)$/);
    expect(annotations?.['summary']).toMatch(/\w/);
    expect(annotations?.['runbook']?.length).toBeGreaterThan(150);
  });

  it('has an example of when it fires', () => {
    expect(['touchstone', 'alerts'].map((name) => readText(`deploy/prometheus/tests/${name}.yml`)).join('\n')).toContain(alert);
  });
});
