import { clickRate, creativeDaysKept, type ShownCreative } from '@touchstone/engine';
import { currentInstant } from './current-instant.ts';
import { CreativeReports } from './creative-reports.ts';
import type { QueryOptions } from './query-options.ts';

/** So many creatives have gauges: as many as the labels allow. */
const CREATIVES_MAX = 50;
const DAYS = 7;
/** A campaign that had an impression in so many days runs. */
const RUNNING_DAYS = 2;
/** The answer to a scrape is made after the one before, at most this often. */
const PAUSE_MS = 10_000;

/** Gauges of the creatives that are shown most. Nobody waits for them: a scrape gives what was found after the one before it. */
export function registerCreativeGauges(options: Pick<QueryOptions, 'clock' | 'ledgers' | 'metrics' | 'readiness'>): void {
  const { clock, ledgers, metrics, readiness } = options;
  const reports = new CreativeReports(ledgers);
  let isBusy = false;
  let madeAt = 0;

  async function refresh(): Promise<void> {
    const asOf = currentInstant(options);
    const kept = creativeDaysKept(ledgers, asOf);
    if (kept === null) return;
    const to = kept.to - 1;
    const { shown } = await reports.mostShown({
      from: Math.max(kept.from, to - DAYS + 1),
      to,
      runningFrom: to - RUNNING_DAYS + 1,
      creativesMax: CREATIVES_MAX,
      asOf,
    });
    show(shown);
  }

  function show(shown: readonly ShownCreative[]): void {
    metrics.clear('creative_impressions');
    metrics.clear('creative_clicks');
    metrics.clear('creative_click_rate');
    metrics.clear('creative_click_rate_low');
    metrics.clear('creative_click_rate_high');
    metrics.clear('creative_accounts_reached');
    for (const one of shown) {
      const labels = { campaign: one.campaignId ?? '', creative: one.creativeId ?? '' };
      const { high, low, value } = clickRate(one);
      metrics.set('creative_impressions', labels, one.impressions);
      metrics.set('creative_clicks', labels, one.clicks);
      metrics.set('creative_accounts_reached', labels, one.accountsReached);
      if (value !== null) metrics.set('creative_click_rate', labels, value);
      if (low !== null) metrics.set('creative_click_rate_low', labels, low);
      if (high !== null) metrics.set('creative_click_rate_high', labels, high);
    }
  }

  metrics.beforeScrape(() => {
    if (isBusy || !readiness().ready || clock() - madeAt < PAUSE_MS) return;
    isBusy = true;
    void refresh().finally(() => {
      isBusy = false;
      madeAt = clock();
    });
  });
}
