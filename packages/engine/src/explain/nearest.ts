import type { QualificationStanding } from '../alerts/qualification.ts';
import type { ThresholdLevel } from '../alerts/standing.ts';
import type { Rule } from '../model.ts';
import { scoreOf } from '../score.ts';
import type { AccountPast } from './account-past.ts';

/** So many touches of a kind, all at once, by contacts without a role, would bring what is missing. */
export interface WouldDo {
  readonly ruleId: string;
  readonly kind: string;
  /** Without minutes; null where they bring nothing then. */
  readonly touches: number | null;
  /** Fewer if each lasts as long as counts; null where minutes bring nothing. */
  readonly lasting: { readonly minutes: number; readonly touches: number } | null;
  /** Of those at most so many count for one contact and day; null for any number. */
  readonly dailyCap: number | null;
}

export interface ThresholdStanding extends ThresholdLevel {
  /** What is missing to `enter`, in the metric; 0 when it is reached. */
  readonly missing: number;
  /** For score and points: what is missing in points; null for other metrics, and for a score that no number of points gives. */
  readonly pointsMissing: number | null;
  /** The fewest touches first; empty for other metrics. */
  readonly wouldDo: readonly WouldDo[];
}

export interface Nearest {
  /** Those of the model that are for such an account: reached ones last, else those of which the smallest share is missing first. */
  readonly thresholds: readonly ThresholdStanding[];
  readonly qualification: QualificationStanding | null;
}

/** What is missing to the model's thresholds and to qualification. @param past after its replay, of an account that was known */
export function nearestOf(past: AccountPast): Nearest {
  const { qualification, thresholds: levels } = past.standing;
  const { points } = past;
  const thresholds = levels.map((level): ThresholdStanding => {
    const { enter, isReached, metric, value } = level;
    const pointsMissing = isReached ? 0 : pointsTo(past, metric, enter, points);
    const wouldDo = isReached || pointsMissing === null ? [] : touchesFor(past, pointsMissing);
    return { ...level, missing: isReached ? 0 : enter - value, pointsMissing, wouldDo };
  });
  const shareMissing = ({ enter, missing }: ThresholdStanding): number => missing / Math.max(Math.abs(enter), Number.MIN_VALUE);
  thresholds.sort((a, b) => Number(a.isReached) - Number(b.isReached) || shareMissing(a) - shareMissing(b));
  return { thresholds, qualification };
}

/** So many points more, and the metric is at `enter`; null when no number of points does it. */
function pointsTo({ model }: AccountPast, metric: string, enter: number, points: number): number | null {
  if (metric !== 'score' && metric !== 'points') return null;
  const half = model.halfScorePoints;
  const isThere = (missing: number): boolean => (metric === 'score' ? scoreOf(points + missing, half) : points + missing) >= enter;
  const wanted = metric === 'points' ? enter : (-half * Math.log1p(-enter / 100)) / Math.LN2;
  let missing = Math.max(0, wanted - points);
  // The last digits are those of another formula.
  for (let tries = 0; tries < 60 && Number.isFinite(missing); tries++) {
    if (isThere(missing)) return missing;
    missing += Math.max(missing, wanted) * Number.EPSILON * 2 ** tries;
  }
  return null;
}

function touchesFor({ model }: AccountPast, points: number): WouldDo[] {
  const found = model.rules.flatMap((rule): WouldDo[] => {
    const touches = countFor(points, rule.points);
    const lasting = rule.pointsPerMinute > 0 ? countFor(points, rule.points + rule.pointsPerMinute * rule.maxMinutes) : null;
    if (touches === null && lasting === null) return [];
    return [
      {
        ruleId: rule.id,
        kind: rule.kind,
        touches,
        lasting: lasting === null ? null : { minutes: rule.maxMinutes, touches: lasting },
        dailyCap: rule.dailyCap ?? null,
      },
    ];
  });
  const fewest = ({ lasting, touches }: WouldDo): number => Math.min(touches ?? Infinity, lasting?.touches ?? Infinity);
  return found.sort((a, b) => fewest(a) - fewest(b));
}

function countFor(points: number, worth: Rule['points']): number | null {
  return worth > 0 ? Math.ceil(points / worth) : null;
}
