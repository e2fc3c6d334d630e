import { accountsWithOpportunity } from './accounts-with-opportunity.ts';
import { arpa } from './arpa.ts';
import { cacPaybackMonths } from './cac-payback-months.ts';
import { cac } from './cac.ts';
import { cltv } from './cltv.ts';
import { cpl } from './cpl.ts';
import { engagementRate } from './engagement-rate.ts';
import { grossMrrChurn } from './gross-mrr-churn.ts';
import { lvr } from './lvr.ts';
import { marketingInfluence } from './marketing-influence.ts';
import type { StoredKpi } from './kpi.ts';
import { qualifiedLeadRate } from './qualified-lead-rate.ts';
import { reach } from './reach.ts';
import { revenue } from './revenue.ts';
import { romi } from './romi.ts';
import { salesVelocity } from './sales-velocity.ts';
import { winRate } from './win-rate.ts';
import { websiteTraffic } from './website-traffic.ts';

/** Every KPI there is; adding one is adding its file, and its line here. */
export const KPIS: readonly StoredKpi[] = [
  qualifiedLeadRate,
  cpl,
  websiteTraffic,
  engagementRate,
  reach,
  cac,
  romi,
  revenue,
  arpa,
  cacPaybackMonths,
  grossMrrChurn,
  cltv,
  accountsWithOpportunity,
  lvr,
  winRate,
  salesVelocity,
  marketingInfluence,
];
