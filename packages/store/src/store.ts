import type { StoredRole } from './contact-roles.ts';
import type { StoredCrossing } from './crossings.ts';
import type { KpiStore } from './kpis/kpi-store.ts';
import type { NotificationStore } from './notification-store.ts';
import type { OpportunityStore } from './opportunities/opportunity-store.ts';
import type {
  Alert,
  AlertCause,
  AlertType,
  ClockTick,
  Fact,
  RecordRun,
  RuleFamily,
  RuleState,
  ScoringModel,
  TouchCursor,
  Transition,
} from '@touchstone/engine';

/**
 * The port to ClickHouse: a server by URL, or chDB in this process. Every table takes the same row twice without a change in what a reader
 * sees, so that a checkpoint can be repeated after a crash, a timeout or a move.
 */

/** Fields of a touch that a replay may leave out. */
export const OPTIONAL_FIELDS = ['channel', 'campaignId', 'creativeId', 'url', 'source', 'properties'] as const;
export type OptionalField = (typeof OPTIONAL_FIELDS)[number];

/** Counted touches on their way into the store, as rows of bytes; filled between checkpoints, one instance per partition. */
export interface TouchRows {
  readonly count: number;
  readonly byteLength: number;
  /** Copies the touch the cursor stands on. */
  add(offset: number, appendedAt: number, touch: TouchCursor): void;
}

/** A fact, a published model, or a tick that brings the growth of all accounts: what, besides touches, a ledger is made of. */
export interface StoredFact {
  readonly partition: number;
  readonly offset: number;
  readonly appendedAt: number;
  readonly fact: Fact | { readonly type: 'model'; readonly model: ScoringModel } | { readonly type: 'tick'; readonly tick: ClockTick };
}

/** A model's control record, as it stands in one partition. */
export interface StoredModel {
  readonly partition: number;
  readonly offset: number;
  readonly appendedAt: number;
  readonly model: ScoringModel;
}

export interface ReplayRange {
  /** Offset of the first record wanted; default 0. */
  readonly from?: number;
  /**
   * What is read of a touch besides ids, kind, times and minutes; default all. The others are absent then. What a model has no use for costs
   * up to half of the time.
   */
  readonly fields?: readonly OptionalField[];
  /** Whether a touch's own id is read; default true. */
  readonly ids?: boolean;
}

/** Where a record stood on the log. */
export interface DeadLetterPlace {
  readonly partition: number;
  readonly offset: number;
}

export interface DeadLetter extends DeadLetterPlace {
  readonly appendedAt: number;
  readonly reason: string;
  readonly detail: string;
  /** The record's key; null when it had none. */
  readonly key: Uint8Array | null;
  /** The record's value as it stood on the log; empty when it had none. */
  readonly value: Uint8Array;
}

export interface StoredDeadLetter extends DeadLetter {
  /** Bytes of the whole value: more than there are in `value` when that was cut off. */
  readonly valueBytes: number;
  /** When it was put on the log again, the last time, epoch ms; null while it is open. */
  readonly replayedAt: number | null;
}

export interface DeadLetterQuery {
  readonly reason?: string;
  readonly partition?: number;
  /** Only those that were put on the log again, or only those that were not; default both. */
  readonly replayed?: boolean;
  /** Only those that come before this one, by time of append, partition and offset. */
  readonly before?: DeadLetterPlace & { readonly appendedAt: number };
  /** Default newest first. */
  readonly oldestFirst?: boolean;
  readonly limit: number;
  /** Longer values are cut off there; default never. */
  readonly valueBytesMax?: number;
}

/** How far a partition is in the store: every record below `offset` has been handled and what it left is stored. */
export interface StoredPosition {
  readonly partition: number;
  readonly offset: number;
  readonly generation: string;
}

/** What a checkpoint makes durable, of one partition. */
export interface Checkpoint extends StoredPosition {
  readonly touches: TouchRows;
  readonly facts: readonly StoredFact[];
  readonly deadLetters: readonly DeadLetter[];
  /** In the order they happened. */
  readonly transitions: readonly Transition[];
}

/** Alerts that were told are listed; entries that a cooldown held back are not. All conditions that are given must hold. */
export interface AlertQuery {
  readonly id?: string;
  readonly accountId?: string;
  readonly type?: AlertType;
  readonly ruleId?: string;
  readonly direction?: Alert['direction'];
  readonly cause?: AlertCause;
  /** Owner of the account at the time; '' for those without. */
  readonly owner?: string;
  /** Epoch ms: those that happened then or later. */
  readonly since?: number;
  /** Epoch ms: those that happened before. */
  readonly until?: number;
  readonly acked?: boolean;
  /** Whether a snooze of it lasts beyond `now`. */
  readonly snoozed?: boolean;
  /** Epoch ms; what `snoozed` is judged by. */
  readonly now: number;
  /** Only those that come after this one in the list. */
  readonly before?: { readonly at: number; readonly id: string };
  readonly limit: number;
}

