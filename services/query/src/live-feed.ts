import { decodeAccountScore, decodeAlert, type AccountScore } from '@touchstone/codec';
import type { Alert, LedgerSet } from '@touchstone/engine';
import { ALERTS_TOPIC, EVENTS_TOPIC, SCORES_TOPIC, type EventLog } from '@touchstone/event-log';
import { sleep, type Metrics, type Scheduler } from '@touchstone/runtime';
import { PublishedAlert, PublishedScore, StreamEvent, type EventName, type Published } from './stream-event.ts';
import { ToldAlerts } from './told-alerts.ts';
import { ToldScores } from './told-scores.ts';
import { TopicFeed, type Kept } from './topic-feed.ts';

/** Scores kept for readers that come back: some seconds at full speed, hours at a usual one. */
const SCORES_KEPT = 20_000;
/** Alerts kept for the same: a campaign that moves ten thousand accounts at once fits in. */
const ALERTS_KEPT = 20_000;
/** Alerts read at the start, so that repeats of older ones are known for what they are. */
const ALERTS_READ = 100_000;
/** A reader that comes from another process may be ahead of this one, by as much as one lags behind the other; that is soon over. */
const REACHED_WITHIN_MS = 1000;
const LOOK_INTERVAL_MS = 2;

export type Follower = (event: StreamEvent) => void;

/** Where a reader that comes back goes on. */
export interface Resumed {
  /** What it missed, oldest first. */
  readonly missed: readonly StreamEvent[];
  /** False when some of what it missed is no longer kept. */
  readonly isComplete: boolean;
}

export interface LiveFeedOptions {
  /** The ledgers that answers are computed from, of the same partitions as the topics'. */
  readonly ledgers: LedgerSet;
  readonly metrics: Metrics;
  readonly scheduler: Scheduler;
  /** Called for each alert, once, before readers are told. */
  readonly onAlert?: (partition: number, alert: Alert) => void;
}

/** Names of events that come from each topic. */
const NAMES = { scores: ['score'], alerts: ['alert', 'stage'] } as const;

/**
 * The published scores and alerts as one stream: follows both topics in every partition, keeps the latest, and hands each new event to all
 * followers. Scores that are no news are left out, and so is an alert that stands on its topic once more.
 *
 * The id of an event says how far its reader is in every partition of both topics once it has it, so that one that comes back, here or at
 * another process, goes on exactly there.
 */
export class LiveFeed {
  readonly #options: LiveFeedOptions;
  readonly #scores: TopicFeed<AccountScore, PublishedScore>;
  readonly #alerts: TopicFeed<Alert, PublishedAlert>;
  readonly #followers = new Set<Follower>();
  readonly #listeners: ((published: Published) => void)[] = [];
  #toldCount = 0;
  #number = 0;

