import { bandsOf, type ScoringModel } from '@touchstone/engine';
import type { ExperimentDefinition } from '@touchstone/experiments';

/** What an experiment asks of the scoring model and that does not have. */
export interface Misfit {
  /** Of the definition. */
  readonly path: readonly (string | number)[];
  readonly detail: string;
}

/** Names that are misspelt, or of another model: nobody would ever be told of such a threshold, or be in such a band. */
export function misfitsOf({ targeting, threshold }: Pick<ExperimentDefinition, 'targeting' | 'threshold'>, model: ScoringModel): Misfit[] {
  const idsOf = (all: readonly { readonly id: string }[]): string[] => all.map(({ id }) => id);
  const misfits: Misfit[] = [];
  const look = (what: string, path: Misfit['path'], id: string, known: readonly string[]): void => {
    if (known.includes(id)) return;
    const has = known.length === 0 ? 'it has none' : `it has ${known.join(', ')}`;
    misfits.push({ path, detail: `the scoring model ${model.version} has no ${what} ${JSON.stringify(id)}: ${has}` });
  };
  if (threshold !== undefined) look('threshold', ['threshold'], threshold, idsOf(model.thresholds));
  for (const [at, id] of (targeting.bands ?? []).entries()) look('band', ['targeting', 'bands', at], id, idsOf(bandsOf(model)));
  for (const [at, id] of (targeting.stages ?? []).entries()) look('stage', ['targeting', 'stages', at], id, idsOf(model.stages));
  if (targeting.qualified !== undefined && model.qualification === undefined) {
    misfits.push({ path: ['targeting', 'qualified'], detail: `the scoring model ${model.version} qualifies no account` });
  }
  return misfits;
}