export const ALERT_ACTIONS = ['ack', 'snooze', 'useful', 'not_useful'] as const;
export type AlertActionName = (typeof ALERT_ACTIONS)[number];

/** What somebody did about an alert. */
export interface AlertAction {
  readonly alertId: string;
  readonly action: AlertActionName;
  /** Who did it. */
  readonly by: string;
  /** Epoch ms. */
  readonly at: number;
  /** End of a snooze, epoch ms; null for every other action. */
  readonly until: number | null;
  readonly note: string;
}

export interface StoredAlert {
  readonly alert: Alert;
  /** Offset of the record during whose application it happened. */
  readonly offset: number;
  /** The first that did it; null while nobody has. */
  readonly acked: { readonly by: string; readonly at: number; readonly note: string } | null;
  /** By the latest snooze, epoch ms, passed or not; null for none. */
  readonly snoozedUntil: number | null;
  /** As last said; null while nobody has. */
  readonly useful: boolean | null;
}

/** What a rule's alerts came to. Its precision is `useful / (useful + notUseful)`. */
/** Of all accounts together. */
export interface TouchTotals {
  readonly touches: number;
  readonly minutes: number;
}

export interface AlertCounts {
  readonly ruleId: string;
  readonly family: RuleFamily;
  /** Alerts, ends of episodes among them. */
  readonly told: number;
  /** Entries that the cooldown held back. */
  readonly heldBack: number;
  readonly acked: number;
  readonly useful: number;
  readonly notUseful: number;
}

/** Whose stays in stages: accounts in the stages of the scoring model, or opportunities in those of the CRM. */
export const JOURNEYS = ['accounts', 'opportunities'] as const;
export type Journey = (typeof JOURNEYS)[number];

/** What stays can be filtered and compared by, as account and opportunity are now; the source is that of an opportunity. */
export const JOURNEY_DIMENSIONS = ['tier', 'industry', 'targetList', 'owner', 'source'] as const;
export type JourneyDimension = (typeof JOURNEY_DIMENSIONS)[number];

/** All times are epoch ms. */
export interface StageQuery {
  /** Default accounts. */
  readonly journey?: Journey;
  /** Beginning of the period. */
  readonly since: number;
  /** End of the period, and the instant that balances are of: what happened then or later is not looked at. */
  readonly until: number;
  /** What came into its stage then or before, and is in it still, stalls. */
  readonly stalledSince: number;
  /** Of a dimension's values any has to hold, of the dimensions all; '' is for what has none. */
  readonly filters?: Readonly<Partial<Record<JourneyDimension, readonly string[]>>>;
  readonly by?: JourneyDimension | null;
}

/** What came of one stage, by what was known then. */
export interface StageFigures {
  /** What it is compared by; '' for everything, and for what has no value there. */
  readonly group: string;
  readonly stage: string;
  /** The how-many-eth stage it is, on average of all that came into it. */
  readonly place: number;
  /** In it at the end of the period. */
  readonly balance: number;
  /** In it before the period began. */
  readonly balanceAtStart: number;
  /** Stays that began in the period. */
  readonly entered: number;
  /** Stays that ended in the period, and how long these were, together. */
  readonly left: number;
  readonly leftMs: number;
  /** Of the stays that began in the period, those that ended with a later stage before its end. */
  readonly advanced: number;
  readonly stalled: number;
  /** Stays that began in the period by whole hours, the shortest first; how many had ended by its end, and how many went on. */
  readonly stays: readonly { readonly hours: number; readonly ended: number; readonly open: number }[];
}

export interface StalledStay {
  readonly stage: string;
  /** Of the account, or of the opportunity. */
  readonly id: string;
  readonly accountId: string;
  /** Epoch ms. */
  readonly since: number;
}

export interface StalledPage {
  /** Only of this stage. */
  readonly stage?: string;
  readonly after?: { readonly since: number; readonly id: string };
  readonly limit: number;
}

export interface ScoreRow {
  readonly accountId: string;
  readonly partition: number;
  /** Offset of the last touch or fact applied. */
  readonly version: number;
  readonly modelVersion: string;
  readonly asOf: number;
  readonly points: number;
  readonly score: number;
  readonly engaged: boolean;
}

/** Where an entry stands in a timeline. */
export interface TimelinePlace {
  readonly occurredAt: number;
  readonly offset: number;
}

export interface TimelineEntry extends TimelinePlace {
  readonly id: string;
  readonly contactId: string | null;
  readonly kind: string;
  readonly appendedAt: number;
  readonly minutes: number;
  readonly channel: string | null;
  readonly campaignId: string | null;
  readonly creativeId: string | null;
  readonly url: string | null;
  readonly source: string | null;
  readonly properties: Readonly<Record<string, string>>;
}

export interface HistoryPoint {
  /** Start of the UTC hour, epoch ms. */
  readonly hour: number;
  readonly asOf: number;
  readonly points: number;
  readonly score: number;
  readonly modelVersion: string;
}

/** Scores of an account that were published before an instant and after it, of each UTC hour the last. */
export interface ShownScores {
  /** The last of the instant or before; null when none is kept. */
  readonly before: ShownScore | null;
  /** The first after it. */
  readonly after: ShownScore | null;
}

