import type { RecordRun, RuleState, Transition } from '@touchstone/engine';
import type { AggregatorStore } from '@touchstone/aggregator';
import {
  OPTIONAL_FIELDS,
  type Checkpoint,
  type ReplayRange,
  type ScoreRow,
  type StoredModel,
  type StoredPosition,
  type TouchRows,
  type TouchTotals,
} from '@touchstone/store';
import type { Database } from './database.ts';
import type { Link } from './link.ts';
import { ModelRun, modelOf } from './stored-run.ts';
import { ModelTouchRows } from './stored-touches.ts';

interface ModelStoreOptions {
  readonly link: Link;
  readonly database: Database;
  /** Offsets in a page of a replay. */
  readonly pageOffsets: () => number;
  /** Called with each set of rows that is begun. */
  readonly onRows: (rows: ModelTouchRows) => void;
  readonly onCheckpoint: (checkpoints: readonly Checkpoint[], isDone: boolean) => void;
}

/** The store as one host sees it: a statement at a time, each of which may fail, come late or not be answered. */
export class ModelStore implements AggregatorStore {
  readonly #options: ModelStoreOptions;
  readonly #link: Link;
  readonly #database: Database;

  constructor(options: ModelStoreOptions) {
    this.#options = options;
    this.#link = options.link;
    this.#database = options.database;
  }

  touchRows(partition: number): TouchRows {
    const rows = new ModelTouchRows(partition);
    this.#options.onRows(rows);
    return rows;
  }

  async checkpoint(checkpoints: readonly Checkpoint[]): Promise<void> {
    this.#options.onCheckpoint(checkpoints, false);
    // Rows that are added once it is under way are not part of it.
    const touches = checkpoints.map(({ partition, touches: rows }) => ({ partition, rows: [...(rows as ModelTouchRows).rows] }));
    const facts = checkpoints.flatMap((checkpoint) => checkpoint.facts);
    const deadLetters = checkpoints.flatMap((checkpoint) => checkpoint.deadLetters);
    const transitions = checkpoints.flatMap((checkpoint) => checkpoint.transitions);
    const database = this.#database;
    if (touches.some(({ rows }) => rows.length > 0)) {
      await this.#link.call(
        () => {
          for (const { partition, rows } of touches) database.insertTouches(partition, rows);
        },
        () => {
          for (const { partition, rows } of touches) database.insertTouches(partition, rows.slice(0, rows.length / 2));
        },
      );
    }
    if (facts.length > 0) await this.#link.call(() => database.insertFacts(facts));
    if (deadLetters.length > 0) await this.#link.call(() => database.insertDeadLetters(deadLetters));
    if (transitions.length > 0) {
      await this.#link.call(
        () => database.insertTransitions(transitions),
        () => database.insertTransitions(transitions.slice(0, transitions.length / 2)),
      );
    }
    if (checkpoints.length > 0) await this.#link.call(() => database.insertPositions(checkpoints));
    this.#options.onCheckpoint(checkpoints, true);
  }

  positions(): Promise<ReadonlyMap<number, StoredPosition>> {
    return this.#link.call(() => this.#database.positions());
  }

  async *replay(partition: number, before: number, { fields = OPTIONAL_FIELDS, from = 0 }: ReplayRange = {}): AsyncGenerator<RecordRun> {
    const first = await this.#link.call(() => this.#database.firstOffset(partition, from));
    if (first >= before) return;
    const run = new ModelRun(partition, fields);
    const read = (begin: number, end: number) => this.#link.call(() => this.#database.rows(partition, begin, end));
    let to = Math.min(before, first + this.#options.pageOffsets());
    let coming = read(first, to);
    for (;;) {
      const rows = await coming;
      const isLast = to >= before;
      if (!isLast) {
        const next = Math.min(before, to + this.#options.pageOffsets());
        coming = read(to, next);
        coming.catch(() => {});
        to = next;
      }
      yield run.open(rows);
      if (isLast) return;
    }
  }

  models(): Promise<readonly StoredModel[]> {
    return this.#link.call(() =>
      [...this.#database.facts].flatMap(([partition, rows]) =>
        rows
          .filter(({ type }) => type === 'model')
          .map((row) => ({ partition, offset: row.offset, appendedAt: row.appendedAt, model: modelOf(row) })),
      ),
    );
  }

  ruleStates(partition: number, before: number): AsyncGenerator<readonly RuleState[]> {
    return this.#pagesOf(() => this.#database.ruleStates(partition, before));
  }

  transitions(partition: number, from: number, before: number): AsyncGenerator<readonly Transition[]> {
    return this.#pagesOf(() => this.#database.transitionsOf(partition, from, before));
  }

  touchTotals(from: number, to: number): Promise<TouchTotals> {
    return this.#link.call(() => this.#database.touchTotals(from, to));
  }

  /** Each page is read anew: what it goes on from is the last row of the one before, as what is asked for is not written any more. */
  async *#pagesOf<Row>(read: () => readonly Row[]): AsyncGenerator<readonly Row[]> {
    const rows = this.#options.pageOffsets();
    for (let from = 0; ; from += rows) {
      const page = await this.#link.call(() => read().slice(from, from + rows));
      if (page.length > 0) yield page;
      if (page.length < rows) return;
    }
  }

  async saveScores(rows: readonly ScoreRow[]): Promise<void> {
    if (rows.length === 0) return;
    const saved = [...rows];
    await this.#link.call(() => this.#database.insertScores(saved));
  }
}
