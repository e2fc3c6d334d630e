import { RECORD, TouchCursor, type Fact, type Poison, type RecordRun, type ScoringModel, type ClockTick } from '@touchstone/engine';
import { decodeFactOf } from './fact-record.ts';
import { decodeModelOf } from './model-record.ts';
import { isPoison, poison } from './poison.ts';
import { readTouch } from './read-touch.ts';
import { decodeTickOf } from './tick-record.ts';
import { publishedSchemas } from './schema-set.ts';

/** What a run needs to know of a block of the log. */
export interface FramedBlock {
  /** When the log took the block, epoch milliseconds. */
  readonly appendedAt: number;
  readonly bytes: Uint8Array;
}

/** Goes through the records of a block. The log has its own framing and brings the reader for it. */
export interface FramedRecords<Block extends FramedBlock> {
  open(block: Block): void;
  next(): boolean;
  readonly offset: number;
  /** Range of the key in the block's bytes; `keyStart` is -1 when the record has none. */
  readonly keyStart: number;
  readonly keyEnd: number;
  /** Range of the value in the block's bytes; `valueStart` is -1 when the record has none. */
  readonly valueStart: number;
  readonly valueEnd: number;
}

/**
 * The records of the log as the engine reads them, block after block of one partition. What does not decode comes as poison and is passed
 * over like any other record.
 */
export class LogRun<Block extends FramedBlock> implements RecordRun {
  readonly partition: number;
  kind: RecordRun['kind'] = RECORD.poison;
  appendedAt = 0;
  readonly touch = new TouchCursor();
  fact: Fact | null = null;
  model: ScoringModel | null = null;
  tick: ClockTick | null = null;
  poison: Poison | null = null;
  readonly #records: FramedRecords<Block>;
  #bytes: Uint8Array = new Uint8Array(0);

  constructor(partition: number, records: FramedRecords<Block>) {
    this.partition = partition;
    this.#records = records;
  }

  /** Goes to the beginning of a block; `next()` reaches its first record. */
  open(block: Block): void {
    this.#records.open(block);
    this.#bytes = block.bytes;
    this.appendedAt = block.appendedAt;
  }

  get offset(): number {
    return this.#records.offset;
  }

  /** The value as it stands on the log, for a dead letter; empty when the record has none. Valid as long as the block's bytes are. */
  get value(): Uint8Array {
    const { valueStart, valueEnd } = this.#records;
    return valueStart < 0 ? this.#bytes.subarray(0, 0) : this.#bytes.subarray(valueStart, valueEnd);
  }

  /** The key as it stands on the log. Valid as long as the block's bytes are. */
  get key(): Uint8Array | null {
    const { keyStart, keyEnd } = this.#records;
    return keyStart < 0 ? null : this.#bytes.subarray(keyStart, keyEnd);
  }

  next(): boolean {
    this.fact = null;
    this.model = null;
    this.tick = null;
    this.poison = null;
    if (!this.#records.next()) return false;
    const { valueStart, valueEnd } = this.#records;
    this.poison = this.#read(valueStart, valueEnd);
    if (this.poison) this.kind = RECORD.poison;
    return true;
  }

  /** Sets `kind` and what belongs to it, or tells what is wrong with the record. */
  #read(start: number, end: number): Poison | null {
    const schema = publishedSchemas.find(this.#bytes, start, end);
    if (isPoison(schema)) return schema;
    switch (schema.record) {
      case 'touch':
        this.kind = RECORD.touch;
        return readTouch(this.#bytes, start, end, this.touch);
      case 'model-published': {
        const model = decodeModelOf(schema, this.#bytes, start, end);
        if (isPoison(model)) return model;
        this.kind = RECORD.model;
        this.model = model;
        return null;
      }
      case 'clock-tick': {
        const tick = decodeTickOf(schema, this.#bytes, start, end);
        if (isPoison(tick)) return tick;
        this.kind = RECORD.tick;
        this.tick = tick;
        return null;
      }
      case 'alert':
        return poison('invalid_value', 'alerts do not belong among the events');
      case 'account-score':
        return poison('invalid_value', 'scores do not belong among the events');
      case 'experiment-record':
        return poison('invalid_value', 'steps of experiments do not belong among the events');
      case 'dead-letter':
        return poison('invalid_value', 'dead letters do not belong among the events');
      default: {
        const fact = decodeFactOf(schema, this.#bytes, start, end);
        if (isPoison(fact)) return fact;
        this.kind = RECORD.fact;
        this.fact = fact;
        return null;
      }
    }
  }
}
