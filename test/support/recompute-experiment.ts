import type { LogEntry, TouchRecord } from '@touchstone/testkit';
import { bucketAgain, isHeldOutAgain, type Owners } from './recompute-assignment.ts';

/**
 * What an experiment must say of its arms, from the log by the definitions: no sums that are kept, no code of packages/experiments. Every account
 * is looked at by itself, and every figure is a sum over a list of accounts.
 */

export interface ExperimentAgain {
  readonly seed: string;
  readonly campaignId: string;
  /** In the order of the arms. */
  readonly creatives: readonly string[];
  readonly holdout: number;
  readonly metric: 'clicked' | 'clickRate' | 'engaged' | 'pointsGained';
  readonly outcomeWindowMs: number;
  readonly graceMs: number;
  readonly startedAt: number;
  /** Who was given what from when on, oldest first; all but the first begin with a swap or its undo. */
  readonly lineups: readonly { readonly since: number; readonly owners: Owners }[];
  /** Points that a touch adds. */
  readonly worthOf: (touch: TouchRecord) => number;
}

export interface ArmAgain {
  readonly creativeId: string;
  readonly exposed: number;
  readonly contaminated: number;
  readonly strayed: number;
  readonly accounts: number;
  readonly impressions: number;
  readonly clicks: number;
  readonly value: number | null;
}

export interface FiguresAgain {
  readonly arms: readonly ArmAgain[];
  readonly heldOutExposed: number;
  readonly uncoveredExposed: number;
  readonly late: number;
  readonly leftOutShare: number;
  /** How many accounts each arm has and should have, by its share of those covered: of those exposed, and of those in the comparison. */
  readonly shares: Readonly<Record<'exposed' | 'settled', readonly ShareAgain[]>>;
  /** What each account that was exposed was shown last, by when that was, settled or not. */
  readonly shownLast: ReadonlyMap<string, string>;
  /** Accounts in the comparison, for what is computed from them further. */
  readonly settled: readonly SettledAccount[];
}

export interface ShareAgain {
  readonly creativeId: string;
  readonly accounts: number;
  readonly expected: number;
}

/** An account with its outcome: y over x. */
export interface SettledAccount {
  readonly creativeId: string;
  readonly era: number;
  readonly x: number;
  readonly y: number;
}

interface Told {
  readonly touch: TouchRecord;
  readonly appendedAt: number;
}

interface Account {
  readonly accountId: string;
  readonly creativeId: string;
  readonly shownLast: string;
  readonly era: number;
  readonly standing: 'contaminated' | 'strayed' | 'settled' | 'open';
  readonly misled: 'held out' | 'uncovered' | null;
  readonly impressions: number;
  readonly clicks: number;
  readonly late: number;
  readonly x: number;
  readonly y: number;
}

/** A decision may be acted on for so long. */
const LAG_MS = 3_600_000;
const SHOWN = new Set(['ad_impression', 'email_open', 'direct_mail']);

/** @param log in log order by partition @param asOf epoch ms, not before the last record */
export function recomputeExperiment(experiment: ExperimentAgain, log: readonly LogEntry[], asOf: number): FiguresAgain {
  const byAccount = Map.groupBy(countedTouches(log, experiment.startedAt), ({ touch }) => touch.accountId!);
  const accounts = [...byAccount].map(([accountId, told]) => accountOf(experiment, accountId, told, asOf)).filter((one) => one !== null);
  // Accounts outside are of no arm, whatever they were shown.
  const inside = accounts.filter(({ misled }) => misled === null);
  const settled = inside.filter(({ standing }) => standing === 'settled');
  const leftOut = inside.filter(({ standing }) => standing === 'contaminated' || standing === 'strayed').length;
  return {
    arms: experiment.creatives.map((creativeId) => armOf(experiment, creativeId, inside)),
    heldOutExposed: accounts.filter(({ misled }) => misled === 'held out').length,
    uncoveredExposed: accounts.filter(({ misled }) => misled === 'uncovered').length,
    late: accounts.reduce((sum, { late }) => sum + late, 0),
    leftOutShare: inside.length === 0 ? 0 : leftOut / inside.length,
    shares: { exposed: sharesOf(experiment, inside), settled: sharesOf(experiment, settled) },
    shownLast: new Map(accounts.map(({ accountId, shownLast }) => [accountId, shownLast])),
    settled,
  };
}

/** Buckets of a creative in an era. */
export function bucketsIn({ lineups }: ExperimentAgain, era: number, creativeId: string): number {
  return lineups[era]!.owners.filter((owner) => owner === creativeId).length;
}

/** Of touches with one id the first counts; what the log took before the start tells nothing of the experiment. */
function countedTouches(log: readonly LogEntry[], startedAt: number): Told[] {
  const seen = new Set<string>();
  const told: Told[] = [];
  for (const { appendedAt, partition = 0, record } of log) {
    if ('type' in record) continue;
    const key = `${partition} ${record.id}`;
    if (seen.has(key)) continue;
    seen.add(key);
    if ((record.accountId ?? null) !== null && appendedAt >= startedAt) told.push({ touch: record, appendedAt });
  }
  return told;
}

