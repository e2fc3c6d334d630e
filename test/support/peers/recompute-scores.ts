import type { PeersTouch } from './generate-touches.ts';

/** What is said of an account on the comparison's output. */
export interface PeersScore {
  readonly accountId: string;
  readonly points: number;
  readonly asOf: number;
  readonly touches7d: number;
  readonly touches30d: number;
  readonly minutes30d: number;
  readonly reach30d: number;
  readonly n: number;
}

const DAY_MS = 86_400_000;
const HALF_LIFE_DAYS = 14;
const WEIGHTS: Readonly<Record<string, number>> = { ad_click: 2, web_visit: 1, meeting: 30, email_click: 3, ad_impression: 0.1 };
const RELATIVE_ERROR_MAX = 1e-9;
const WHOLE_NUMBERS = ['asOf', 'touches7d', 'touches30d', 'reach30d', 'n'] as const;

/** The comparison's job by its definition: all touches of an account at once, nothing carried on from one to the next, no code of ours. */
export function recomputePeersScores(touches: readonly PeersTouch[]): Map<string, PeersScore> {
  const byAccount = Map.groupBy(touches, ({ accountId }) => accountId);
  return new Map([...byAccount].map(([accountId, ofAccount]) => [accountId, scoreOf(accountId, ofAccount)]));
}

function scoreOf(accountId: string, touches: readonly PeersTouch[]): PeersScore {
  const asOf = touches.reduce((newest, { occurredAt }) => Math.max(newest, occurredAt), 0);
  const ageInDays = ({ occurredAt }: PeersTouch): number => Math.floor(asOf / DAY_MS) - Math.floor(occurredAt / DAY_MS);
  const recent = touches.filter((touch) => ageInDays(touch) < 30);
  const people = new Set(recent.map(({ contactId }) => contactId));
  people.delete(null);
  return {
    accountId,
    points: sum(
      touches.map(
        ({ kind, minutes, occurredAt }) => ((WEIGHTS[kind] ?? 0) + minutes) * 0.5 ** ((asOf - occurredAt) / (HALF_LIFE_DAYS * DAY_MS)),
      ),
    ),
    asOf,
    touches7d: touches.filter((touch) => ageInDays(touch) < 7).length,
    touches30d: recent.length,
    minutes30d: sum(recent.map(({ minutes }) => minutes)),
    reach30d: people.size,
    n: touches.length,
  };
}

/** One line for each account whose score is missing, wrong, or of nobody. */
export function wrongPeersScores(expected: ReadonlyMap<string, PeersScore>, found: ReadonlyMap<string, PeersScore>): string[] {
  const wrong = [...expected.values()].flatMap((score) => {
    const said = found.get(score.accountId);
    if (said === undefined) return [`${score.accountId} has no score`];
    return agree(score, said) ? [] : [`${score.accountId} should be ${JSON.stringify(score)}, is ${JSON.stringify(said)}`];
  });
  const strangers = [...found.keys()].filter((accountId) => !expected.has(accountId));
  return [...wrong, ...strangers.map((accountId) => `${accountId} has a score and no touch`)];
}

function agree(one: PeersScore, other: PeersScore): boolean {
  return (
    WHOLE_NUMBERS.every((name) => one[name] === other[name]) &&
    Math.abs(one.points - other.points) <= RELATIVE_ERROR_MAX * Math.abs(one.points) &&
    Math.abs(one.minutes30d - other.minutes30d) <= RELATIVE_ERROR_MAX * Math.max(1, one.minutes30d)
  );
}

/** Loses no small ones among large ones (Kahan, 1965). */
function sum(values: readonly number[]): number {
  let [total, lost] = [0, 0];
  for (const value of values) {
    const added = value - lost;
    const next = total + added;
    lost = next - total - added;
    total = next;
  }
  return total;
}
