import { clickRate, creativeDaysKept, type CreativeFigures } from '@touchstone/engine';
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
    const lately = { from: Math.max(kept.from, to - RUNNING_DAYS + 1), to, asOf, groupBy: 'campaign' as const };
    const running = new Set((await reports.make(lately)).figures.filter(({ impressions }) => impressions > 0).map((one) => one.campaignId));
    const { figures } = await reports.make({ from: Math.max(kept.from, to - DAYS + 1), to, asOf });
    show(
      figures
        .filter(({ campaignId, impressions }) => impressions > 0 && running.has(campaignId))
        .sort((one, other) => other.impressions - one.impressions)
        .slice(0, CREATIVES_MAX),
    );
  }

  function show(figures: readonly CreativeFigures[]): void {
    metrics.clear('creative_impressions');
    metrics.clear('creative_clicks');
    metrics.clear('creative_click_rate');
    metrics.clear('creative_click_rate_low');
    metrics.clear('creative_click_rate_high');
    metrics.clear('creative_accounts_reached');
    for (const one of figures) {
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
