import { pointsForScore } from '../score.ts';
import { pointsOf } from '../view.ts';
import type { CompiledThreshold } from './compile-alert-rules.ts';
import { factOf } from './conditions.ts';
import { reaches } from './metrics.ts';
import type { Reading } from './reading.ts';

/** A threshold that an account has not reached. */
export interface NearThreshold {
  readonly ruleId: string;
  readonly metric: string;
  readonly value: number;
  /** What it has to reach. */
  readonly threshold: number;
  /** Threshold less value. */
  readonly missing: number;
  /** Points missing, where points decide: a score is theirs. Null for other metrics, and where no number of points is enough. */
  readonly missingPoints: number | null;
}

/** Those of the thresholds that the account is below, the one of which the smallest share is missing first. */
export function nearestOf(
  reading: Reading,
  thresholds: readonly CompiledThreshold[],
  isIn: (threshold: CompiledThreshold) => boolean,
): NearThreshold[] {
  const fact = factOf(reading);
  const near: NearThreshold[] = [];
  for (const threshold of thresholds) {
    const { id, level, metric } = threshold;
    if (!level.isFor(fact) || isIn(threshold)) continue;
    const { enter } = level.levelOf(fact);
    const value = reading.value(metric);
    if (reaches(value, enter)) continue;
    near.push({
      ruleId: id,
      metric: metric.name,
      value,
      threshold: enter,
      missing: enter - value,
      missingPoints: missingPoints(reading, metric.name, enter),
    });
  }
  const shareOf = ({ missing, threshold }: NearThreshold): number => missing / Math.max(Math.abs(threshold), Number.MIN_VALUE);
  return near.sort((one, other) => shareOf(one) - shareOf(other) || (one.ruleId < other.ruleId ? -1 : 1));
}

function missingPoints({ account, at, ledgers }: Reading, metric: string, enter: number): number | null {
  if (metric !== 'points' && metric !== 'score') return null;
  const wanted = metric === 'points' ? enter : pointsForScore(enter, ledgers.model.halfScorePoints);
  return wanted === Infinity ? null : wanted - pointsOf(ledgers, account, at);
}
