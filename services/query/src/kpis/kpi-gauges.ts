import type { KpiAnswer } from '@touchstone/kpis';
import type { Metrics } from '@touchstone/runtime';
import { KPIS, type StoredKpi } from '@touchstone/store';
import type { QueryApp } from '../query-options.ts';

/** Scrapes cost the store nothing: dashboards that poll see KPIs at most so late. */
const REFRESH_MS = 60_000;
/** The first look waits until a start, with its restore, is over. */
const FIRST_MS = 5_000;
/** So often is looked whether the store is free again. */
const HELD_UP_MS = 500;

interface GaugeOptions {
  readonly app: QueryApp;
  readonly metrics: Metrics;
  /** A KPI of the current month so far. */
  readonly ask: (kpi: StoredKpi) => Promise<KpiAnswer>;
  /** Whether the store has more urgent things to do: chDB answers one statement at a time, and some of these take seconds. */
  readonly isHeldUp: () => boolean;
}

/** Every KPI of the current month as a gauge, from when the port is open until it is closed. What can not be told is NaN. */
export function keepKpiGauges({ app, ask, isHeldUp, metrics }: GaugeOptions): void {
  let timer: NodeJS.Timeout | null = null;
  let isClosed = false;
  /** What each was told in last. */
  const currencies = new Map<string, string>();

  async function refresh(): Promise<void> {
    for (const kpi of KPIS) {
      while (isHeldUp() && !isClosed) await new Promise((resolve) => setTimeout(resolve, HELD_UP_MS).unref());
      if (isClosed) return;
      const answer = await ask(kpi);
      const currency = kpi.unit.startsWith('currency') ? (answer.currency ?? '') : '';
      const before = currencies.get(kpi.name) ?? currency;
      // Amounts in two currencies are two figures: the one that is told no more must not stand for this one.
      if (before !== currency) metrics.set('kpi', { name: kpi.name, currency: before }, NaN);
      currencies.set(kpi.name, currency);
      metrics.set('kpi', { name: kpi.name, currency }, answer.value ?? NaN);
    }
  }

  function plan(ms: number): void {
    timer = setTimeout(() => {
      refresh()
        // The store counts its failures; the gauges keep their last values and are tried again.
        .catch((err: unknown) => app.log.warn({ err }, 'the gauges of KPIs could not be refreshed'))
        .finally(() => {
          if (!isClosed) plan(REFRESH_MS);
        });
    }, ms).unref();
  }

  app.addHook('onListen', async () => plan(FIRST_MS));
  app.addHook('onClose', async () => {
    isClosed = true;
    if (timer !== null) clearTimeout(timer);
  });
}
