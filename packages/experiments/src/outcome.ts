/**
 * What is compared, each over an account's outcome window, which begins with its first exposure:
 *
 *   clicked           it clicked on an arm's creative at least once             0 or 1
 *   clickRate         its clicks, over its impressions                          clicks / impressions, of all accounts of an arm together
 *   engaged           it had a touch that is more than being shown something    0 or 1
 *   pointsGained      what its touches were worth, undecayed, without caps      points, by the model at the start and the role of then
 *   reachedThreshold  it crossed the experiment's threshold upwards             0 or 1, of accounts that were not above it when first exposed
 *
 * The experiment's own impressions are the treatment, not an answer to it: they add nothing to pointsGained.
 */
export const OUTCOMES = ['clicked', 'clickRate', 'engaged', 'pointsGained', 'reachedThreshold'] as const;

export type OutcomeName = (typeof OUTCOMES)[number];

/** Whether an account's value is 0 or 1. */
export function isShare(outcome: OutcomeName): boolean {
  return outcome === 'clicked' || outcome === 'engaged' || outcome === 'reachedThreshold';
}
