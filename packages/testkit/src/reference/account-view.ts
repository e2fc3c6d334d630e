import type { LogEntry } from './log-entry.ts';
import { pointsAt, scoreOf } from './points.ts';
import { isEngaged, reachAt, type ReachView } from './reach.ts';
import { readLog, type AccountHistory, type ReadOptions } from './read-log.ts';
import { windowsAt, type WindowName, type WindowView } from './windows.ts';

/** What an answer about an account must hold, whatever else it says. */
export interface AccountView {
  readonly accountId: string;
  readonly score: number;
  readonly points: number;
  /** Offset of the last counted touch or fact of the account. */
  readonly version: number;
  readonly modelVersion: string;
  readonly engaged: boolean;
  /** The largest occurredAt of the counted touches, RFC 3339 UTC with milliseconds; null without a touch. */
  readonly lastTouchAt: string | null;
  readonly windows: Readonly<Record<WindowName, WindowView>>;
  readonly reach: ReachView;
}

export interface Reference {
  /** Every account the log names, in the order of first mention. */
  readonly accountIds: readonly string[];
  /** The account at `asOf` (epoch ms), or null when the log does not name it. */
  view(accountId: string, asOf: number): AccountView | null;
}

/** Reads a whole log, in log order, and answers for any account at any time not before the log's end. */
export function referenceOf(entries: readonly LogEntry[], options: ReadOptions = {}): Reference {
  const histories = readLog(entries, options);
  return {
    accountIds: [...histories.keys()],
    view(accountId, asOf) {
      const history = histories.get(accountId);
      return history === undefined ? null : viewOf(history, asOf);
    },
  };
}

function viewOf(history: AccountHistory, asOf: number): AccountView {
  const points = pointsAt(history, asOf);
  return {
    accountId: history.accountId,
    score: scoreOf(points, history.model),
    points,
    version: history.version,
    modelVersion: history.model.version,
    engaged: isEngaged(history, asOf),
    lastTouchAt: lastTouchAt(history),
    windows: windowsAt(history.touches, asOf),
    reach: reachAt(history, asOf),
  };
}

function lastTouchAt({ touches }: AccountHistory): string | null {
  let latest = -Infinity;
  for (const touch of touches) latest = Math.max(latest, touch.occurredAt);
  return touches.length === 0 ? null : new Date(latest).toISOString();
}
