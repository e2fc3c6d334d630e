import type { FactRecord, LogEntry, ModelDocument, TouchRecord } from './log-entry.ts';

/** Builds a log of partition 0 for hand-worked examples: offsets count up from 0, and records may take `appendedAt` from the one before. */
export class LogBuilder {
  readonly entries: LogEntry[] = [];
  #appendedAt: number;

  constructor(appendedAt: number) {
    this.#appendedAt = appendedAt;
  }

  at(appendedAt: number): this {
    this.#appendedAt = appendedAt;
    return this;
  }

  /** A web visit of 0 minutes by nobody known to `acme`, happening as it is appended, unless said otherwise; the id is new. */
  touch(fields: Partial<TouchRecord> = {}): this {
    const offset = this.entries.length;
    const touch = { id: `touch-${offset}`, accountId: 'acme', kind: 'web_visit', occurredAt: this.#appendedAt, ...fields };
    return this.#append(touch);
  }

  role(contactId: string, role: string | null, updatedAt: number = this.#appendedAt): this {
    return this.fact({ type: 'contact', id: contactId, accountId: 'acme', role, updatedAt });
  }

  fact(fact: FactRecord): this {
    return this.#append(fact);
  }

  publish(model: ModelDocument): this {
    return this.#append({ type: 'model', model });
  }

  #append(record: LogEntry['record']): this {
    this.entries.push({ offset: this.entries.length, appendedAt: this.#appendedAt, record });
    return this;
  }
}
