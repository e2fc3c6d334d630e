import type { BlockFile } from './block-file.ts';

/** What memory knows of one partition. `end` only moves once what lies below it is durable. */
export class Partition {
  readonly topic: string;
  readonly index: number;
  /** Offset of the oldest record kept. */
  start = 0;
  /** Offset the next record will get. */
  end = 0;
  /** Of the newest block, epoch ms; the next one gets no smaller time, even if the clock went back. */
  appendedAt = 0;
  /** Bytes of all blocks below `end`, and of those below `start`, which are dropped: their difference is what is kept. */
  bytesAppended = 0;
  bytesDropped = 0;
  readonly #watchers = new Set<() => void>();

  constructor(topic: string, index: number) {
    this.topic = topic;
    this.index = index;
  }

  get bytesKept(): number {
    return this.bytesAppended - this.bytesDropped;
  }

  /** Takes everything from the file, where the newest block carries end and time over a restart: it is never dropped. */
  load(file: BlockFile): void {
    const first = file.firstHead(this.topic, this.index);
    const last = file.lastHead(this.topic, this.index);
    if (first === undefined || last === undefined) return;
    this.start = first.baseOffset;
    this.bytesDropped = first.bytesBefore;
    this.advance(last.nextOffset, last.appendedAt, last.bytesBefore + last.byteLength);
  }

  /** Everything below `end` is durable now: wakes who waits for it. */
  advance(end: number, appendedAt: number, bytesAppended: number): void {
    this.end = end;
    this.appendedAt = appendedAt;
    this.bytesAppended = bytesAppended;
    for (const wake of this.#watchers) wake();
  }

  /** `wake` is called whenever there is more to read, until the returned function is called. */
  watch(wake: () => void): () => void {
    this.#watchers.add(wake);
    return () => void this.#watchers.delete(wake);
  }
}
