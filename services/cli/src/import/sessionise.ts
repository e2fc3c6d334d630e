/**
 * Minutes of page visits: the gap to the same host's next page, if that comes within 30 minutes (inclusive), at most 10 minutes; 0 when
 * none comes. Visits leave in the order they came.
 *
 * A visit waits until its host's next page or until the log's clock is 30 minutes further, so memory is bounded by the visits of 30 minutes,
 * and by WAITING_MAX whatever the log. Servers write a line when the answer is done, so times step back a little now and then: visits wait
 * SLACK_MS longer for that, and a next page dated earlier gives 0 minutes.
 */
export interface Visit {
  readonly host: string;
  /** Epoch milliseconds. */
  readonly occurredAt: number;
}

export type Sessioned<V extends Visit> = V & { readonly minutes: number };

const SESSION_GAP_MS = 30 * 60_000;
const MINUTES_MAX = 10;
const SLACK_MS = 5 * 60_000;
const WAITING_MAX = 500_000;

interface Waiting<V> {
  readonly visit: V;
  /** Null while the next page may still come. */
  minutes: number | null;
}

export interface Sessioniser<V extends Visit> {
  /** Takes the next visit of the log, and gives those that are settled. */
  add(visit: V): Sessioned<V>[];
  /** Everything that still waits: the log has ended. */
  end(): Sessioned<V>[];
  /** Visits let go before their time, with 0 minutes, because too many waited. */
  readonly cutShort: number;
}

export function createSessioniser<V extends Visit>(waitingMax = WAITING_MAX): Sessioniser<V> {
  let queue: Waiting<V>[] = [];
  let head = 0;
  let clock = -Infinity;
  let cutShort = 0;
  const latest = new Map<string, Waiting<V>>();

  function add(visit: V): Sessioned<V>[] {
    clock = Math.max(clock, visit.occurredAt);
    const former = latest.get(visit.host);
    if (former !== undefined) former.minutes = minutesBetween(former.visit.occurredAt, visit.occurredAt);
    const waiting = { visit, minutes: null };
    latest.set(visit.host, waiting);
    queue.push(waiting);
    return take((first) => first.minutes !== null || clock - first.visit.occurredAt > SESSION_GAP_MS + SLACK_MS || isFull());
  }

  function isFull(): boolean {
    if (queue.length - head <= waitingMax) return false;
    cutShort++;
    return true;
  }

  function take(isDone: (first: Waiting<V>) => boolean): Sessioned<V>[] {
    const settled: Sessioned<V>[] = [];
    for (let first = queue[head]; first !== undefined && isDone(first); first = queue[head]) {
      head++;
      if (latest.get(first.visit.host) === first) latest.delete(first.visit.host);
      settled.push({ ...first.visit, minutes: first.minutes ?? 0 });
    }
    // Dropping the taken front only once it is half of the queue keeps the cost per visit constant.
    if (head > 1024 && head * 2 > queue.length) {
      queue = queue.slice(head);
      head = 0;
    }
    return settled;
  }

  return {
    add,
    end: () => take(() => true),
    get cutShort() {
      return cutShort;
    },
  };
}

function minutesBetween(from: number, to: number): number {
  const gap = to - from;
  return gap < 0 || gap > SESSION_GAP_MS ? 0 : Math.min(gap / 60_000, MINUTES_MAX);
}
