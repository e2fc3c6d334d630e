import { RECORD, scoringModelSchema } from '@touchstone/engine';
import type { ClockTick, Fact, RecordRun, ScoringModel, TouchBatch, TouchCursor } from '@touchstone/engine';
import { StoreError } from './store-error.ts';
import type { TouchReader } from './touch-row-reader.ts';

/** A row of the facts table as an answer gives it. */
export interface FactLine {
  readonly offset: number;
  readonly appendedAt: number;
  readonly type: string;
  readonly body: string;
}

/**
 * Stored touches and facts of one partition, merged into the order of the log. Rows that are there more than once, because no merge has
 * dropped the repeats yet, are given once.
 */
export class StoredRun implements RecordRun {
  readonly partition: number;
  readonly poison = null;
  readonly touch: TouchCursor;
  kind: RecordRun['kind'] = RECORD.touch;
  offset = -1;
  appendedAt = 0;
  fact: Fact | null = null;
  tick: ClockTick | null = null;
  readonly #touches: TouchReader;
  /** Of the model's record that this stands on. */
  #modelBody: string | null = null;
  /** Whether the reader stands on a touch that was not given yet, because a fact comes first. */
  #touchWaits = false;
  #facts: readonly FactLine[] = [];
  #factsGiven = 0;

  /** @param touches what reads the answers that are opened */
  constructor(partition: number, touches: TouchReader) {
    this.partition = partition;
    this.#touches = touches;
    this.touch = touches.touch;
  }

  /** Goes on with an answer that follows the one before: touches and facts of one range of offsets, each in order of offset. */
  open(touches: Uint8Array, facts: readonly FactLine[]): void {
    this.#touches.open(touches);
    this.#touchWaits = false;
    this.#facts = facts;
    this.#factsGiven = 0;
  }

  /** Read when it is asked for: applying a model's record asks for nothing of it. */
  get model(): ScoringModel | null {
    return this.#modelBody === null ? null : scoringModelSchema.parse(JSON.parse(this.#modelBody));
  }

  next(): boolean {
    const touches = this.#touches;
    if (!this.#touchWaits) this.#touchWaits = this.#nextTouch();
    const fact = this.#nextFact();
    if (this.#touchWaits && (fact === undefined || touches.offset < fact.offset)) {
      this.#touchWaits = false;
      this.#stepTo(touches.offset, touches.appendedAt);
      this.kind = RECORD.touch;
      this.fact = null;
      this.#modelBody = null;
      this.tick = null;
      return true;
    }
    if (fact === undefined) return false;
    this.#stepTo(fact.offset, fact.appendedAt);
    this.#setFact(fact);
    return true;
  }

  /** Touches before the next fact, as columns. */
  takeTouches(batch: TouchBatch): number {
    const { columns } = this.#touches;
    if (columns === undefined) return 0;
    if (this.#touchWaits) columns.stepBack();
    this.#touchWaits = false;
    const count = columns.take(batch, this.offset, this.#nextFact()?.offset ?? Infinity);
    if (count > 0) this.offset = batch.offset[count - 1]!;
    return count;
  }

  pointAt(index: number): void {
    this.#touches.columns?.pointAt(index);
  }

  #nextTouch(): boolean {
    const touches = this.#touches;
    while (touches.next()) if (touches.offset !== this.offset) return true;
    return false;
  }

  #nextFact(): FactLine | undefined {
    while (this.#facts[this.#factsGiven]?.offset === this.offset) this.#factsGiven++;
    return this.#facts[this.#factsGiven];
  }

  #stepTo(offset: number, appendedAt: number): void {
    // A ledger depends on the order, so an answer out of order must not be applied.
    if (offset <= this.offset)
      throw new StoreError('rejected', `Offset ${offset} of partition ${this.partition} came after ${this.offset}`);
    this.offset = offset;
    this.appendedAt = appendedAt;
  }

  #setFact({ type, body }: FactLine): void {
    this.fact = null;
    this.#modelBody = null;
    this.tick = null;
    switch (type) {
      case 'model':
        this.kind = RECORD.model;
        this.#modelBody = body;
        break;
      case 'tick':
        this.kind = RECORD.tick;
        this.tick = JSON.parse(body) as ClockTick;
        break;
      default:
        this.kind = RECORD.fact;
        this.fact = JSON.parse(body) as Fact;
    }
  }
}
