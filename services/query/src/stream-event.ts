import type { AccountScore } from '@touchstone/codec';
import type { Alert, LedgerSet } from '@touchstone/engine';
import { alertAnswer } from './alert-answers.ts';
import { timeText, timeTextOrNull } from './answers.ts';
import type { AppliedStep } from './experiments/experiment-log.ts';

export const EVENT_NAMES = ['score', 'alert', 'stage', 'experiment'] as const;
export type EventName = (typeof EVENT_NAMES)[number];

/** What a topic says of an account, as readers of the stream get it. */
export interface Published {
  readonly event: EventName;
  readonly partition: number;
  readonly offset: number;
  readonly accountId: string;
  /** Owner of the account. */
  readonly owner: string | null;
  /** Null for what is no score. */
  readonly score: number | null;
  /** Made when the first reader wants it, which is never for most scores of a server under load. */
  readonly json: string;
}

export class PublishedScore implements Published {
  readonly event = 'score';
  readonly partition: number;
  readonly offset: number;
  readonly #score: AccountScore;
  readonly #ledgers: LedgerSet;
  #owner: string | null | undefined;
  #json: string | null = null;

  constructor(partition: number, offset: number, score: AccountScore, ledgers: LedgerSet) {
    this.partition = partition;
    this.offset = offset;
    this.#score = score;
    this.#ledgers = ledgers;
  }

  get accountId(): string {
    return this.#score.accountId;
  }

  /** As it is when the first reader asks for it. */
  get owner(): string | null {
    if (this.#owner === undefined) {
      const place = this.#ledgers.find(this.accountId);
      this.#owner = place?.ledgers.accounts.facts.get(place.account)?.owner ?? null;
    }
    return this.#owner;
  }

  get score(): number {
    return this.#score.score;
  }

  get json(): string {
    return (this.#json ??= jsonOf(this.#score));
  }
}

export class PublishedAlert implements Published {
  readonly event: 'alert' | 'stage';
  readonly partition: number;
  readonly offset: number;
  readonly score = null;
  readonly alert: Alert;
  #json: string | null = null;

  constructor(partition: number, offset: number, alert: Alert) {
    this.event = alert.type === 'account.stage.changed' ? 'stage' : 'alert';
    this.partition = partition;
    this.offset = offset;
    this.alert = alert;
  }

  get accountId(): string {
    return this.alert.accountId;
  }

  /** As it was when the alert was made. */
  get owner(): string | null {
    return this.alert.owner;
  }

  get json(): string {
    return (this.#json ??= JSON.stringify(alertAnswer(this.alert)));
  }
}

/** A step of an experiment. It is told to who listens, and not kept: `GET /v1/experiments/{id}/history` has it. */
export class PublishedStep implements Published {
  readonly event = 'experiment';
  readonly partition = 0;
  readonly offset: number;
  /** Of none: readers that want some accounts alone do not want it. */
  readonly accountId = '';
  readonly owner = null;
  readonly score = null;
  readonly json: string;

  constructor({ entry, offset, state }: AppliedStep) {
    this.offset = offset;
    const { action, at, by, creativeId, reason, revision } = entry;
    const { campaignId, flagKey, id } = state.definition;
    this.json = JSON.stringify({ experimentId: id, campaignId, flagKey, revision, action, at: timeText(at), by, creativeId, reason });
  }
}

/** On its way to readers. All of them are handed the same object, so that it is encoded once, however many they are. */
export class StreamEvent {
  /** Says how far a reader is in every partition once it has this event. */
  readonly id: string;
  readonly published: Published;
  /** Counts what is told live. What a reader catches up with is its own: null. */
  readonly #number: number | null;
  #bytes: Buffer | null = null;
  /** This event and those right after it, as they were last written together. */
  #run: { readonly length: number; readonly bytes: Buffer } | null = null;

  constructor(id: string, published: Published, number: number | null) {
    this.id = id;
    this.published = published;
    this.#number = number;
  }

  /** Events in a row as bytes of the stream. Readers that want every event share them: what they leave unread is in memory once. */
  static bytesOf(events: readonly StreamEvent[]): Buffer {
    const first = events[0]!;
    if (events.length === 1) return first.#encoded();
    const last = events.at(-1)!;
    const isWhole = first.#number !== null && last.#number !== null && last.#number - first.#number === events.length - 1;
    if (isWhole && first.#run?.length === events.length) return first.#run.bytes;
    const bytes = Buffer.concat(events.map((event) => event.#encoded()));
    if (isWhole) first.#run = { length: events.length, bytes };
    return bytes;
  }

  #encoded(): Buffer {
    return (this.#bytes ??= Buffer.from(`id: ${this.id}\nevent: ${this.published.event}\ndata: ${this.published.json}\n\n`));
  }
}

function jsonOf({ asOf, lastTouchAt, ...score }: AccountScore): string {
  return JSON.stringify({ ...score, asOf: timeText(asOf), lastTouchAt: timeTextOrNull(lastTouchAt) });
}
