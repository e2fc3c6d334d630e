import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import {
  METRICS,
  type CounterName,
  type GaugeName,
  type HistogramName,
  type LabelsOf,
  type MetricName,
  type MetricSpec,
} from './metric-list.ts';

const PREFIX = 'touchstone_';
const REST = 'other';

/** The only way to emit a metric: names, kinds and labels are those of the list, and no label grows beyond its bound. */
export interface Metrics {
  /** Adds to a counter, 1 when not said otherwise. */
  count<Name extends CounterName>(name: Name, labels: LabelsOf<Name>, amount?: number): void;
  set<Name extends GaugeName>(name: Name, labels: LabelsOf<Name>, value: number): void;
  /** Adds one measurement to a histogram. */
  observe<Name extends HistogramName>(name: Name, labels: LabelsOf<Name>, value: number): void;
  /** Calls `refresh` before each scrape, for gauges that are cheaper to read then than to keep up to date. */
  beforeScrape(refresh: () => void): void;
  readonly contentType: string;
  /** All metrics in Prometheus' text format. */
  text(): Promise<string>;
}

export interface MetricsOptions {
  /** Adds the `process_` and `nodejs_` metrics that every Node dashboard expects, under their usual names. */
  readonly ofProcess?: boolean;
}

export function createMetrics({ ofProcess = true }: MetricsOptions = {}): Metrics {
  const registry = new Registry();
  const counters = new Map<string, Counter>();
  const gauges = new Map<string, Gauge>();
  const histograms = new Map<string, Histogram>();
  const refreshes: (() => void)[] = [];
  const bound = createLabelBound();

  for (const [name, spec] of Object.entries<MetricSpec>(METRICS)) {
    const options = { name: PREFIX + name, help: spec.help, labelNames: Object.keys(spec.labels), registers: [registry] };
    if (spec.kind === 'counter') counters.set(name, new Counter(options));
    else if (spec.kind === 'gauge') gauges.set(name, new Gauge(options));
    else histograms.set(name, new Histogram({ ...options, buckets: [...(spec.buckets ?? [])] }));
  }
  if (ofProcess) collectDefaultMetrics({ register: registry });

  return {
    count: (name, labels, amount = 1) => counters.get(name)!.inc(bound(name, labels), amount),
    set: (name, labels, value) => gauges.get(name)!.set(bound(name, labels), value),
    observe: (name, labels, value) => histograms.get(name)!.observe(bound(name, labels), value),
    beforeScrape: (refresh) => void refreshes.push(refresh),
    contentType: registry.contentType,
    async text() {
      for (const refresh of refreshes) refresh();
      return registry.metrics();
    },
  };
}

/** The first values of a label keep their names, as many as the list allows; whatever comes later is counted as `other`. */
function createLabelBound(): (name: MetricName, labels: Readonly<Record<string, string>>) => Record<string, string> {
  const seen = new Map<string, Set<string>>();
  return (name, labels) => {
    const bounded: Record<string, string> = {};
    for (const [label, max] of Object.entries<number>(METRICS[name].labels)) {
      const slot = `${name} ${label}`;
      let values = seen.get(slot);
      if (values === undefined) seen.set(slot, (values = new Set()));
      const value = labels[label] ?? '';
      if (!values.has(value) && values.size < max) values.add(value);
      bounded[label] = values.has(value) ? value : REST;
    }
    return bounded;
  };
}
