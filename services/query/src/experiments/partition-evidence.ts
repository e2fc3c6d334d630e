import {
  FIELD,
  fieldsAsked,
  TouchWeigher,
  type PartitionLedgers,
  type ScoringModel,
  type TouchCursor,
  type UsedField,
} from '@touchstone/engine';
import { Evidence, planOf, type CountedTouch, type Crossing, type ExperimentState, type Held } from '@touchstone/experiments';
import type { RoleBook } from './role-book.ts';

/** Touches that wait until those before them are read from the store; some 100 bytes each. With more, reading begins again. */
const WAITING_MAX = 200_000;

const CREATIVE_FIELDS: readonly UsedField[] = ['campaignId', 'creativeId'];

type Counted = Omit<CountedTouch, 'worth' | 'isAbove'>;

const weighers = new WeakMap<ScoringModel, TouchWeigher>();

/** Evidence of one experiment in one partition, and how far it goes. */
interface Entry {
  readonly startedAt: number;
  /** Id of the threshold that accounts are to reach; null where that is not asked. */
  readonly threshold: string | null;
  /** By what touches are weighed; null, of an experiment whose start is recorded without, for the model of now. */
  readonly weights: ScoringModel | null;
  evidence: Evidence;
  /** Null while it takes touches as they come; else those that came after what is being read from the store. */
  waiting: CountedTouch[] | null;
  /** Offset up to which it is complete; null for nothing yet. While it takes touches as they come, that is where the ledgers are. */
  upTo: number | null;
  /** A gap is being read into it. Should that break off, nobody knows what is in it. */
  isHalf: boolean;
  /** Crossings of the threshold are still to be read: rows have come that knew of none. */
  owesCrossings: boolean;
}

/** Crossings of thresholds that are to be read, after the touches. */
export interface OwedCrossings {
  readonly partition: number;
  readonly thresholds: readonly string[];
  /** All that are stored, and all that were told since, were handed to `crossed`. */
  readonly paid: () => void;
}

/** A read that fills gaps: touches from `from` to below `before` belong into these. */
export interface Gap {
  readonly partition: number;
  readonly before: number;
  readonly experiments: readonly { readonly id: string; readonly startedAt: number; readonly upTo: number | null }[];
  /** What is asked of touches beyond ids, kind, times and minutes. */
  readonly fields: readonly UsedField[];
  /** Takes a stored touch, with what was known of roles before it. False when what is read is of no use any more. */
  readonly take: (touch: TouchCursor, offset: number, appendedAt: number, roles: Pick<RoleBook, 'roleOf'>) => boolean;
  /** All is read: what came meanwhile is taken, and the experiments go on with touches as they come. */
  readonly close: () => void;
}

/** The evidence of all running experiments in one partition: from the store up to where the ledgers were, and from there as touches count. */
export class PartitionEvidence {
  readonly partition: number;
  readonly #entries = new Map<string, Entry>();
  readonly #waitingMax: number;
  #ledgers: PartitionLedgers | null = null;

  constructor(partition: number, waitingMax = WAITING_MAX) {
    this.partition = partition;
    this.#waitingMax = waitingMax;
  }

  /** Takes touches from other ledgers of the partition from now on, or from none. Where these are further than those before, there is a gap. */
  attach(ledgers: PartitionLedgers | null): void {
    const former = this.#ledgers;
    if (former === ledgers) return;
    if (former !== null) former.onCounted = null;
    this.#ledgers = ledgers;
    for (const entry of this.#entries.values()) {
      if (entry.waiting === null) entry.upTo = former?.position ?? entry.upTo;
      if (entry.waiting !== null || ledgers === null || ledgers.position !== former?.position) entry.waiting = [];
    }
    if (ledgers !== null) ledgers.onCounted = (touch, now, offset) => this.#take(touch, now, offset);
  }

  /** Keeps evidence of these experiments, and of no other. */
  keep(running: readonly ExperimentState[]): void {
    const ids = new Set(running.map(({ definition }) => definition.id));
    for (const id of this.#entries.keys()) if (!ids.has(id)) this.#entries.delete(id);
    for (const state of running) {
      if (this.#entries.has(state.definition.id)) continue;
      const evidence = evidenceOf(state);
      const threshold = state.definition.threshold ?? null;
      this.#entries.set(state.definition.id, {
        startedAt: state.startedAt!,
        threshold,
        weights: state.weights,
        evidence,
        waiting: [],
        upTo: null,
        isHalf: false,
        owesCrossings: false,
      });
    }
  }

  /** Of an experiment: null while some of it is still to be read. */
  evidenceOf(experimentId: string): Evidence | null {
    const entry = this.#entries.get(experimentId);
    return entry === undefined || entry.waiting !== null || entry.owesCrossings ? null : entry.evidence;
  }

  /** Whether nothing is still to be read from the store. */
  get isWhole(): boolean {
    return this.#entries.values().every(({ waiting }) => waiting === null);
  }

  heldBy(experimentId: string, accountId: string): Held | null {
    const evidence = this.#entries.get(experimentId)?.evidence;
    const row = evidence?.rows.get(accountId);
    if (evidence === undefined || row === undefined) return null;
    return { creativeId: evidence.creatives[evidence.lastCreative[row]!]!, exposedAt: evidence.lastSeenAt[row]! };
  }

