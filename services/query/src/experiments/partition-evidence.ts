import { FIELD, fieldsAsked, type PartitionLedgers, type ScoringModel, type TouchCursor, type UsedField } from '@touchstone/engine';
import { Evidence, planOf, type Crossing, type ExperimentState, type Held } from '@touchstone/experiments';
import type { RoleBook } from './role-book.ts';
import { concerns, WaitingTouches, type SharedTouch, type WaitingReader } from './waiting-touches.ts';
import { sameModel, Worths } from './worths.ts';

/** Touches of the partition that wait until those before them are read from the store. With more, reading begins again. */
const WAITING_MAX = 200_000;

const CREATIVE_FIELDS: readonly UsedField[] = ['campaignId', 'creativeId'];

/** Evidence of one experiment in one partition, and how far it goes. */
interface Entry extends WaitingReader {
  /** Id of the threshold that accounts are to reach; null where that is not asked. */
  readonly threshold: string | null;
  /** By what touches are weighed: one object for all that weigh alike; null, of an experiment whose start is recorded without, for the model of now. */
  readonly weights: ScoringModel | null;
  evidence: Evidence;
  /** Says what accounts were shown: the evidence, or, while another one is made in its place, what was served before. */
  shown: Evidence;
  /** False while it takes touches as they come; else some are to be read from the store, and those that come after these wait. */
  isOpen: boolean;
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
  /** Null while nothing is being read. */
  #waiting: WaitingTouches | null = null;
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
    this.#waitFor(null);
    for (const entry of this.#entries.values()) {
      if (!entry.isOpen) entry.upTo = former?.position ?? entry.upTo;
      if (ledgers === null || ledgers.position !== former?.position) entry.isOpen = true;
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
        weights: state.weights === null ? null : sameModel(state.weights, this.#weights()),
        evidence,
        shown: evidence,
        isOpen: true,
        upTo: null,
        isHalf: false,
        owesCrossings: false,
      });
    }
  }

  /** Of an experiment: null while some of it is still to be read. */
  evidenceOf(experimentId: string): Evidence | null {
    const entry = this.#entries.get(experimentId);
    return entry === undefined || entry.isOpen || entry.owesCrossings ? null : entry.evidence;
  }

  /** Whether nothing is still to be read from the store. */
  get isWhole(): boolean {
    return this.#entries.values().every(({ isOpen }) => !isOpen);
  }

  heldBy(experimentId: string, accountId: string): Held | null {
    const shown = this.#entries.get(experimentId)?.shown;
    const row = shown?.rows.get(accountId);
    if (shown === undefined || row === undefined) return null;
    return { creativeId: shown.creatives[shown.lastCreative[row]!]!, exposedAt: shown.lastSeenAt[row]! };
  }

  /** What is to be read from the store now; null for nothing. Touches that come from this moment on wait for it. */
  gap(): Gap | null {
    const ledgers = this.#ledgers;
    const open = [...this.#entries].filter(([, { isOpen }]) => isOpen);
    if (ledgers === null || open.length === 0) return null;
    const before = ledgers.position;
    const places = open.map(([id, entry]) => {
      if (entry.isHalf) {
        entry.evidence = new Evidence(entry.evidence.plan, entry.evidence.creatives);
        entry.upTo = null;
      }
      entry.isHalf = true;
      return { id, entry, from: entry.upTo ?? 0 };
    });
    const waiting = new WaitingTouches(
      places.map(({ entry }) => entry),
      this.#waitingMax,
    );
    this.#waitFor(waiting);
    const isCurrent = (): boolean => this.#waiting === waiting;
    let now = -Infinity;
    return {
      partition: this.partition,
      before,
      fields: [...new Set([...CREATIVE_FIELDS, ...waiting.weights.flatMap((weights) => fieldsAsked(weights ?? ledgers.model))])],
      experiments: places.map(({ entry, id }) => ({ id, startedAt: entry.startedAt, upTo: entry.upTo })),
      take: (touch, offset, appendedAt, roles) => {
        if (!isCurrent()) return false;
        now = Math.max(now, appendedAt);
        const accountId = touch.text(FIELD.accountId)!;
        const campaignId = campaignOf(touch);
        let shared: SharedTouch | null = null;
        let worths: Worths | null = null;
        for (const { entry, from } of places) {
          if (offset < from || now < entry.startedAt || !concerns(entry.evidence, accountId, campaignId)) continue;
          shared ??= sharedOf(touch, now, offset, accountId);
          worths ??= new Worths(touch, roles.roleOf(accountId, touch.text(FIELD.contactId)));
          entry.evidence.touch({ ...shared, worth: worths.by(entry.weights ?? ledgers.model), isAbove: false });
        }
        return true;
      },
      close: () => {
        if (!isCurrent()) return;
        for (const { entry } of places) {
          waiting.moveInto(entry);
          entry.isOpen = false;
          entry.isHalf = false;
          entry.shown = entry.evidence;
          entry.owesCrossings = entry.threshold !== null;
        }
        this.#waitFor(null);
      },
    };
  }

  /** What is to be read of thresholds; null for nothing. Touches go on being taken meanwhile: what they are told of crossings comes in any order. */
  owed(): OwedCrossings | null {
    const entries = [...this.#entries.values()].filter(({ isOpen, owesCrossings }) => owesCrossings && !isOpen);
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
    const campaignId = campaignOf(touch);
    let shared: SharedTouch | null = null;
    let worths: Worths | null = null;
    for (const entry of this.#entries.values()) {
      // Most touches are of accounts that no experiment has reached, and of other campaigns: these cost no more than this.
      if (entry.isOpen || now < entry.startedAt || !concerns(entry.evidence, accountId, campaignId)) continue;
      shared ??= sharedOf(touch, now, offset, accountId);
      worths ??= new Worths(touch, this.#roleOf(touch));
      const isAbove = entry.threshold !== null && !entry.evidence.rows.has(accountId) && this.#isAbove(touch, entry.threshold);
      entry.evidence.touch({ ...shared, worth: worths.by(entry.weights ?? this.#ledgers!.model), isAbove });
    }
    if (this.#waiting === null) return;
    // Without the list, what is being read is of no use any more.
    if (this.#waiting.isFull) return this.#waitFor(null);
    worths ??= new Worths(touch, this.#roleOf(touch));
    const { weights } = this.#waiting;
    const above = campaignId === null ? [] : this.#waiting.thresholdsOf(campaignId).filter((threshold) => this.#isAbove(touch, threshold));
    this.#waiting.push(
      shared ?? sharedOf(touch, now, offset, accountId),
      weights.map((by) => worths.by(by ?? this.#ledgers!.model)),
      above,
    );
  }

  /** Touches that come from now on wait there. */
  #waitFor(waiting: WaitingTouches | null): void {
    this.#waiting?.forget();
    this.#waiting = waiting;
  }

  *#weights(): Generator<ScoringModel | null> {
    for (const { weights } of this.#entries.values()) yield weights;
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

  /** Whether the touch's account stands above a threshold. What is above and was not told does not count as such. */
  #isAbove({ bytes, end, start }: TouchCursor, threshold: string): boolean {
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

/** Of a touch that names a creative: any other exposes nobody. */
function campaignOf(touch: TouchCursor): string | null {
  return touch.has(FIELD.creativeId) ? touch.text(FIELD.campaignId) : null;
}

function sharedOf(touch: TouchCursor, appendedAt: number, offset: number, accountId: string): SharedTouch {
  const creativeId = touch.text(FIELD.creativeId);
  const campaignId = campaignOf(touch);
  return { accountId, kind: touch.text(FIELD.kind)!, campaignId, creativeId, occurredAt: touch.occurredAt, appendedAt, offset };
}
