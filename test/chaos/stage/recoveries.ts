import { decodeAccountScore, isPoison } from '@touchstone/codec';
import type { Message } from './kafka-client.ts';

/** A score that says more of its partition than any before it. */
interface Step {
  readonly version: number;
  readonly publishedAt: number;
}

/**
 * How long it took after each fault (epoch ms) until everything that stood on the log then was scored and published, milliseconds: what a
 * reader of scores notices of it. Read off the times at which the log took touches and scores.
 */
export function recoveriesMs(faults: readonly number[], touches: readonly Message[], scores: readonly Message[]): number[] {
  const steps = new Map<number, Step[]>();
  for (const { appendedAt, partition, value } of scores) {
    const score = value === null ? null : decodeAccountScore(value, 0, value.length);
    if (score === null || isPoison(score)) continue;
    const known = steps.get(partition) ?? [];
    steps.set(partition, known);
    if (score.version > (known.at(-1)?.version ?? -1)) known.push({ version: score.version, publishedAt: appendedAt });
  }
  const offsets = new Map<number, Message[]>();
  for (const touch of touches) {
    const known = offsets.get(touch.partition);
    if (known === undefined) offsets.set(touch.partition, [touch]);
    else known.push(touch);
  }
  return faults.map((fault) => {
    let recoveredAt = fault;
    for (const [partition, appended] of offsets) {
      const last = appended[firstIndex(appended.length, (at) => appended[at]!.appendedAt > fault) - 1];
      if (last === undefined) continue;
      const published = steps.get(partition) ?? [];
      // What stands last on the log may be a repeat, which no score follows: then there is nothing to wait for.
      const step = published[firstIndex(published.length, (at) => published[at]!.version >= last.offset)];
      if (step !== undefined) recoveredAt = Math.max(recoveredAt, step.publishedAt);
    }
    return recoveredAt - fault;
  });
}

/** The first index from 0 to `length` from which on it holds. */
function firstIndex(length: number, holds: (index: number) => boolean): number {
  let [low, high] = [0, length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (holds(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}
