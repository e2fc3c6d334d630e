import { EventLogError } from '../event-log.ts';
import type { RecordBlock } from '../event-log.ts';
import { RecordReader } from '../record-block.ts';
import { decompress } from './compression/decompress.ts';
import type { AbortedTransaction } from './protocol/fetch.ts';
import { parseBatch } from './record-batch.ts';
import type { RecordBatch } from './record-batch.ts';

const ABORT = 0;
const NOTHING = new Uint8Array(0);

/**
 * Walks the batches that a fetch of one partition brought, from `offset` on: what transactions took back is left out, as are the marks of
 * their ends. Offsets that hold nothing for a reader come as blocks of no records, so that a position can reach the end of such a log too.
 */
export class VisibleBatches {
  readonly #partition: number;
  readonly #bytes: Buffer;
  /** Of transactions that were aborted, those that begin later; oldest first. */
  readonly #upcoming: AbortedTransaction[];
  readonly #aborted = new Set<bigint>();
  readonly #reader = new RecordReader();
  #at = 0;
  #offset: number;

  constructor(partition: number, offset: number, bytes: Buffer, aborted: readonly AbortedTransaction[]) {
    this.#partition = partition;
    this.#offset = offset;
    this.#bytes = bytes;
    this.#upcoming = [...aborted].sort((a, b) => a.firstOffset - b.firstOffset);
  }

  /** Where to read on. */
  get offset(): number {
    return this.#offset;
  }

  /**
   * Null when all of them were given; what is cut off at the end has to be fetched again. A block may begin before the offset asked for.
   * @throws EventLogError `corrupt`
   */
  next(): RecordBlock | null {
    for (;;) {
      const batch = parseBatch(this.#bytes.subarray(this.#at));
      if (batch === null) return null;
      this.#at += batch.byteLength;
      const hidden = this.#isHidden(batch);
      // The broker begins with the batch that holds the offset. It may also send one that compaction left with lower offsets only.
      if (batch.nextOffset <= this.#offset) continue;
      this.#offset = batch.nextOffset;
      const { baseOffset, nextOffset, count, appendedAt, codec, records } = batch;
      const place = { partition: this.#partition, baseOffset, nextOffset, appendedAt };
      if (hidden || count === 0) return { ...place, count: 0, bytes: NOTHING };
      return { ...place, count, bytes: plain(codec === 0 ? records : decompress(codec, records)) };
    }
  }

  #isHidden(batch: RecordBatch): boolean {
    while (this.#upcoming.length > 0 && this.#upcoming[0]!.firstOffset < batch.nextOffset) {
      this.#aborted.add(this.#upcoming.shift()!.producerId);
    }
    if (batch.control) {
      if (this.#endsAborted(batch)) this.#aborted.delete(batch.producerId);
      return true;
    }
    return batch.transactional && this.#aborted.has(batch.producerId);
  }

  /** A control record's key is a version and a kind, both int16. */
  #endsAborted(batch: RecordBatch): boolean {
    const { baseOffset, nextOffset, count, appendedAt, records } = batch;
    const reader = this.#reader.open({ partition: this.#partition, baseOffset, nextOffset, count, appendedAt, bytes: records });
    if (!reader.next()) return false;
    if (reader.keyEnd - reader.keyStart < 4)
      throw new EventLogError('corrupt', `the control record at offset ${reader.offset} has no kind`);
    return records.readInt16BE(reader.keyStart + 2) === ABORT;
  }
}

/** The same memory, not as a Buffer: its `slice` is a view, and who keeps what it gave would read what comes into this memory later. */
function plain(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
