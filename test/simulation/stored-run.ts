import { RECORD, scoringModelSchema, TouchCursor, type ClockTick, type Fact, type RecordRun, type ScoringModel } from '@touchstone/engine';
import type { OptionalField } from '@touchstone/store';
import { pointAt, type StoredTouch } from './stored-touches.ts';

/** A fact or a model as a row of the model store. */
export interface FactRow {
  readonly offset: number;
  readonly appendedAt: number;
  readonly type: string;
  readonly body: string;
}

const models = new WeakMap<FactRow, ScoringModel>();

/** The model of a row. Every start asks for all of them, and to validate one costs as much as to apply hundreds of touches. */
export function modelOf(row: FactRow): ScoringModel {
  const model = models.get(row) ?? scoringModelSchema.parse(JSON.parse(row.body));
  models.set(row, model);
  return model;
}

/** Rows of touches and facts in the order of the log, as a run that the engine can apply. */
export class ModelRun implements RecordRun {
  readonly partition: number;
  readonly poison = null;
  readonly touch = new TouchCursor();
  kind: RecordRun['kind'] = RECORD.touch;
  offset = -1;
  appendedAt = 0;
  fact: Fact | null = null;
  model: ScoringModel | null = null;
  tick: ClockTick | null = null;
  readonly #fields: readonly OptionalField[];
  #rows: readonly (StoredTouch | FactRow)[] = [];
  #given = 0;

  constructor(partition: number, fields: readonly OptionalField[]) {
    this.partition = partition;
    this.#fields = fields;
  }

  open(rows: readonly (StoredTouch | FactRow)[]): this {
    this.#rows = rows;
    this.#given = 0;
    return this;
  }

  next(): boolean {
    const row = this.#rows[this.#given++];
    if (row === undefined) return false;
    this.offset = row.offset;
    this.appendedAt = row.appendedAt;
    this.fact = null;
    this.model = null;
    this.tick = null;
    if (!('body' in row)) {
      this.kind = RECORD.touch;
      pointAt(this.touch, row, this.#fields);
      return true;
    }
    switch (row.type) {
      case 'model':
        this.kind = RECORD.model;
        this.model = modelOf(row);
        break;
      case 'tick':
        this.kind = RECORD.tick;
        this.tick = JSON.parse(row.body) as ClockTick;
        break;
      default:
        this.kind = RECORD.fact;
        this.fact = JSON.parse(row.body) as Fact;
    }
    return true;
  }
}
