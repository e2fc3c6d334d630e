import { isDeepStrictEqual } from 'node:util';
import { decodeAccountScore, decodeAlert, isPoison, type AccountScore } from '@touchstone/codec';
import { OUTCOME, type Transition } from '@touchstone/engine';
import { ALERTS_TOPIC, DEAD_LETTERS_TOPIC, EVENTS_TOPIC, SCORES_TOPIC, type OutgoingRecord } from '@touchstone/event-log';
import type { DeadLetter, ScoreRow, StoredPosition } from '@touchstone/store';
import type { Appended } from './broker.ts';
import { stepKey, type Database, type StoreObserver } from './database.ts';
import type { ExpectedPartition } from './expected.ts';
import type { LogObserver } from './log-world.ts';
import type { GroupSubscription } from './model-subscription.ts';
import type { Trace } from './trace.ts';

export interface Publication extends AccountScore {
  readonly partition: number;
}

interface WatcherOptions {
  readonly expected: readonly ExpectedPartition[];
  readonly trace: Trace;
  readonly virtualNow: () => number;
  /** Whether the alerts of the run are known beforehand: see `rules.ts`. */
  readonly areAlertsKnown: boolean;
  /** Told right before scores leave a host. */
  readonly onPublish: (subscription: GroupSubscription) => void;
}

/** What readers know of an account: the highest version they have seen, under each model. */
type Known = Map<string, number>;

const VIOLATIONS_MAX = 20;
const decoder = new TextDecoder();

/** Looks at every effect as it happens, and notes what must never be. */
export class Watcher implements LogObserver, StoreObserver {
  readonly violations: string[] = [];
  readonly publications: Publication[] = [];
  readonly scoreRows: ScoreRow[] = [];
  /** Keys on the dead-letter topic. */
  readonly deadLetterKeys = new Set<string>();
  /** When each alert was told first, in virtual time, by id; by partition. */
  readonly alertsTold: Map<string, number>[];
  /** Set once it stands. */
  database: Database | null = null;
  /** From now on the log is not what the store was written from. */
  isAfterDisaster = false;
  readonly #options: WatcherOptions;
  readonly #known: Map<string, Known>[];
  /** Below these all was seen to be stored, by partition. */
  readonly storedBelow: number[];
  /** Highest positions ever committed: a request that comes late may put one back. */
  readonly committedBelow: number[];
  /** Place of the model, among those of the partition, under which all that is committed was published; -1 for the default. */
  readonly #modelSeen: number[];
  /** Of the transitions expected these were seen to be stored, and those of them that are alerts to be told: how many from the beginning, by partition. */
  readonly #transitionsStored: number[];
  readonly #transitionsTold: number[];
  readonly #effectsBelow: { offset: number; changes: number; model: string }[];

  constructor(options: WatcherOptions) {
    this.#options = options;
    this.#known = options.expected.map(() => new Map<string, Known>());
    this.storedBelow = options.expected.map(() => 0);
    this.committedBelow = options.expected.map(() => 0);
    this.#modelSeen = options.expected.map(() => -1);
    this.alertsTold = options.expected.map(() => new Map<string, number>());
    this.#transitionsStored = options.expected.map(() => 0);
    this.#transitionsTold = options.expected.map(() => 0);
    this.#effectsBelow = options.expected.map(() => ({ offset: 0, changes: 0, model: '' }));
  }

  violate(what: string): void {
    this.#options.trace.note('VIOLATION', what);
    if (this.violations.length < VIOLATIONS_MAX) this.violations.push(what);
  }

  appends(topic: string, records: readonly OutgoingRecord[], subscription: GroupSubscription | null): void {
    if ((topic !== SCORES_TOPIC && topic !== ALERTS_TOPIC) || subscription === null) return;
    for (const partition of new Set(records.map((record) => record.partition ?? -1))) {
      if (!subscription.owns(partition)) this.violate(`${topic} of partition ${partition} are published by one who does not own it`);
    }
    if (topic === SCORES_TOPIC) this.#options.onPublish(subscription);
  }

