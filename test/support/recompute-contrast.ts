import { bucketsIn, type ExperimentAgain, type FiguresAgain } from './recompute-experiment.ts';

/** Two arms compared, a second time: from the list of accounts, by the formulas as their papers have them. */

export interface ContrastAgain {
  readonly value: number;
  readonly low: number;
  readonly high: number;
  readonly pValue: number;
  readonly accounts: number;
}

export interface ContrastQuestion {
  readonly creativeId: string;
  readonly against: string;
  /** Of the one interval: that of the experiment, shared among its comparisons. */
  readonly level: number;
  /** Accounts for which it is narrowest. */
  readonly tunedFor: number;
}

interface Weighed {
  readonly w: number;
  readonly x: number;
  readonly y: number;
}

/**
 * Difference of two arms over the eras in which both took in accounts. An account weighs the other arm's share of the two (overlap weights; Li, Morgan,
 * Zaslavsky 2018). The interval is the asymptotic confidence sequence of Waudby-Smith and others (2024, theorem 2.2), its clock the squared weights in
 * units of those of equal arms; the p-value is the level at which it begins to leave 0 out. Null where there is too little for a variance.
 */
export function contrastAgain(
  experiment: ExperimentAgain,
  { settled }: Pick<FiguresAgain, 'settled'>,
  { against, creativeId, level, tunedFor }: ContrastQuestion,
): ContrastAgain | null {
  const weighed = (own: string, other: string): Weighed[] =>
    settled.flatMap((account) => {
      const [has, others] = [bucketsIn(experiment, account.era, own), bucketsIn(experiment, account.era, other)];
      return account.creativeId !== own || has === 0 || others === 0 ? [] : [{ ...account, w: others / (has + others) }];
    });
  const [first, second] = [weighed(creativeId, against), weighed(against, creativeId)];
  const isShare = experiment.metric === 'clicked' || experiment.metric === 'engaged';
  const value = ratio(first) - ratio(second);
  const error = Math.sqrt(variance(first, isShare) + variance(second, isShare));
  if (!(error > 0 && error < Infinity)) return null;
  // rho² of the paper's equation (24), approximately: the sequence is narrowest at `tunedFor`.
  const spread = -2 * Math.log(level);
  const rhoSquared = (spread + Math.log(spread) + 1) / tunedFor;
  const clock = rhoSquared * [...first, ...second].reduce((sum, { w }) => sum + 4 * w * w, 0);
  const half = error * Math.sqrt(((clock + 1) / clock) * (Math.log(clock + 1) - 2 * Math.log(level)));
  const z = value / error;
  return {
    value,
    low: value - half,
    high: value + half,
    pValue: Math.min(1, Math.exp(0.5 * Math.log(1 + clock) - (z * z * clock) / (2 * (1 + clock)))),
    accounts: first.length + second.length,
  };
}

function ratio(accounts: readonly Weighed[]): number {
  const sum = (value: (one: Weighed) => number): number => accounts.reduce((total, one) => total + one.w * value(one), 0);
  return sum(({ y }) => y) / sum(({ x }) => x);
}

/**
 * Of a ratio of two sums over accounts, by linearization (Särndal, Swensson, Wretman 1992, section 5.6). A share's is at least that which one more account
 * with it and one more without would give (Agresti, Caffo 2000), among as many accounts as the weights leave (Kish 1965).
 */
function variance(accounts: readonly Weighed[], isShare: boolean): number {
  const n = accounts.length;
  if (n < 2) return Infinity;
  const value = ratio(accounts);
  const size = accounts.reduce((sum, { w, x }) => sum + w * x, 0);
  const residuals = accounts.reduce((sum, { w, x, y }) => sum + (w * (y - value * x)) ** 2, 0);
  const linearized = ((n / (n - 1)) * residuals) / size ** 2;
  if (!isShare) return linearized;
  const weights = accounts.reduce((sum, { w }) => sum + w, 0);
  const effective = weights ** 2 / accounts.reduce((sum, { w }) => sum + w * w, 0);
  const shrunk = (value * effective + 1) / (effective + 2);
  return Math.max(linearized, (shrunk * (1 - shrunk)) / effective);
}
