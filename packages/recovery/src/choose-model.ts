import { defaultModel, type ScoringModel } from '@touchstone/engine';

/**
 * The model that is in force in every partition: the last that all have got. A model reaches the partitions one by one; until the last has
 * it, and the ledgers are rescored, the one before serves. A publication that broke off, or was sent again, leaves models that only some have
 * got, or have got twice: these count for nothing.
 * @param published the models each partition has got, oldest first
 */
export function modelInForce(published: readonly (readonly ScoringModel[])[]): ScoringModel {
  const versions = published.map((models) => new Set(models.map(({ version }) => version)));
  const common = published.map((models) =>
    models.filter(({ version }, i) => version !== models[i - 1]?.version && versions.every((got) => got.has(version))),
  );
  let inForce = defaultModel;
  const fewest = Math.min(...common.map((models) => models.length));
  for (let i = 0; i < fewest; i++) {
    const model = common[0]![i]!;
    if (common.some((models) => models[i]!.version !== model.version)) break;
    inForce = model;
  }
  return inForce;
}
