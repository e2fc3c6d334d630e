import { leadVelocity, monthPace, whyUnqualified, type KpiSettings } from '@touchstone/kpis';
import type { Clock, Metrics } from '@touchstone/runtime';
import type { QueryOptions } from '../query-options.ts';
import type { QueryStore } from '../query-store.ts';

/** So often the store is asked, however often somebody scrapes. */
const FRESH_MS = 60_000;

export interface GaugeOptions {
  readonly store: Pick<QueryStore, 'qualifiedLeads' | 'stageFigures'>;
  readonly metrics: Metrics;
  readonly clock: Clock;
  readonly kpiSettings: Pick<KpiSettings, 'qualifiedBy' | 'qualifiedStatuses'>;
  readonly modelStatus: QueryOptions['modelStatus'];
  readonly isReady: () => boolean;
}

/**
 * Lead velocity and balances of the CRM's stages for whoever polls. A scrape gets what is known, and asks for it anew when that is older than a minute: what nobody scrapes is
 * not computed. A figure that there is none of is NaN. (Accounts by stage are the aggregator's to tell, from memory.)
 */
export function keepRevenueGauges({ clock, isReady, kpiSettings, metrics, modelStatus, store }: GaugeOptions): void {
  let askedAt = -Infinity;
  let told = new Set<string>();

  async function refresh(now: number): Promise<void> {
    const { elapsed, lastMonth, lastMonthToPoint, toDate } = monthPace(now, 'UTC');
    const { qualifiedBy, qualifiedStatuses } = kpiSettings;
    const rows = await store.qualifiedLeads({
      spans: [toDate, lastMonth, lastMonthToPoint],
      qualifiedBy,
      qualifiedStatuses,
      by: null,
      filters: {},
    });
    const inSpan = (span: number): number => rows.reduce((sum, row) => (row.span === span ? sum + row.count : sum), 0);
    const velocity = leadVelocity({ thisMonth: inSpan(0), lastMonth: inSpan(1), lastMonthToPoint: inSpan(2), elapsed });
    const isKnown = whyUnqualified(qualifiedBy, { hasQualification: modelStatus().model.qualification !== undefined }) === null;
    for (const figure of ['value', 'paced', 'projected'] as const) {
      metrics.set('lead_velocity_percent', { figure }, (isKnown ? velocity[figure] : null) ?? Number.NaN);
    }
    const figures = await store.stageFigures({ journey: 'opportunities', since: now, until: now + 1, stalledSince: 0 });
    const stages = new Set(figures.map(({ stage }) => stage));
    for (const stage of told.difference(stages)) metrics.set('opportunities_by_stage', { stage }, 0);
    for (const { balance, stage } of figures) metrics.set('opportunities_by_stage', { stage }, balance);
    told = stages;
  }

  metrics.beforeScrape(() => {
    const now = clock();
    if (!isReady() || now - askedAt < FRESH_MS) return;
    askedAt = now;
    // Why the store does not answer is counted where it is asked; the figures stay as they were.
    refresh(now).catch(() => undefined);
  });
}
