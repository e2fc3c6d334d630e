import type { StoredKpi } from './kpi.ts';
import { qualifiedLeadRate } from './qualified-lead-rate.ts';

/** Every KPI there is; adding one is adding its file, and its line here. */
export const KPIS: readonly StoredKpi[] = [qualifiedLeadRate];