  appended(appended: Appended, isOwner: boolean): void {
    const { baseOffset, partition, records } = appended;
    const { index, topic } = partition;
    if (topic === EVENTS_TOPIC) {
      this.#options.trace.note('ticks', index, baseOffset, records.length);
      if (!this.isAfterDisaster) this.#options.expected[index]!.add(appended);
    }
    if (topic === ALERTS_TOPIC) this.#alerted(index, records);
    if (topic === DEAD_LETTERS_TOPIC) for (const { key } of records) this.deadLetterKeys.add(decoder.decode(key ?? undefined));
    if (topic !== SCORES_TOPIC) return;
    this.#options.trace.note('scores', index, records.length);
    for (const { value } of records) {
      const score = decodeAccountScore(value!, 0, value!.length);
      if (isPoison(score)) {
        this.violate(`a score can not be read: ${score.detail}`);
        continue;
      }
      this.publications.push({ ...score, partition: index });
      this.#know(index, score, isOwner);
    }
  }

  delivers(): void {}

  commits(_subscription: GroupSubscription, partition: number, owns: boolean): void {
    if (!owns) this.violate(`a position of partition ${partition} is committed by one who does not own it`);
  }

  committed(partition: number, offset: number, isOwner: boolean): void {
    this.#options.trace.note('committed', partition, offset, isOwner ? 'by its owner' : 'by a former owner');
    this.committedBelow[partition] = Math.max(this.committedBelow[partition]!, offset);
    if (this.isAfterDisaster) return;
    if (offset > this.storedBelow[partition]!) {
      this.violate(`partition ${partition} is committed at ${offset} and stored below ${this.storedBelow[partition]!} only`);
    }
    this.#checkEffects(partition, offset);
    const expected = this.#options.expected[partition]!;
    const model = expected.placeOfModel(expected.modelBelow(offset).version);
    // A request that comes late puts the position back, and with it all that the next owner can know of what was published.
    this.#modelSeen[partition] = isOwner ? Math.max(this.#modelSeen[partition]!, model) : Math.min(this.#modelSeen[partition]!, model);
  }

  positioned({ offset, partition }: StoredPosition): void {
    this.#options.trace.note('stored', partition, offset);
    if (this.isAfterDisaster) return;
    const { blocks, growthAt, outcomes } = this.#options.expected[partition]!;
    const end = blocks.at(-1)?.nextOffset ?? 0;
    if (offset > end) this.violate(`partition ${partition} is stored at ${offset}, it ends at ${end}`);
    const touches = this.database!.touches.get(partition) ?? [];
    const facts = this.database!.facts.get(partition) ?? [];
    for (let at = this.storedBelow[partition]!; at < offset; at++) {
      const outcome = outcomes[at];
      const isTouch = outcome === OUTCOME.counted || outcome === OUTCOME.unresolved;
      const isFact = outcome === OUTCOME.fact || outcome === OUTCOME.model || growthAt.has(at);
      const isMissing =
        isTouch !== (touches[at] !== undefined) ||
        isFact !== (facts[at] !== undefined) ||
        (outcome === OUTCOME.setAside && !this.database!.deadLetters.has(`${partition}/${at}`));
      if (isMissing)
        this.violate(`partition ${partition} is stored at ${offset}, but record ${at} (${outcome}) is not stored as it should be`);
    }
    this.#checkTransitions(partition, offset);
    this.storedBelow[partition] = Math.max(this.storedBelow[partition]!, offset);
  }

  scored(row: ScoreRow): void {
    this.scoreRows.push(row);
  }

  deadLettered({ offset, partition }: DeadLetter): void {
    if (!this.deadLetterKeys.has(`events/${partition}/${offset}`)) {
      this.violate(`the dead letter of ${partition}/${offset} is stored before it is on its topic`);
    }
  }

  contradicted(partition: number, place: number | string): void {
    if (typeof place === 'string' && !this.#options.areAlertsKnown) return;
    this.violate(`two different rows were stored for ${partition}/${place}`);
  }

  /** What of the changes below an offset is not published under this model or a later one; null when all is. */
  lacksPublication(partition: number, from: number, below: number, model: string): string | null {
    const { changes, models } = this.#options.expected[partition]!;
    const first = models.findIndex((published) => published.model.version === model);
    const later = [model, ...models.slice(first + 1).map((published) => published.model.version)];
    const known = this.#known[partition]!;
    const versions = new Map<string, number>();
    for (let at = from; at < changes.length && changes[at]!.offset < below; at++) versions.set(changes[at]!.accountId, changes[at]!.offset);
    for (const [accountId, version] of versions) {
      const seen = Math.max(...later.map((name) => known.get(accountId)?.get(name) ?? -1));
      if (seen < version) return `${accountId} at ${version} under ${model} (seen: ${seen})`;
    }
    return null;
  }

  #know(partition: number, { accountId, modelVersion, version }: AccountScore, isOwner: boolean): void {
    const ofPartition = this.#known[partition]!;
    const known = ofPartition.get(accountId) ?? new Map<string, number>();
    ofPartition.set(accountId, known);
    const newest = Math.max(-1, ...known.values());
    if (isOwner && version < newest) {
      this.violate(`the owner of partition ${partition} publishes ${accountId} at ${version} after readers have seen ${newest}`);
    }
    if (isOwner && this.#options.expected[partition]!.placeOfModel(modelVersion) < this.#modelSeen[partition]!) {
      this.violate(`the owner of partition ${partition} publishes ${accountId} under ${modelVersion} after a later model was committed`);
    }
    known.set(modelVersion, Math.max(known.get(modelVersion) ?? -1, version));
  }

