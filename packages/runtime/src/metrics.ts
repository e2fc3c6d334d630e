import { collectDefaultMetrics, Registry, type Metric } from 'prom-client';
import { amountSamples, Cells, Distribution, type Amount, type Sample } from './metric-cells.ts';
import { METRICS, type CounterName, type GaugeName, type HistogramName, type LabelsOf, type MetricSpec } from './metric-list.ts';

const PREFIX = 'touchstone_';

/** The only way to emit a metric: names, kinds and labels are those of the list, and no label grows beyond its bound. */
export interface Metrics {
  /** Adds to a counter, 1 when not said otherwise. */
  count<Name extends CounterName>(name: Name, labels: LabelsOf<Name>, amount?: number): void;
  set<Name extends GaugeName>(name: Name, labels: LabelsOf<Name>, value: number): void;
  /** Forgets all values of a gauge, and with them which labels it had: what is set after it is all there is. */
  clear(name: GaugeName): void;
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

function amountsOf(spec: MetricSpec): Cells<Amount> {
  return new Cells<Amount>(spec, () => ({ value: 0 }));
}

export function createMetrics({ ofProcess = true }: MetricsOptions = {}): Metrics {
  const registry = new Registry();
  const amounts = new Map<string, Cells<Amount>>();
  const histograms = new Map<string, Cells<Distribution>>();
  const refreshes: (() => void)[] = [];

  /** Prom-client asks a metric for no more than this. */
  function expose(name: string, { help, kind: type }: MetricSpec, values: () => Sample[]): void {
    const get = async (): Promise<object> => ({ name, help, type, values: values(), aggregator: 'sum' });
    registry.registerMetric({ name, help, type, get } as unknown as Metric);
  }

  for (const [shortName, spec] of Object.entries<MetricSpec>(METRICS)) {
    const name = PREFIX + shortName;
    if (spec.kind === 'histogram') {
      const cells = new Cells(spec, () => new Distribution(spec.buckets ?? []));
      histograms.set(shortName, cells);
      expose(name, spec, () => cells.all.flatMap(({ cell, labels }) => cell.samples(name, labels)));
    } else {
      amounts.set(shortName, amountsOf(spec));
      expose(name, spec, () => amountSamples(amounts.get(shortName)!));
    }
  }
  if (ofProcess) collectDefaultMetrics({ register: registry });

  return {
    count: (name, labels, amount = 1) => void (amounts.get(name)!.at(labels).value += amount),
    set: (name, labels, value) => void (amounts.get(name)!.at(labels).value = value),
    clear: (name) => void amounts.set(name, amountsOf(METRICS[name])),
    observe: (name, labels, value) => histograms.get(name)!.at(labels).observe(value),
    beforeScrape: (refresh) => void refreshes.push(refresh),
    contentType: registry.contentType,
    async text() {
      for (const refresh of refreshes) refresh();
      return registry.metrics();
    },
  };
}