  constructor(options: LiveFeedOptions) {
    this.#options = options;
    const { ledgers, metrics, onAlert, scheduler } = options;
    const toldScores = new ToldScores(ledgers);
    const toldAlerts = new ToldAlerts();
    const shared = {
      ledgers,
      scheduler,
      nextNumber: (): number => ++this.#number,
      onTold: (published: Published): void => this.#tell(published),
    };
    this.#scores = new TopicFeed({
      ...shared,
      topic: SCORES_TOPIC,
      kept: SCORES_KEPT,
      readAtStart: SCORES_KEPT,
      decode: decodeAccountScore,
      isNews(partition, score) {
        const isNews = toldScores.isNews(partition, score);
        if (!isNews) metrics.count('stream_scores_dropped_total', {});
        return isNews;
      },
      publishedOf: (partition, offset, score) => new PublishedScore(partition, offset, score, ledgers),
    });
    this.#alerts = new TopicFeed({
      ...shared,
      topic: ALERTS_TOPIC,
      kept: ALERTS_KEPT,
      readAtStart: ALERTS_READ,
      decode: decodeAlert,
      isNews(_partition, alert) {
        const isNews = toldAlerts.isNews(alert);
        if (!isNews) metrics.count('stream_alerts_repeated_total', {});
        return isNews;
      },
      publishedOf(partition, offset, alert) {
        onAlert?.(partition, alert);
        return new PublishedAlert(partition, offset, alert);
      },
    });
    metrics.beforeScrape(() => {
      metrics.set('stream_partitions_held', {}, new Set([...this.#scores.waiting, ...this.#alerts.waiting]).size);
    });
  }

  get followerCount(): number {
    return this.#followers.size;
  }

  /**
   * Begins before the ledgers are restored, and resolves once everything that was published before the call is read: a reader that comes back
   * right after a restart would else get once more what it has, with older versions than it has seen.
   * @param onFailed called when a topic can not be followed any more
   */
  async start(log: Pick<EventLog, 'extents' | 'subscribe'>, onFailed: (cause: unknown) => void): Promise<void> {
    const [scores, alerts] = [await log.extents(SCORES_TOPIC), await log.extents(ALERTS_TOPIC)];
    // After those of the topics: what these hold is of versions below.
    const eventsEnds = (await log.extents(EVENTS_TOPIC)).map(({ end }) => end);
    await Promise.all([this.#scores.start(log, scores, eventsEnds, onFailed), this.#alerts.start(log, alerts, eventsEnds, onFailed)]);
  }

  /** Hands over every event from now on, until the returned function is called. */
  follow(follower: Follower): () => void {
    this.#followers.add(follower);
    return () => void this.#followers.delete(follower);
  }

  /** Tells followers what is of no topic of this feed, and is not kept for those that come back. */
  announce(published: Published): void {
    this.#tell(published);
  }

  /** Calls back with all that is told from now on. It costs less than following: nothing is made for it. */
  whenTold(listener: (published: Published) => void): void {
    this.#listeners.push(listener);
  }

  /** The alerts that are kept, oldest first. */
  *keptAlerts(): Generator<PublishedAlert> {
    for (const { published } of this.#alerts.kept()) yield published;
  }

  /** The alert with this id, if it is kept: just told, and perhaps not stored yet. */
  alertOf(id: string): Alert | null {
    for (const { alert } of this.keptAlerts()) if (alert.id === id) return alert;
    return null;
  }

  /** The id of a reader that has seen everything so far. */
  get currentId(): string {
    return idOf(this.#scores.currentId, this.#alerts.currentId);
  }

  /**
   * Waits, though not for long, until everything up to the event with this id is read here too: who was told more by another process would
   * else be told it again, and older things before.
   */
  async reaches(id: string, names: ReadonlySet<EventName>): Promise<void> {
    const { scheduler } = this.#options;
    const deadline = scheduler.elapsed() + REACHED_WITHIN_MS;
    const seen = this.#placeOf(id);
    while (seen !== null && !this.#hasRead(seen, names) && scheduler.elapsed() < deadline) await sleep(scheduler, LOOK_INTERVAL_MS);
  }

  /**
   * What came after the event with this id, of the events that a reader wants; null when the id is none of these topics, or of an event that is
   * still to come.
   */
  resume(id: string, names: ReadonlySet<EventName>): Resumed | null {
    const seen = this.#placeOf(id);
    if (seen === null || !this.#hasRead(seen, names)) return null;
    const wanted = wantedOf(names);
    const isComplete =
      (!wanted.scores || this.#scores.keepsAllFrom(seen.scores)) && (!wanted.alerts || this.#alerts.keepsAllFrom(seen.alerts));
    const missed: StreamEvent[] = [];
    let scoresId = this.#scores.idAt(seen.scores);
    let alertsId = this.#alerts.idAt(seen.alerts);
    for (const { published } of inOrder(wanted.scores ? this.#scores.kept() : [], wanted.alerts ? this.#alerts.kept() : [])) {
      const isScore = published.event === 'score';
      const of = isScore ? seen.scores : seen.alerts;
      if (published.offset < of[published.partition]!) continue;
      of[published.partition] = published.offset + 1;
      if (isScore) scoresId = this.#scores.idAt(of);
      else alertsId = this.#alerts.idAt(of);
      // Its own id, for the order of partitions may have been another where the reader was before, as it is after a restart.
      missed.push(new StreamEvent(idOf(scoresId, alertsId), published, null));
    }
    return { missed, isComplete };
  }

  async stop(): Promise<void> {
    await Promise.all([this.#scores.stop(), this.#alerts.stop()]);
  }

  #tell(published: Published): void {
    for (const listener of this.#listeners) listener(published);
    if (this.#followers.size === 0) return;
    const event = new StreamEvent(this.currentId, published, ++this.#toldCount);
    for (const follower of this.#followers) follower(event);
  }

  #hasRead(place: Place, names: ReadonlySet<EventName>): boolean {
    const wanted = wantedOf(names);
    return (!wanted.scores || this.#scores.hasRead(place.scores)) && (!wanted.alerts || this.#alerts.hasRead(place.alerts));
  }

  #placeOf(id: string): Place | null {
    // A generation holds no colon: so the second of three parts them.
    const middle = id.indexOf(':', id.indexOf(':') + 1);
    const scores = this.#scores.offsetsOf(id.slice(0, Math.max(0, middle)));
    const alerts = this.#alerts.offsetsOf(id.slice(middle + 1));
    return scores === null || alerts === null ? null : { scores, alerts };
  }
}

/** How far a reader is, by partition. */
interface Place {
  readonly scores: number[];
  readonly alerts: number[];
}

function wantedOf(names: ReadonlySet<EventName>): { readonly scores: boolean; readonly alerts: boolean } {
  return { scores: NAMES.scores.some((name) => names.has(name)), alerts: NAMES.alerts.some((name) => names.has(name)) };
}

function idOf(scoresId: string, alertsId: string): string {
  return `${scoresId}:${alertsId}`;
}

/** Both in the order in which they were read. */
function* inOrder(scores: Iterable<Kept>, alerts: Iterable<Kept>): Generator<Kept> {
  const left = [...alerts].toReversed();
  for (const score of scores) {
    while (left.length > 0 && left.at(-1)!.number < score.number) yield left.pop()!;
    yield score;
  }
  yield* left.toReversed();
}
