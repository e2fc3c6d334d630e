import { familyOf, type RuleState, type Transition } from '@touchstone/engine';
import type { Checkpoint, DeadLetter, ScoreRow, StoredFact, StoredPosition, TouchTotals } from '@touchstone/store';
import type { FactRow } from './stored-run.ts';
import { isSameTouch, type StoredTouch } from './stored-touches.ts';

/** Whoever watches what is stored. */
export interface StoreObserver {
  /** A position now stands that did not before. */
  positioned(position: StoredPosition): void;
  scored(row: ScoreRow): void;
  deadLettered(deadLetter: DeadLetter): void;
  /** Two different rows were written for one place on the log, or for one step of an account. */
  contradicted(partition: number, place: number | string): void;
}

/**
 * The store's server side, shared by all hosts: tables whose rows replace each other by key, as ClickHouse's ReplacingMergeTree does it. A row
 * may be written any number of times.
 */
export class Database {
  /** By partition and offset. */
  readonly touches = new Map<number, StoredTouch[]>();
  readonly facts = new Map<number, FactRow[]>();
  readonly deadLetters = new Map<string, DeadLetter>();
  readonly scores = new Map<string, ScoreRow>();
  /** By partition, then by account, rule and step. */
  readonly transitions = new Map<number, Map<string, Transition>>();
  /** By partition, one of each generation, in the order first written. */
  readonly #positions = new Map<number, Map<string, StoredPosition & { writtenAt: number }>>();
  readonly #observer: StoreObserver;
  /** Rows that stood already when they were written. */
  rowsRepeated = 0;
  #writes = 0;

  constructor(observer: StoreObserver) {
    this.#observer = observer;
  }

  insertTouches(partition: number, rows: readonly StoredTouch[]): void {
    const known = this.#of(this.touches, partition);
    for (const row of rows) {
      const standing = known[row.offset];
      if (standing !== undefined) {
        this.rowsRepeated++;
        if (!isSameTouch(standing, row)) this.#observer.contradicted(partition, row.offset);
      }
      known[row.offset] = row;
    }
  }

  insertFacts(rows: readonly StoredFact[]): void {
    for (const { appendedAt, fact, offset, partition } of rows) {
      const known = this.#of(this.facts, partition);
      const row = { offset, appendedAt, type: fact.type, body: JSON.stringify(bodyOf(fact)) };
      const standing = known[offset];
      if (standing !== undefined && standing.body !== row.body) this.#observer.contradicted(partition, offset);
      known[offset] = row;
    }
  }

  insertDeadLetters(rows: readonly DeadLetter[]): void {
    for (const row of rows) {
      this.deadLetters.set(`${row.partition}/${row.offset}`, row);
      this.#observer.deadLettered(row);
    }
  }

  insertTransitions(rows: readonly Transition[]): void {
    for (const row of rows) {
      const { accountId, partition, ruleId } = row.alert;
      const known = this.transitions.get(partition) ?? new Map<string, Transition>();
      this.transitions.set(partition, known);
      const key = stepKey(row);
      const standing = known.get(key);
      if (standing !== undefined && JSON.stringify(standing) !== JSON.stringify(row))
        this.#observer.contradicted(partition, `step ${row.step} of ${accountId} under ${ruleId}`);
      known.set(key, row);
    }
  }

  ruleStates(partition: number, before: number): RuleState[] {
    return statesOf(this.transitionsOf(partition, 0, before));
  }

  /** By offset and time. */
  transitionsOf(partition: number, from: number, before: number): Transition[] {
    const rows = [...(this.transitions.get(partition)?.values() ?? [])].filter(({ offset }) => offset >= from && offset < before);
    return rows.sort(
      (one, other) => one.offset - other.offset || one.alert.at - other.alert.at || (stepKey(one) < stepKey(other) ? -1 : 1),
    );
  }

