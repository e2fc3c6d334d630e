import {
  FIELD,
  RECORD,
  TouchCursor,
  type ClockTick,
  type Fact,
  type RecordRun,
  type ScoringModel,
  type TextField,
} from '@touchstone/engine';
import type { GeneratedEntry } from './reference/index.ts';

const encoder = new TextEncoder();
const BUFFER_BYTES = 16 * 1024;
const FIELDS = Object.keys(FIELD) as TextField[];

/** Log entries given as plain objects, as a run that the engine can apply: without codec, log or store in between. */
export class EntryRun implements RecordRun {
  readonly partition: number;
  readonly touch = new TouchCursor();
  readonly poison = null;
  kind: RecordRun['kind'] = RECORD.touch;
  offset = -1;
  appendedAt = 0;
  fact: Fact | null = null;
  model: ScoringModel | null = null;
  tick: ClockTick | null = null;
  readonly #entries: readonly GeneratedEntry[];
  /** What touches are ranges of: that of many, as a block of the log is. */
  #bytes = new Uint8Array(0);
  #used = 0;
  #next = 0;

  constructor(partition: number, entries: readonly GeneratedEntry[]) {
    this.partition = partition;
    this.#entries = entries;
  }

  next(): boolean {
    const entry = this.#entries[this.#next++];
    if (entry === undefined) return false;
    this.offset = entry.offset;
    this.appendedAt = entry.appendedAt;
    this.fact = null;
    this.model = null;
    this.tick = null;
    const { record } = entry;
    if (!('type' in record)) {
      this.kind = RECORD.touch;
      this.#point(record);
    } else if (record.type === 'model') {
      this.kind = RECORD.model;
      this.model = record.model;
    } else if (record.type === 'tick') {
      this.kind = RECORD.tick;
      this.tick = record.tick;
    } else {
      this.kind = RECORD.fact;
      this.fact = record;
    }
    return true;
  }

  #point(record: Exclude<GeneratedEntry['record'], { type: string }>): void {
    const { touch } = this;
    const texts = [...FIELDS.map((field) => record[field]), ...Object.entries(record.properties).flat()];
    const most = texts.reduce((bytes, text) => bytes + 3 * (text?.length ?? 0), 0);
    if (this.#used + most > this.#bytes.length) {
      this.#bytes = new Uint8Array(Math.max(most, BUFFER_BYTES));
      this.#used = 0;
    }
    const add = (text: string): [start: number, end: number] => {
      const start = this.#used;
      this.#used += encoder.encodeInto(text, this.#bytes.subarray(start)).written;
      return [start, this.#used];
    };
    for (const field of FIELDS) {
      const text = record[field];
      const [from, to] = text === null ? [-1, -1] : add(text);
      touch.start[FIELD[field]] = from;
      touch.end[FIELD[field]] = to;
    }
    touch.propertyCount = 0;
    for (const [key, value] of Object.entries(record.properties)) touch.addProperty(...add(key), ...add(value));
    touch.bytes = this.#bytes;
    touch.occurredAt = record.occurredAt;
    touch.minutes = record.minutes;
  }
}
