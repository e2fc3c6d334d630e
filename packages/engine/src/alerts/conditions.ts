import type { AccountFact } from '../fact.ts';
import { DAY_MS } from '../time-slots.ts';
import { engagementOf } from '../view.ts';
import type { FilterTest } from './account-filter.ts';
import type { Qualification } from './alert-rules.ts';
import { lastsUntilEngaged, mayEngage } from './figures.ts';
import type { Gauge } from './gauges.ts';
import { reaches, type Metric } from './metrics.ts';
import type { Reading } from './reading.ts';
import { boundaryTurnsAt, hasAhead } from './turning-time.ts';

/**
 * Something that holds of an account at an instant or does not. Rules are made of conditions; of each account it is kept which hold, how much has to
 * come before touches may turn another, and when time may.
 */
export interface Condition {
  /** @param held whether it held right before: where it begins and where it ends may differ */
  holds(reading: Reading, held: boolean): boolean;
  /** What of touches may turn it, or bring forward the instant at which time does. */
  readonly gauge: Gauge;
  /** How much of that may come, from the reading's instant on, before it has to be asked again; infinite for any. */
  room(reading: Reading, held: boolean): number;
  /** Whether a touch may end it, or bring forward the instant at which time turns it. */
  readonly mayFall: boolean;
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

/** What is asked only of accounts that pass a filter. */
export abstract class Filtered {
  readonly #filter: FilterTest | null;

  constructor(filter: FilterTest | null) {
    this.#filter = filter;
  }

  protected isFor(reading: Reading): boolean {
    return this.#filter === null || this.#filter(factOf(reading));
  }
}

/** A figure that has reached a value. */
export class LevelCondition implements Condition {
  readonly metric: Metric;
  readonly #level: Level;
  /** Null where there is one for all. */
  readonly #byTier: ReadonlyMap<string, Level> | null;
  readonly #filter: FilterTest | null;
  readonly gauge: Gauge;
  readonly mayFall: boolean;
  readonly hasRoles: boolean;

  constructor(metric: Metric, level: Level, byTier: ReadonlyMap<string, Level> = new Map(), filter: FilterTest | null = null) {
    this.metric = metric;
    this.#level = level;
    this.#byTier = byTier.size === 0 ? null : byTier;
    this.#filter = filter;
    this.gauge = metric.gauge;
    this.mayFall = metric.mayFall;
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

  room(reading: Reading, held: boolean): number {
    if (this.#filter !== null && !this.#filter(factOf(reading))) return Infinity;
    return this.metric.room(reading.value(this.metric), this.#edge(reading, held), held);
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

const ACT_NOW_GAUGE: Gauge = {
  key: 'actNow',
  isMovedBy: ({ kinds }, kind) => kinds.mayActNow(kind),
  moves: (_ledgers, { isActNow }) => (isActNow ? 1 : 0),
};

/** A touch like those that qualify an account at once, not too long ago. */
export class ActNowCondition implements Condition {
  readonly gauge = ACT_NOW_GAUGE;
  readonly mayFall = false;
  readonly hasRoles = false;
  readonly #daysMs: number;

  constructor({ actNowDays }: Pick<Qualification, 'actNowDays'>) {
    this.#daysMs = actNowDays * DAY_MS;
  }

  holds(reading: Reading): boolean {
    return reading.at < this.#endOf(reading);
  }

  room(_reading: Reading, held: boolean): number {
    return held ? Infinity : 0;
  }

  turnsAt(reading: Reading, held: boolean): number {
    return held ? this.#endOf(reading) : Infinity;
  }

  #endOf({ account, ledgers }: Reading): number {
    const actNowAt = ledgers.accounts.actNowAt[account]!;
    return actNowAt === 0 ? 0 : actNowAt + this.#daysMs;
  }
}

const ENGAGED_GAUGE: Gauge = {
  key: 'engaged',
  isMovedBy: ({ kinds }, kind) => kinds.engages(kind),
  moves: (ledgers, touch) => (mayEngage(ledgers, touch) ? 1 : 0),
};

/** Somebody, known or not, is engaged. */
export class EngagedCondition implements Condition {
  readonly gauge = ENGAGED_GAUGE;
  readonly mayFall = false;
  readonly hasRoles = false;

  holds({ account, at, ledgers }: Reading): boolean {
    return engagementOf(ledgers, account, at).engaged;
  }

  room(_reading: Reading, held: boolean): number {
    return held ? Infinity : 0;
  }

  turnsAt({ account, at, ledgers }: Reading, held: boolean): number {
    const slots = { unitMs: DAY_MS, length: ledgers.model.reachWindowDays };
    if (!hasAhead(ledgers, account, at, DAY_MS)) {
      if (!held) return Infinity;
      const day = Math.max(lastsUntilEngaged(ledgers, account, 1)!, ledgers.accounts.engagedDay[account]!);
      return (day + slots.length) * DAY_MS;
    }
    return boundaryTurnsAt(ledgers, account, at, slots, (then) => engagementOf(ledgers, account, then).engaged !== held);
  }
}