  /** Each is one of those that the log before it gives, with the same content whenever it is told, and none is told before those that came first. */
  #alerted(partition: number, records: readonly OutgoingRecord[]): void {
    this.#options.trace.note('alerts', partition, records.length);
    if (this.isAfterDisaster || !this.#options.areAlertsKnown) return;
    const { alerts, transitions } = this.#options.expected[partition]!;
    const told = this.alertsTold[partition]!;
    for (const { value } of records) {
      const alert = decodeAlert(value!, 0, value!.length);
      if (isPoison(alert)) {
        this.violate(`an alert can not be read: ${alert.detail}`);
        continue;
      }
      const expected = alerts.get(alert.id);
      if (expected === undefined) this.violate(`an alert was told that the log does not give: ${JSON.stringify(alert)}`);
      else if (!isDeepStrictEqual(alert, expected.transition.alert))
        this.violate(`told was ${JSON.stringify(alert)}, the log gives ${JSON.stringify(expected.transition.alert)}`);
      if (expected === undefined) continue;
      if (!told.has(alert.id)) told.set(alert.id, this.#options.virtualNow());
      const lacking = this.#lacksAlert(partition, expected.transition.offset);
      if (lacking !== null)
        this.violate(`partition ${partition} tells ${alert.id} before ${JSON.stringify(transitions[lacking])}, which came first`);
    }
  }

  /** Place of the first transition below an offset that is to be told and was not; null when all were. */
  #lacksAlert(partition: number, below: number): number | null {
    if (!this.#options.areAlertsKnown) return null;
    const { transitions } = this.#options.expected[partition]!;
    let place = this.#transitionsTold[partition]!;
    const isOut = ({ alert, isHeld }: Transition): boolean => isHeld || this.alertsTold[partition]!.has(alert.id);
    while (place < transitions.length && isOut(transitions[place]!)) place++;
    this.#transitionsTold[partition] = place;
    return place < transitions.length && transitions[place]!.offset < below ? place : null;
  }

  /** Every step below a position that is stored is stored as well, as the log gives it. */
  #checkTransitions(partition: number, below: number): void {
    if (!this.#options.areAlertsKnown) return;
    const { transitions } = this.#options.expected[partition]!;
    const stored = this.database!.transitions.get(partition);
    let place = this.#transitionsStored[partition]!;
    for (; place < transitions.length && transitions[place]!.offset < below; place++) {
      const expected = transitions[place]!;
      const row = stored?.get(stepKey(expected));
      if (row === undefined || !isDeepStrictEqual(row, expected))
        this.violate(`partition ${partition} is stored at ${below} with ${JSON.stringify(row)}, the log gives ${JSON.stringify(expected)}`);
    }
    this.#transitionsStored[partition] = place;
  }

  /** What is committed must be out: a start does not publish it again. */
  #checkEffects(partition: number, offset: number): void {
    const untold = this.#lacksAlert(partition, offset);
    if (untold !== null) {
      const { alert } = this.#options.expected[partition]!.transitions[untold]!;
      this.violate(`partition ${partition} is committed at ${offset}, but not told is ${JSON.stringify(alert)}`);
    }
    const checked = this.#effectsBelow[partition]!;
    const model = this.#options.expected[partition]!.modelBelow(offset).version;
    if (offset <= checked.offset) return;
    const { changes } = this.#options.expected[partition]!;
    const from = model === checked.model ? checked.changes : 0;
    const lacking = this.lacksPublication(partition, from, offset, model);
    if (lacking !== null) this.violate(`partition ${partition} is committed at ${offset}, but not published is ${lacking}`);
    let seen = checked.changes;
    while (seen < changes.length && changes[seen]!.offset < offset) seen++;
    Object.assign(checked, { offset, changes: seen, model });
  }
}
