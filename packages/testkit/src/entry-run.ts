import {
  FIELD,
  RECORD,
  TOUCHES_A_BATCH,
  TouchCursor,
  type ClockTick,
  type Fact,
  type RecordRun,
  type ScoringModel,
  type TextField,
  type TouchBatch,
} from '@touchstone/engine';
import type { GeneratedEntry } from './reference/index.ts';

const encoder = new TextEncoder();
const BUFFER_BYTES = 16 * 1024;
const FIELDS = Object.keys(FIELD) as TextField[];

type TouchRecord = Exclude<GeneratedEntry['record'], { type: string }>;

function mostBytes(record: TouchRecord): number {
  const texts = [...FIELDS.map((field) => record[field]), ...Object.entries(record.properties).flat()];
  return texts.reduce((bytes, text) => bytes + 3 * (text?.length ?? 0), 0);
}

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
  /** Where texts are that came before; null when each has a place of its own. */
  readonly #places: Map<string, [start: number, end: number]> | null;
  /** Numbers of those texts; another map for each buffer. */
  #numbers = new Map<string | null, number>();
  /** The entry of the first touch that was taken last. */
  #taken = 0;

  /** @param options.sharesPlaces equal texts are in one place, as those of a dictionary are */
  constructor(partition: number, entries: readonly GeneratedEntry[], options: { readonly sharesPlaces?: boolean } = {}) {
    this.partition = partition;
    this.#entries = entries;
    this.#places = options.sharesPlaces === true ? new Map() : null;
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

  /** As columns where equal texts are in one place. */
  takeTouches(batch: TouchBatch): number {
    if (this.#places === null) return 0;
    let count = 0;
    this.#taken = this.#next;
    for (; count < TOUCHES_A_BATCH; count++) {
      const entry = this.#entries[this.#next];
      if (entry === undefined || 'type' in entry.record || (count > 0 && !this.#fits(entry.record))) break;
      this.next();
      batch.offset[count] = this.offset;
      batch.now[count] = this.appendedAt;
      batch.occurredAt[count] = this.touch.occurredAt;
      batch.minutes[count] = this.touch.minutes;
      for (const { end, entry: numbers, field, start } of batch.texts) {
        start[count] = this.touch.start[field]!;
        end[count] = this.touch.end[field]!;
        if (numbers !== null) numbers[count] = this.#numberOf(entry.record[FIELDS[field]!]);
      }
    }
    batch.bytes = this.#bytes;
    batch.dictionaries = this.#numbers;
    return count;
  }

  pointAt(index: number): void {
    this.#point(this.#entries[this.#taken + index]!.record as TouchRecord);
  }

  #numberOf(text: string | null): number {
    const number = this.#numbers.get(text) ?? this.#numbers.size;
    this.#numbers.set(text, number);
    return number;
  }

  #fits(record: TouchRecord): boolean {
    return this.#used + mostBytes(record) <= this.#bytes.length;
  }

  #point(record: TouchRecord): void {
    const { touch } = this;
    if (!this.#fits(record)) {
      this.#bytes = new Uint8Array(Math.max(mostBytes(record), BUFFER_BYTES));
      this.#numbers = new Map();
      this.#used = 0;
      this.#places?.clear();
    }
    const add = (text: string): [start: number, end: number] => {
      const before = this.#places?.get(text);
      if (before !== undefined) return before;
      const start = this.#used;
      this.#used += encoder.encodeInto(text, this.#bytes.subarray(start)).written;
      this.#places?.set(text, [start, this.#used]);
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
