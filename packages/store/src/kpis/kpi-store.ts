import type { Measured } from '@touchstone/kpis';
import type { StoredKpi } from './kpi.ts';
import type { ScopeOptions } from './measure.ts';

export interface KpiQuery extends ScopeOptions {
  readonly kpi: StoredKpi;
}

/** What somebody wants a KPI to be. */
export interface KpiTarget {
  /** Of the KPI. */
  readonly name: string;
  /** Null where it was taken back. */
  readonly value: number | null;
  /** Epoch ms. */
  readonly setAt: number;
  /** Name of the key that set it. */
  readonly setBy: string;
}

export interface KpiStore {
  /** What the inputs of a KPI come to in each of the spans. */
  measureKpi(query: KpiQuery): Promise<Measured>;
  /** The latest of each KPI, those taken back among them. */
  kpiTargets(): Promise<readonly KpiTarget[]>;
  saveKpiTarget(target: KpiTarget): Promise<void>;
}
