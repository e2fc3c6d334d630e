import type { AccountFact } from '../fact.ts';
import type { PartitionLedgers } from '../ledgers.ts';
import { DAY_MS } from '../time-slots.ts';
import { engagementOf } from '../view.ts';
import type { FilterTest } from './account-filter.ts';
import type { Qualification } from './alert-rules.ts';
import { mayEngage, reaches, type ComingTouch, type Metric } from './metrics.ts';
import type { Reading } from './reading.ts';
import { boundaryTurnsAt, hasAhead } from './turning-time.ts';

/**
 * Something that holds of an account at an instant or does not. Rules are made of conditions; of each account it is kept which hold, so that a
 * touch asks only for those that it can turn, and time only for those that are due.
 */
export interface Condition {
  /** @param held whether it held right before: where it begins and where it ends may differ */
  holds(reading: Reading, held: boolean): boolean;
  /** Whether a touch that is about to count can turn it at the time of its append. */
  mayTurn(ledgers: PartitionLedgers, touch: ComingTouch, held: boolean): boolean;
  /** Whether a touch that did not turn it may have brought forward the instant at which time turns it. */
  readonly isHastened: boolean;
  /** Whether it depends on the roles of contacts. */
  readonly hasRoles: boolean;
  /** First instant after the reading's at which time alone may turn it; never too late, Infinity for never. */
  turnsAt(reading: Reading, held: boolean): number;
}

export interface Level {
  readonly enter: number;
  readonly exit: number;
}

export function factOf({ account, ledgers }: Reading): AccountFact | undefined {
  return ledgers.accounts.facts.get(account);
}

/** A figure that has reached a value. */
export class LevelCondition implements Condition {
  readonly metric: Metric;
  readonly #level: Level;
  /** Null where there is one for all. */
  readonly #byTier: ReadonlyMap<string, Level> | null;
  readonly #filter: FilterTest | null;
  readonly isHastened: boolean;
  readonly hasRoles: boolean;

  constructor(metric: Metric, level: Level, byTier: ReadonlyMap<string, Level> = new Map(), filter: FilterTest | null = null) {
    this.metric = metric;
    this.#level = level;
    this.#byTier = byTier.size === 0 ? null : byTier;
    this.#filter = filter;
    this.isHastened = metric.mayFall;
    this.hasRoles = metric.hasRoles;
  }

  levelOf(fact: AccountFact | undefined): Level {
    const tier = this.#byTier === null ? null : (fact?.tier ?? null);
    return (tier === null ? undefined : this.#byTier!.get(tier)) ?? this.#level;
  }

  isFor(fact: AccountFact | undefined): boolean {
    return this.#filter === null || this.#filter(fact);
  }

  holds(reading: Reading, held: boolean): boolean {
    if (this.#filter !== null && !this.#filter(factOf(reading))) return false;
    return reaches(reading.value(this.metric), this.#edge(reading, held));
  }

  mayTurn(ledgers: PartitionLedgers, touch: ComingTouch, held: boolean): boolean {
    return (!held || this.metric.mayFall) && this.metric.mayChange(ledgers, touch);
  }

  turnsAt(reading: Reading, held: boolean): number {
    if (this.#filter !== null && !this.#filter(factOf(reading))) return Infinity;
    return this.metric.turnsAt(reading.ledgers, reading.account, reading.at, this.#edge(reading, held), held);
  }

  #edge(reading: Reading, held: boolean): number {
    const { enter, exit } = this.#byTier === null ? this.#level : this.levelOf(factOf(reading));
    return held ? exit : enter;
  }
}

/** A touch like those that qualify an account at once, not too long ago. */
export class ActNowCondition implements Condition {
  readonly isHastened = false;
  readonly hasRoles = false;
  readonly #daysMs: number;

  constructor({ actNowDays }: Pick<Qualification, 'actNowDays'>) {
    this.#daysMs = actNowDays * DAY_MS;
  }

  holds(reading: Reading): boolean {
    return reading.at < this.#endOf(reading);
  }

  mayTurn(_ledgers: PartitionLedgers, { isActNow }: ComingTouch, held: boolean): boolean {
    return isActNow && !held;
  }

  turnsAt(reading: Reading, held: boolean): number {
    return held ? this.#endOf(reading) : Infinity;
  }

  #endOf({ account, ledgers }: Reading): number {
    const actNowAt = ledgers.accounts.actNowAt[account]!;
    return actNowAt === 0 ? 0 : actNowAt + this.#daysMs;
  }
}

/** Somebody, known or not, is engaged. */
export class EngagedCondition implements Condition {
  readonly isHastened = false;
  readonly hasRoles = false;

  holds({ account, at, ledgers }: Reading): boolean {
    return engagementOf(ledgers, account, at).engaged;
  }

  mayTurn(ledgers: PartitionLedgers, touch: ComingTouch, held: boolean): boolean {
    return !held && mayEngage(ledgers, touch);
  }

  turnsAt({ account, at, ledgers }: Reading, held: boolean): number {
    if (!held && !hasAhead(ledgers, account, at, DAY_MS)) return Infinity;
    const slots = { unitMs: DAY_MS, length: ledgers.model.reachWindowDays };
    return boundaryTurnsAt(ledgers, account, at, slots, (then) => engagementOf(ledgers, account, then).engaged !== held);
  }
}
