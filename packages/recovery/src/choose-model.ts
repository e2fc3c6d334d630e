import { defaultModel, type ScoringModel } from '@touchstone/engine';

/**
 * The model that is in force in every partition: the last that all have got. A model reaches the partitions one by one; until the last has
 * it, and the ledgers are rescored, the one before serves.
 * @param published the models each partition has got, oldest first
 */
export function modelInForce(published: readonly (readonly ScoringModel[])[]): ScoringModel {
  let inForce = defaultModel;
  const fewest = Math.min(...published.map((models) => models.length));
  for (let i = 0; i < fewest; i++) {
    const model = published[0]![i]!;
    if (published.some((models) => models[i]!.version !== model.version)) break;
    inForce = model;
  }
  return inForce;
}
