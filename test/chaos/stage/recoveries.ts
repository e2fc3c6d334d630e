import { decodeAccountScore, isPoison } from '@touchstone/codec';
import type { Message } from './kafka-client.ts';

/** A score that says more of its partition than any before it. */
interface Step {
  readonly version: number;
  readonly publishedAt: number;
}

/** Touches that come within this of a fault may have to wait for the system to recover from it. */
const HIT_MS = 5000;

/**
 * For each fault (epoch ms) how long a touch that came right after it waited for its score to be published, at most, milliseconds: what a reader
 * of scores notices of it. Read off the times at which the log took touches and scores.
 */
export function recoveriesMs(faults: readonly number[], touches: readonly Message[], scores: readonly Message[]): number[] {
  const steps = stepsOf(scores);
  const next = new Map<number, number>();
  const waits: { readonly appendedAt: number; readonly waitedMs: number }[] = [];
  for (const { appendedAt, offset, partition } of touches) {
    const published = steps.get(partition) ?? [];
    let at = next.get(partition) ?? 0;
    while (at < published.length && published[at]!.version < offset) at++;
    next.set(partition, at);
    // What stands last on the log may be a repeat, which no score follows.
    if (at < published.length) waits.push({ appendedAt, waitedMs: published[at]!.publishedAt - appendedAt });
  }
  return faults.map((fault) => {
    let longest = 0;
    for (const { appendedAt, waitedMs } of waits) {
      if (appendedAt >= fault && appendedAt <= fault + HIT_MS) longest = Math.max(longest, waitedMs);
    }
    return longest;
  });
}

/** By partition, the scores that each say more of it than all before. */
function stepsOf(scores: readonly Message[]): Map<number, Step[]> {
  const steps = new Map<number, Step[]>();
  for (const { appendedAt, partition, value } of scores) {
    const score = value === null ? null : decodeAccountScore(value, 0, value.length);
    if (score === null || isPoison(score)) continue;
    const known = steps.get(partition) ?? [];
    steps.set(partition, known);
    if (score.version > (known.at(-1)?.version ?? -1)) known.push({ version: score.version, publishedAt: appendedAt });
  }
  return steps;
}