export interface ShownScore {
  readonly asOf: number;
  readonly modelVersion: string;
}

export interface ApiKeyRow {
  readonly id: string;
  readonly name: string;
  /** SHA-256 of the whole key, hex. */
  readonly hash: string;
  readonly scopes: readonly string[];
  readonly createdAt: number;
  readonly revokedAt: number | null;
}

export interface Store extends NotificationStore, KpiStore, OpportunityStore {
  /** Brings the schema up to the newest migration. */
  migrate(): Promise<void>;
  touchRows(partition: number): TouchRows;
  /** Touches, facts, dead letters and transitions first, the positions last; resolves once all of it would survive a power cut. The touches are the store's from
   * then on; after a failure the same ones may come again. */
  checkpoint(checkpoints: readonly Checkpoint[]): Promise<void>;
  positions(): Promise<ReadonlyMap<number, StoredPosition>>;
  /**
   * The stored records of a partition below `before`, in offset order, each offset once, as runs of bounded size. A run is valid until the
   * next one is asked for.
   */
  replay(partition: number, before: number, options?: ReplayRange): AsyncIterable<RecordRun>;
  /** Offset of the first stored touch of a partition that the log took at `at`, epoch ms, or later; null when there is none. */
  offsetSince(partition: number, at: number): Promise<number | null>;
  /** What facts of offsets below `before` said of the roles of a partition's contacts, in the order of the log, each once, in pages of bounded size. */
  contactRoles(partition: number, before: number): AsyncIterable<readonly StoredRole[]>;
  /**
   * The stored touches and facts of one account below `before`, in offset order, each offset once, as runs of bounded size. A run is valid until
   * the next one is asked for.
   */
  accountRecords(
    partition: number,
    accountId: string,
    before: number,
    options?: Pick<ReplayRange, 'fields' | 'ids'>,
  ): AsyncIterable<RecordRun>;
  /** Every model that was published, by partition, oldest first. */
  models(): Promise<readonly StoredModel[]>;
  /** Latest scores and the hourly history, in one go. Of two rows of an account the higher version stays, then the later asOf. */
  saveScores(rows: readonly ScoreRow[]): Promise<void>;
  /** Newest first by occurredAt, then by offset; `before` continues after the entry with that pair. */
  timeline(accountId: string, limit: number, before?: TimelinePlace): Promise<readonly TimelineEntry[]>;
  /** Oldest first: the hours that begin at `from` or later and before `to`, both epoch ms. */
  history(accountId: string, from: number, to: number): Promise<readonly HistoryPoint[]>;
  /** What of an account's history lies next to an instant, epoch ms, on both sides. */
  shownScores(accountId: string, at: number): Promise<ShownScores>;
  deadLetters(query: DeadLetterQuery): Promise<readonly StoredDeadLetter[]>;
  /** Those of the places that hold a dead letter, whole, by partition and offset. */
  deadLettersAt(places: readonly DeadLetterPlace[]): Promise<readonly StoredDeadLetter[]>;
  /** Remembers that these were put on the log again; `replayedAt` is epoch ms. */
  saveReplays(places: readonly DeadLetterPlace[], replayedAt: number): Promise<void>;
  /**
   * Where the partition's accounts stand under their rules, as its transitions of offsets below `before` say; by account, rule and family, in pages of
   * bounded size.
   */
  ruleStates(partition: number, before: number): AsyncIterable<readonly RuleState[]>;
  /** The partition's transitions of offsets from `from` to below `before`, each once, by offset and time, in pages of bounded size. */
  transitions(partition: number, from: number, before: number): AsyncIterable<readonly Transition[]>;
  /** The partition's alerts of a threshold that were told, by account and in their order, each once, in pages of bounded size. */
  crossings(partition: number, ruleId: string): AsyncIterable<readonly StoredCrossing[]>;
  /** Newest first, by instant and id. */
  alerts(query: AlertQuery): Promise<readonly StoredAlert[]>;
  /** By rule and its family: of the alerts that happened at `since` or later and before `until`, both epoch ms. */
  alertCounts(since: number, until: number): Promise<readonly AlertCounts[]>;
  /** Of every stage that something was in by the end of the period. */
  stageFigures(query: StageQuery): Promise<readonly StageFigures[]>;
  /** Those that stall, the longest first, at most so many of a stage. */
  stalledAccounts(query: StageQuery, most: number): Promise<readonly StalledStay[]>;
  saveAlertAction(action: AlertAction): Promise<void>;
  /** Touches of all accounts, and their minutes, that occurred at `from` or later and before `to`, both epoch ms; a repeated write may count twice until it is merged. */
  touchTotals(from: number, to: number): Promise<TouchTotals>;
  apiKeys(): Promise<readonly ApiKeyRow[]>;
  saveApiKey(row: ApiKeyRow): Promise<void>;
  /** Cheap; rejects when the store does not answer. */
  ping(): Promise<void>;
  close(): Promise<void>;
}
