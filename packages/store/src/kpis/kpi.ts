import type { KpiDefinition } from '@touchstone/kpis';
import type { Measure } from './measure.ts';

/** A KPI as declared, with the measures that its inputs come from. */
export interface StoredKpi extends KpiDefinition {
  readonly measures: Readonly<Record<string, Measure>>;
}

/** Declares a KPI: `combine` knows the names of its measures. */
export function declareKpi<Input extends string>(
  kpi: KpiDefinition<NoInfer<Input>> & { readonly measures: Readonly<Record<Input, Measure>> },
): StoredKpi {
  return kpi;
}