  /** What is to be read from the store now; null for nothing. Touches that come from this moment on wait for it. */
  gap(): Gap | null {
    const ledgers = this.#ledgers;
    const open = [...this.#entries].filter(([, { waiting }]) => waiting !== null);
    if (ledgers === null || open.length === 0) return null;
    const before = ledgers.position;
    const places = open.map(([id, entry]) => {
      entry.waiting = [];
      if (entry.isHalf) {
        entry.evidence = new Evidence(entry.evidence.plan, entry.evidence.creatives);
        entry.upTo = null;
      }
      entry.isHalf = true;
      return { id, entry, from: entry.upTo ?? 0, waiting: entry.waiting };
    });
    const isCurrent = (): boolean =>
      this.#ledgers === ledgers && places.every(({ entry, id, waiting }) => this.#entries.get(id) !== entry || entry.waiting === waiting);
    let now = -Infinity;
    return {
      partition: this.partition,
      before,
      fields: [...new Set([...CREATIVE_FIELDS, ...open.flatMap(([, entry]) => fieldsAsked(entry.weights ?? ledgers.model))])],
      experiments: places.map(({ entry, id }) => ({ id, startedAt: entry.startedAt, upTo: entry.upTo })),
      take: (touch, offset, appendedAt, roles) => {
        if (!isCurrent()) return false;
        now = Math.max(now, appendedAt);
        const reads = places.filter(({ entry, from }) => offset >= from && now >= entry.startedAt);
        if (reads.length === 0) return true;
        const counted = countedOf(touch, now, offset);
        const role = roles.roleOf(counted.accountId, touch.text(FIELD.contactId));
        for (const { entry } of reads)
          entry.evidence.touch({ ...counted, worth: this.#weigherOf(entry).worth(touch, role), isAbove: false });
        return true;
      },
      close: () => {
        if (!isCurrent()) return;
        for (const { entry, waiting } of places) {
          for (const touch of waiting) entry.evidence.touch(touch);
          entry.waiting = null;
          entry.isHalf = false;
          entry.owesCrossings = entry.threshold !== null;
        }
      },
    };
  }

  /** What is to be read of thresholds; null for nothing. Touches go on being taken meanwhile: what they are told of crossings comes in any order. */
  owed(): OwedCrossings | null {
    const entries = [...this.#entries.values()].filter(({ owesCrossings, waiting }) => owesCrossings && waiting === null);
    if (entries.length === 0) return null;
    return {
      partition: this.partition,
      thresholds: [...new Set(entries.map(({ threshold }) => threshold!))],
      paid: () => {
        for (const entry of entries) entry.owesCrossings = false;
      },
    };
  }

  /** An account crossed a threshold, as was just told, or has been stored. The same may come again. */
  crossed(thresholdId: string, crossing: Crossing): void {
    for (const { evidence, threshold } of this.#entries.values()) if (threshold === thresholdId) evidence.crossed(crossing);
  }

  #take(touch: TouchCursor, now: number, offset: number): void {
    if (this.#entries.size === 0) return;
    const accountId = touch.text(FIELD.accountId)!;
    const hasCreative = touch.has(FIELD.creativeId);
    let counted: Counted | null = null;
    let role: string | null = null;
    for (const entry of this.#entries.values()) {
      // Most touches are of accounts that no experiment has reached: these cost no more than this.
      if (now < entry.startedAt || (entry.waiting === null && !hasCreative && !entry.evidence.rows.has(accountId))) continue;
      if (counted === null) {
        counted = countedOf(touch, now, offset);
        role = this.#roleOf(touch);
      }
      const worth = this.#weigherOf(entry).worth(touch, role);
      const taken = { ...counted, worth, isAbove: this.#isFirstAbove(entry, touch, accountId) };
      if (entry.waiting === null) entry.evidence.touch(taken);
      // With another list, what is being read is of no use any more.
      else if (entry.waiting.length === this.#waitingMax) entry.waiting = [];
      else entry.waiting.push(taken);
    }
  }

  /** The role that the touch's contact has by now; null for none. */
  #roleOf({ bytes, end, start }: TouchCursor): string | null {
    if (start[FIELD.contactId]! < 0) return null;
    const { accounts, contacts, roles } = this.#ledgers!;
    const account = accounts.names.find(0, bytes, start[FIELD.accountId]!, end[FIELD.accountId]!);
    const contact = account < 0 ? -1 : contacts.names.find(account, bytes, start[FIELD.contactId]!, end[FIELD.contactId]!);
    const role = contact < 0 ? 0 : contacts.role[contact]!;
    return role === 0 ? null : roles.name(role);
  }

  #weigherOf({ weights }: Entry): TouchWeigher {
    const model = weights ?? this.#ledgers!.model;
    let weigher = weighers.get(model);
    if (weigher === undefined) weighers.set(model, (weigher = new TouchWeigher(model)));
    return weigher;
  }

  /** Whether the touch may be the first of an account that stands above the threshold. What is above and was not told does not count as such. */
  #isFirstAbove({ evidence, threshold }: Entry, { bytes, end, start }: TouchCursor, accountId: string): boolean {
    if (threshold === null || evidence.rows.has(accountId)) return false;
    const { accounts, alerts } = this.#ledgers!;
    const account = accounts.names.find(0, bytes, start[FIELD.accountId]!, end[FIELD.accountId]!);
    const state = account < 0 ? null : alerts.stateOf(account, 'threshold', threshold);
    return state !== null && state.isIn && !state.isHeld;
  }
}

function evidenceOf(state: ExperimentState): Evidence {
  return new Evidence(
    planOf(state),
    state.definition.arms.map(({ creativeId }) => creativeId),
  );
}

function countedOf(touch: TouchCursor, appendedAt: number, offset: number): Counted {
  return {
    accountId: touch.text(FIELD.accountId)!,
    kind: touch.text(FIELD.kind)!,
    campaignId: touch.text(FIELD.campaignId),
    creativeId: touch.text(FIELD.creativeId),
    occurredAt: touch.occurredAt,
    appendedAt,
    offset,
  };
}
