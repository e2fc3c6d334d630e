/**
 * Parts are computed one by one, the whole by the engine in another order, so in the last digits they differ. Here the difference goes into the parts:
 * added from left to right, as whoever checks them will, they give the whole to the last bit.
 */
const TRIES_MAX = 64;
/** A part takes no more of the difference than this share of itself: it stays right to its ninth digit. */
const SHARE_MAX = 1e-9;

export function sumOf(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]!;
  return sum;
}

/**
 * Changes the values in their last digits, the largest first, until their sum from left to right is `whole`.
 * @returns what no value could take, to be added after them from left to right; empty but where values cancel each other out, so that their sum is far
 *   smaller than any of them and they have no digits as fine as its own
 */
export function fitToSum(values: Float64Array, whole: number): number[] {
  const order = [...values.keys()].sort((a, b) => Math.abs(values[b]!) - Math.abs(values[a]!)).slice(0, TRIES_MAX);
  for (const at of order) {
    const missing = whole - sumOf(values);
    if (missing === 0) return [];
    const before = values[at]!;
    if (Math.abs(missing) > Math.abs(before) * SHARE_MAX) break;
    values[at] = nearestTo(values, at, before + missing, whole);
  }
  const left: number[] = [];
  for (let sum = sumOf(values); sum !== whole && left.length < TRIES_MAX;) {
    const missing = whole - sum;
    left.push(missing);
    sum += missing;
  }
  return left;
}

/** Of the value and its neighbours the one with which the sum is the whole, or as near as it gets: halves are rounded to even digits on the way. */
function nearestTo(values: Float64Array, at: number, value: number, whole: number): number {
  const step = lastDigitOf(value);
  let best = value;
  let bestMissing = Infinity;
  for (const steps of [0, 1, -1, 2, -2]) {
    values[at] = value + steps * step;
    const missing = Math.abs(whole - sumOf(values));
    if (missing >= bestMissing) continue;
    best = values[at]!;
    bestMissing = missing;
    if (missing === 0) break;
  }
  return best;
}

const double = new Float64Array(1);
const words = new Uint32Array(double.buffer);

/** What one step in the last binary digit of a number is. */
function lastDigitOf(value: number): number {
  double[0] = value;
  const exponent = ((words[1]! >>> 20) & 0x7ff) - 1023;
  return 2 ** Math.max(exponent - 52, -1074);
}