function accountOf(experiment: ExperimentAgain, accountId: string, told: readonly Told[], asOf: number): Account | null {
  const { campaignId, creatives, graceMs, lineups, outcomeWindowMs, seed, startedAt } = experiment;
  const isAd = ({ touch }: Told): boolean =>
    (touch.kind === 'ad_impression' || touch.kind === 'ad_click') &&
    touch.campaignId === campaignId &&
    creatives.includes(touch.creativeId ?? '');
  const at = told.findIndex((one) => isAd(one) && one.touch.occurredAt >= startedAt);
  if (at < 0) return null;
  const first = told[at]!;
  const creativeId = first.touch.creativeId!;
  const windowEnd = first.touch.occurredAt + outcomeWindowMs;
  const settlesAt = first.appendedAt + outcomeWindowMs + graceMs;
  const since = told.slice(at);
  const inTime = since.filter(({ appendedAt }) => appendedAt < settlesAt);
  // The window is open to what is told late of the creatives themselves from the start of the experiment, to all else from the exposure on.
  const windowStart = (one: Told): number => (isAd(one) ? startedAt : first.touch.occurredAt);
  const isInWindow = (one: Told): boolean => one.touch.occurredAt >= windowStart(one) && one.touch.occurredAt <= windowEnd;
  const counted = inTime.filter(isInWindow);
  const impressions = counted.filter((one) => isAd(one) && one.touch.kind === 'ad_impression');
  const clicks = counted.filter((one) => isAd(one) && one.touch.kind === 'ad_click').length;
  const answers = counted.filter((one) => !impressions.includes(one)).map(({ touch }) => touch);

  const bucket = bucketAgain(seed, accountId);
  const era = eraOf(lineups, first.touch.occurredAt, bucket, creativeId);
  const assigned = lineups[era]!.owners[bucket]!;
  const isHeldOut = isHeldOutAgain(seed, experiment.holdout, accountId);
  // Whatever it saw since the start, be it after the window.
  const isContaminated = inTime.some((one) => isAd(one) && one.touch.occurredAt >= startedAt && one.touch.creativeId !== creativeId);
  const isCutOff = era + 1 < lineups.length && settlesAt > lineups[era + 1]!.since;
  const outcome = { clicks, impressions: impressions.length, answers };
  const shown = since
    .filter((one) => isAd(one) && one.touch.occurredAt >= startedAt)
    .toSorted((one, other) => one.touch.occurredAt - other.touch.occurredAt);
  return {
    accountId,
    creativeId,
    shownLast: shown.at(-1)!.touch.creativeId!,
    era,
    standing: standingOf({ isCutOff, isContaminated, isStray: assigned !== creativeId, isOver: settlesAt <= asOf }),
    misled: assigned === null ? 'uncovered' : isHeldOut ? 'held out' : null,
    impressions: impressions.length,
    clicks,
    late: since.filter((one) => one.appendedAt >= settlesAt && isInWindow(one)).length,
    ...outcomeOf(experiment, outcome),
  };
}

function standingOf(is: { isCutOff: boolean; isContaminated: boolean; isStray: boolean; isOver: boolean }): Account['standing'] {
  if (is.isCutOff) return 'open';
  if (is.isContaminated) return 'contaminated';
  if (is.isStray) return 'strayed';
  return is.isOver ? 'settled' : 'open';
}

/** The lineup of the time, or the one before where that alone explains what was seen shortly after the change. */
function eraOf(lineups: ExperimentAgain['lineups'], at: number, bucket: number, saw: string): number {
  const era = Math.max(
    0,
    lineups.findLastIndex(({ since }) => since <= at),
  );
  const isShortlyAfter = era > 0 && at < lineups[era]!.since + LAG_MS;
  const isOfBefore = isShortlyAfter && lineups[era]!.owners[bucket] !== saw && lineups[era - 1]!.owners[bucket] === saw;
  return isOfBefore ? era - 1 : era;
}

function outcomeOf(
  { metric, worthOf }: ExperimentAgain,
  { answers, clicks, impressions }: { clicks: number; impressions: number; answers: readonly TouchRecord[] },
): { x: number; y: number } {
  switch (metric) {
    case 'clicked':
      return { x: 1, y: Math.min(1, clicks) };
    case 'clickRate':
      return { x: impressions, y: clicks };
    case 'engaged':
      return { x: 1, y: answers.some(({ kind }) => !SHOWN.has(kind)) ? 1 : 0 };
    case 'pointsGained':
      return { x: 1, y: answers.reduce((sum, touch) => sum + worthOf(touch), 0) };
  }
}

function armOf(experiment: ExperimentAgain, creativeId: string, all: readonly Account[]): ArmAgain {
  const own = all.filter((one) => one.creativeId === creativeId);
  const as = (standing: Account['standing']): Account[] => own.filter((one) => one.standing === standing);
  const settled = as('settled');
  // 1 over the share of those covered that the arm had: what an account stands for.
  const weighed = (value: (one: Account) => number): number =>
    settled.reduce((sum, one) => {
      const covered = experiment.lineups[one.era]!.owners.filter((owner) => owner !== null).length;
      return sum + (value(one) * covered) / bucketsIn(experiment, one.era, creativeId);
    }, 0);
  const size = weighed(({ x }) => x);
  return {
    creativeId,
    exposed: own.length,
    contaminated: as('contaminated').length,
    strayed: as('strayed').length,
    accounts: settled.length,
    impressions: own.reduce((sum, one) => sum + one.impressions, 0),
    clicks: own.reduce((sum, one) => sum + one.clicks, 0),
    value: size > 0 ? weighed(({ y }) => y) / size : null,
  };
}

function sharesOf(experiment: ExperimentAgain, all: readonly Account[]): ShareAgain[] {
  // What an arm without buckets in the era is shown as is no share of anything.
  const ofArms = all.filter(({ creativeId, era }) => bucketsIn(experiment, era, creativeId) > 0);
  return experiment.creatives.map((creativeId) => ({
    creativeId,
    accounts: ofArms.filter((one) => one.creativeId === creativeId).length,
    expected: experiment.lineups.reduce((sum, { owners }, era) => {
      const covered = owners.filter((owner) => owner !== null).length;
      return sum + (ofArms.filter((one) => one.era === era).length * bucketsIn(experiment, era, creativeId)) / covered;
    }, 0),
  }));
}
