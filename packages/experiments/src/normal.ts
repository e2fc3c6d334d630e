const STEPS = 60;

/** Probability that a standard normal variable is below x (series of Marsaglia, Evaluating the normal distribution, Journal of Statistical Software 11(4), 2004). */
export function normalProbability(x: number): number {
  if (Math.abs(x) > 8) return x > 0 ? 1 : 0;
  let term = x;
  let sum = x;
  for (let odd = 3; sum + term !== sum; odd += 2) {
    term *= (x * x) / odd;
    sum += term;
  }
  return 0.5 + (sum * Math.exp((-x * x) / 2)) / Math.sqrt(2 * Math.PI);
}

/** Below which a standard normal variable is with a probability between 0 and 1, by halving. */
export function normalQuantile(probability: number): number {
  let [low, high] = [-8, 8];
  for (let step = 0; step < STEPS; step++) {
    const middle = (low + high) / 2;
    if (normalProbability(middle) < probability) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}
