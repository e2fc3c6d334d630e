import { FLAG, type Evidence } from './evidence.ts';
import { creativeOf } from './assign.ts';
import { BUCKETS } from './hash.ts';
import { LINEUPS_MAX, type Lineup } from './lineup.ts';
import { addAccount } from './moments.ts';
import { bucketsByCreative } from './slices.ts';
import { noArm, type ArmSummary, type EvidenceSummary } from './summary.ts';

/** A decision may be acted on for so long: an impression shortly after a change may still follow the lineup before it. */
const DECISION_LAG_MS = 3_600_000;

interface Era {
  readonly lineup: Lineup;
  readonly arms: ArmSummary[];
  /** When a swap or an undo ended it, epoch ms. */
  readonly endedAt: number;
  /** By creative number. */
  readonly armOf: (ArmSummary | undefined)[];
}

/**
 * What the evidence of a partition comes to at an instant by the log's clock, `asOf` (epoch ms), not before the last touch it was given. `lineups`
 * are all there were so far, oldest first; one that becomes known late is taken into account as if it had been known. Of more than
 * `lineupsMax` the older ones are no eras: of them the last alone is asked for, which may explain what was seen shortly after it. A pass over all accounts:
 * some milliseconds for 100,000.
 */
export function summarise(evidence: Evidence, lineups: readonly Lineup[], asOf: number, lineupsMax = LINEUPS_MAX): EvidenceSummary {
  if (lineups.length === 0) throw new RangeError('an experiment without a lineup assigned nobody');
  const { bucket, clicks, creative, creatives, exposedAt, flags, holdoutBucket, impressions, points, rows, seen } = evidence;
  const oldest = Math.max(0, lineups.length - lineupsMax);
  const eras = erasOf(lineups.slice(oldest));
  const began = beganAt(lineups);
  let forgotten = 0;
  let heldOutExposed = 0;
  let uncoveredExposed = 0;
  for (let row = 0; row < rows.size; row++) {
    const saw = creatives[creative[row]!]!;
    const era = eras[eraAt(lineups, began, exposedAt[row]!, bucket[row]!, saw) - oldest];
    if (era === undefined) {
      forgotten++;
      continue;
    }
    const { endedAt, lineup } = era;
    const assigned = creativeOf(lineup.slices, bucket[row]!);
    // Whoever is outside was nobody's to show anything, and is of no arm, whatever it saw: the control, mostly. Hashes say so, so no arm loses more by it.
    if (assigned === null) {
      uncoveredExposed++;
      continue;
    }
    if (holdoutBucket[row]! < Math.round(lineup.holdout * BUCKETS)) {
      heldOutExposed++;
      continue;
    }
    const arm = armIn(era, creative[row]!, saw);
    arm.exposed++;
    arm.impressions += impressions[row]!;
    arm.clicks += clicks[row]!;
    // Censored: of the arm that went, what came later is another creative's doing; so in no arm what was open then counts.
    if (evidence.settledAt(row) > endedAt) continue;
    if ((seen[row]! & (seen[row]! - 1)) !== 0) arm.contaminated++;
    else if (assigned !== saw) arm.strayed++;
    else if (evidence.settledAt(row) <= asOf) {
      arm.settled++;
      addOutcomes(arm, BUCKETS / arm.buckets, impressions[row]!, clicks[row]!, points[row]!, flags[row]!);
    }
  }
  return {
    asOf,
    eras: eras.map(({ arms, lineup }) => ({ since: lineup.since, arms })),
    forgotten,
    heldOutExposed,
    uncoveredExposed,
    late: evidence.late,
  };
}

function addOutcomes({ moments }: ArmSummary, w: number, impressions: number, clicks: number, points: number, flags: number): void {
  addAccount(moments.clicked, w, 1, clicks > 0 ? 1 : 0);
  addAccount(moments.clickRate, w, impressions, clicks);
  addAccount(moments.engaged, w, 1, (flags & FLAG.engaged) === 0 ? 0 : 1);
  addAccount(moments.pointsGained, w, 1, points);
  if ((flags & FLAG.wasAbove) === 0) addAccount(moments.reachedThreshold, w, 1, (flags & FLAG.reached) === 0 ? 0 : 1);
}

function erasOf(lineups: readonly Lineup[]): Era[] {
  const eras: Era[] = [];
  let endedAt = Infinity;
  for (const lineup of lineups.toReversed()) {
    const arms = [...bucketsByCreative(lineup.slices)].map(([creativeId, buckets]) => noArm(creativeId, buckets));
    eras.push({ lineup, arms, endedAt, armOf: [] });
    if (lineup.movesShown === true) endedAt = lineup.since;
  }
  return eras.toReversed();
}

/** From when each lineup or a later one was in force: ascending, though the clock of their log may have fallen. */
function beganAt(lineups: readonly Lineup[]): Float64Array {
  const began = Float64Array.from(lineups, ({ since }) => since);
  for (let at = began.length - 2; at >= 0; at--) began[at] = Math.min(began[at]!, began[at + 1]!);
  return began;
}

/** The lineup in force, or the one before where that explains what was seen shortly after the change. */
function eraAt(lineups: readonly Lineup[], began: Float64Array, at: number, bucket: number, saw: string): number {
  let era = 0;
  for (let end = began.length; end - era > 1;) {
    const middle = (era + end) >> 1;
    if (began[middle]! <= at) era = middle;
    else end = middle;
  }
  const isRecent = era > 0 && at - lineups[era]!.since < DECISION_LAG_MS;
  if (isRecent && creativeOf(lineups[era]!.slices, bucket) !== saw && creativeOf(lineups[era - 1]!.slices, bucket) === saw) return era - 1;
  return era;
}

function armIn(era: Era, creative: number, creativeId: string): ArmSummary {
  const known = era.armOf[creative] ?? era.arms.find((arm) => arm.creativeId === creativeId);
  const arm = known ?? noArm(creativeId, 0);
  if (known === undefined) era.arms.push(arm);
  era.armOf[creative] = arm;
  return arm;
}
