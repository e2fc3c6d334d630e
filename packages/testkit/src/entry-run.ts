import { FIELD, RECORD, TouchCursor, type Fact, type RecordRun, type ScoringModel, type TextField } from '@touchstone/engine';
import type { GeneratedEntry } from './reference/index.ts';

const encoder = new TextEncoder();
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
  readonly #entries: readonly GeneratedEntry[];
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
    const { record } = entry;
    if (!('type' in record)) {
      this.kind = RECORD.touch;
      this.#point(record);
    } else if (record.type === 'model') {
      this.kind = RECORD.model;
      this.model = record.model;
    } else {
      this.kind = RECORD.fact;
      this.fact = record;
    }
    return true;
  }

  #point(record: Exclude<GeneratedEntry['record'], { type: string }>): void {
    const { touch } = this;
    const texts: Uint8Array[] = [];
    let end = 0;
    const add = (text: string): [start: number, end: number] => {
      const bytes = encoder.encode(text);
      texts.push(bytes);
      end += bytes.length;
      return [end - bytes.length, end];
    };
    for (const field of FIELDS) {
      const text = record[field];
      const [from, to] = text === null ? [-1, -1] : add(text);
      touch.start[FIELD[field]] = from;
      touch.end[FIELD[field]] = to;
    }
    touch.propertyCount = 0;
    for (const [key, value] of Object.entries(record.properties)) touch.addProperty(...add(key), ...add(value));
    touch.bytes = Buffer.concat(texts);
    touch.occurredAt = record.occurredAt;
    touch.minutes = record.minutes;
  }
}