  touchTotals(from: number, to: number): TouchTotals {
    const totals = { touches: 0, minutes: 0 };
    for (const rows of this.touches.values())
      for (const row of rows) {
        if (row === undefined || row.occurredAt < from || row.occurredAt >= to) continue;
        totals.touches++;
        totals.minutes += row.minutes;
      }
    return totals;
  }

  /** Within a generation of the topic the highest offset stays. */
  insertPositions(rows: readonly Checkpoint[]): void {
    for (const { generation, offset, partition } of rows) {
      const ofPartition = this.#positions.get(partition) ?? new Map<string, StoredPosition & { writtenAt: number }>();
      this.#positions.set(partition, ofPartition);
      const standing = ofPartition.get(generation);
      if (standing !== undefined && standing.offset > offset) continue;
      const position = { partition, offset, generation, writtenAt: this.#writes++ };
      ofPartition.set(generation, position);
      this.#observer.positioned(position);
    }
  }

  /** Of two rows of an account the higher version stays, then the later asOf. */
  insertScores(rows: readonly ScoreRow[]): void {
    for (const row of rows) {
      this.#observer.scored(row);
      const standing = this.scores.get(row.accountId);
      const isNewer =
        standing === undefined || row.version > standing.version || (row.version === standing.version && row.asOf >= standing.asOf);
      if (isNewer) this.scores.set(row.accountId, row);
    }
  }

  /** Of the generation that was written last. */
  positions(): Map<number, StoredPosition> {
    const positions = new Map<number, StoredPosition>();
    for (const [partition, ofPartition] of this.#positions) {
      const last = [...ofPartition.values()].reduce((one, other) => (one.writtenAt > other.writtenAt ? one : other));
      positions.set(partition, { partition, offset: last.offset, generation: last.generation });
    }
    return positions;
  }

  firstOffset(partition: number, from: number): number {
    let first = Infinity;
    for (const rows of [this.#of(this.touches, partition), this.#of(this.facts, partition)]) {
      for (let offset = from; offset < rows.length && offset < first; offset++) if (rows[offset] !== undefined) first = offset;
    }
    return first;
  }

  rows(partition: number, from: number, to: number): (StoredTouch | FactRow)[] {
    const touches = this.#of(this.touches, partition);
    const facts = this.#of(this.facts, partition);
    const rows: (StoredTouch | FactRow)[] = [];
    for (let offset = from; offset < to; offset++) {
      const row = touches[offset] ?? facts[offset];
      if (row !== undefined) rows.push(row);
    }
    return rows;
  }

  #of<Row>(table: Map<number, Row[]>, partition: number): Row[] {
    const rows = table.get(partition) ?? [];
    table.set(partition, rows);
    return rows;
  }
}

function bodyOf(fact: StoredFact['fact']): object {
  if (fact.type === 'model') return fact.model;
  return fact.type === 'tick' ? fact.tick : fact;
}

/** Of an account and rule; steps sort by it as numbers do. */
export function stepKey({ alert, step }: Transition): string {
  return JSON.stringify([alert.accountId, alert.ruleId, String(step).padStart(9, '0')]);
}

/** What the steps of each account and rule come to, one after another. */
export function statesOf(transitions: readonly Transition[]): RuleState[] {
  const byRule = Map.groupBy(transitions, ({ alert }) => JSON.stringify([alert.accountId, familyOf(alert.type), alert.ruleId]));
  return [...byRule.values()].map((steps) => {
    let lastUpAt: number | null = null;
    let heldBack = 0;
    const ordered = steps.toSorted((one, other) => one.step - other.step);
    for (const { alert, isHeld } of ordered) {
      const isUp = alert.direction === 'up';
      if (isUp && !isHeld) lastUpAt = alert.at;
      if (!isHeld) heldBack = 0;
      else if (isUp) heldBack++;
    }
    const { alert, isHeld, step } = ordered.at(-1)!;
    const { accountId, at: since, currentStage: stage, direction, episode, ruleId, type } = alert;
    return { accountId, family: familyOf(type), ruleId, step, episode, isIn: direction === 'up', isHeld, lastUpAt, since, heldBack, stage };
  });
}
