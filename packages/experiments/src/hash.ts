/** How finely accounts are told apart: shares are whole ten-thousandths. */
export const BUCKETS = 10_000;

/**
 * FNV-1a, 32 bits (Fowler, Noll, Vo). Of UTF-16 code units, as GrowthBook's SDK for JavaScript has it: others take UTF-8 bytes, which is the
 * same for ASCII alone.
 */
export function fnv1a32(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return hash >>> 0;
}

/**
 * The bucket of a value under a seed, 0 to 9,999: GrowthBook's hash of version 2, times 10,000. Hashing the decimal digits of the first hash takes
 * out what FNV-1a keeps of values that differ in their last characters alone, as numbered accounts do.
 */
export function bucketOf(seed: string, value: string): number {
  return fnv1a32(String(fnv1a32(seed + value))) % BUCKETS;
}
