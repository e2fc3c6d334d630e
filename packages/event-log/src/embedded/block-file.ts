import { closeSync, fsyncSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { crc32 } from 'node:zlib';
import { open } from 'lmdb';
import type { Database, RootDatabase } from 'lmdb';
import { EventLogError } from '../event-log.ts';
import type { CommittedPosition, RecordBlock } from '../event-log.ts';

/**
 * The lmdb environment of an embedded log. Its tables:
 *
 *     blocks     [topic, partition, baseOffset]  ->  framed records
 *     heads      [topic, partition, baseOffset]  ->  [nextOffset, appendedAt, bytesBefore, byteLength, checksum]
 *     positions  [topic, group, partition]       ->  [offset, generation]
 *     topics     topic                           ->  { format, partitions, generation, madeAt }
 *
 * A head is all that retention and a start need to know of a block, so neither reads the records.
 *
 * Durability. The environment is opened without `overlappingSync`, lmdb-js's own scheme of publishing a commit before it is synced, with
 * which a commit that failed to reach the disk was still visible to readers. Without it a transaction is plain LMDB: pages are written,
 * `fdatasync`, the meta page is written through an O_DSYNC descriptor, and only then does the promise resolve (checked with strace). Before
 * the meta page is written nothing of a transaction can be seen, not even after a crash in the middle of it.
 *
 * Failure. One transaction runs at a time, and after one that failed the environment is opened anew: lmdb-js never settles the promise of a
 * transaction that follows a failed write of the meta page, and readers see nothing from then on. A fresh environment shows what really is
 * in the file.
 */
export class BlockFile {
  readonly #path: string;
  #tables: Tables | null;
  #lastTransaction: Promise<void> = Promise.resolve();
  #reopening: Promise<void> | null = null;
  #closed = false;

  constructor(path: string) {
    this.#path = path;
    this.#tables = openTables(path);
    // A file that was synced is still lost in a power cut if the directory that names it was not.
    for (const directory of [path, dirname(path), dirname(dirname(path))]) syncDirectory(directory);
  }

  /** False for the moments in which the environment is opened anew; reads throw `io` then. */
  get readable(): boolean {
    return this.#reopening === null;
  }

  /** Resolves when it is readable, or turned out not to be: then reads throw. */
  async ready(): Promise<void> {
    await this.#reopening;
  }

  topic(name: string): StoredTopic | undefined {
    return this.#read().topics.get(name);
  }

  saveTopic(name: string, topic: StoredTopic): Promise<void> {
    return this.#transact(({ topics }) => void topics.put(name, topic));
  }

  firstHead(topic: string, partition: number): BlockHead | undefined {
    return this.headsFrom(topic, partition, 0, 1)[0];
  }

  lastHead(topic: string, partition: number): BlockHead | undefined {
    return this.#headAtOrBelow(topic, partition, Number.MAX_SAFE_INTEGER);
  }

  /** In offset order, from the first block whose base offset is `offset` or more. */
  headsFrom(topic: string, partition: number, offset: number, limit: number): BlockHead[] {
    const range = this.#read().heads.getRange({ start: [topic, partition, offset], end: [topic, partition + 1], limit });
    return Array.from(range, ({ key, value }) => headOf(key, value));
  }

  /**
   * The block that holds `offset`.
   * @throws EventLogError `corrupt` when there is none, or its bytes are not those that were written
   */
  block(topic: string, partition: number, offset: number): RecordBlock {
    const { blocks, heads } = this.#read();
    // A reader goes from block to block, so the offset it asks for is nearly always where one begins.
    const stored = heads.get([topic, partition, offset]);
    const head = stored === undefined ? this.#headAtOrBelow(topic, partition, offset) : headOf([topic, partition, offset], stored);
    const bytes = head === undefined ? undefined : blocks.getBinary([topic, partition, head.baseOffset]);
    if (head === undefined || bytes === undefined || offset >= head.nextOffset) {
      throw new EventLogError('corrupt', `offset ${offset} of ${topic}/${partition} is missing`);
    }
    if (crc32(bytes) !== head.checksum) {
      throw new EventLogError('corrupt', `the block at offset ${head.baseOffset} of ${topic}/${partition} is not as it was written`);
    }
    return {
      partition,
      baseOffset: head.baseOffset,
      nextOffset: head.nextOffset,
      count: head.nextOffset - head.baseOffset,
      appendedAt: head.appendedAt,
      // lmdb-js gives some of its buffers a `length` property of their own; readers shall meet one kind of array only.
      bytes: new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength),
    };
  }

  /** Durable, and all or nothing. The bytes must not change before the promise settles. */
  appendBlocks(newBlocks: readonly NewBlock[]): Promise<void> {
    return this.#transact(({ blocks, heads }) => {
      for (const { topic, partition, baseOffset, nextOffset, appendedAt, bytesBefore, bytes } of newBlocks) {
        const key = [topic, partition, baseOffset];
        void blocks.put(key, bytes);
        void heads.put(key, [nextOffset, appendedAt, bytesBefore, bytes.length, crc32(bytes)]);
      }
    });
  }

  dropBlocks(topic: string, dropped: readonly { readonly partition: number; readonly baseOffset: number }[]): Promise<void> {
    return this.#transact(({ blocks, heads }) => {
      for (const { partition, baseOffset } of dropped) {
        void blocks.remove([topic, partition, baseOffset]);
        void heads.remove([topic, partition, baseOffset]);
      }
    });
  }

  positions(topic: string): { group: string; partition: number; position: CommittedPosition }[] {
    const found = [];
    for (const { key, value } of this.#read().positions.getRange()) {
      const [offset, generation] = value;
      if (key[0] === topic) found.push({ group: key[1] as string, partition: key[2] as number, position: { offset, generation } });
    }
    return found;
  }

  savePositions(topic: string, group: string, moved: ReadonlyMap<number, CommittedPosition>): Promise<void> {
    return this.#transact(({ positions }) => {
      for (const [partition, { offset, generation }] of moved) void positions.put([topic, group, partition], [offset, generation]);
    });
  }

  async close(): Promise<void> {
    await this.#lastTransaction;
    this.#closed = true;
    const tables = this.#tables;
    this.#tables = null;
    await tables?.root.close();
  }

  #read(): Tables {
    if (this.#tables === null) throw new EventLogError('io', `${this.#path} is not open`);
    return this.#tables;
  }

  #headAtOrBelow(topic: string, partition: number, offset: number): BlockHead | undefined {
    const range = this.#read().heads.getRange({ start: [topic, partition, offset], end: [topic, partition], reverse: true, limit: 1 });
    for (const { key, value } of range) return headOf(key, value);
    return undefined;
  }

  #transact(write: (tables: Tables) => void): Promise<void> {
    const transaction = this.#lastTransaction.then(() => this.#commit(write));
    this.#lastTransaction = transaction.catch(() => {});
    return transaction;
  }

  async #commit(write: (tables: Tables) => void): Promise<void> {
    if (this.#closed) throw new EventLogError('closed', `${this.#path} is closed`);
    try {
      const tables = (this.#tables ??= openTables(this.#path));
      await tables.root.batch(() => write(tables));
    } catch (error) {
      const cause = await causeOf(error);
      this.#reopening = this.#reopen();
      await this.#reopening;
      throw new EventLogError('io', `${this.#path} could not be written: ${String(cause)}`, { cause });
    }
  }

  /** Never rejects: if the file can't be opened now, the next transaction tries again. */
  async #reopen(): Promise<void> {
    const failed = this.#tables;
    this.#tables = null;
    try {
      await failed?.root.close();
      this.#tables = openTables(this.#path);
    } catch {
      this.#tables = null;
    }
    this.#reopening = null;
  }
}

/** A block without its bytes. */
export interface BlockHead {
  readonly baseOffset: number;
  readonly nextOffset: number;
  readonly appendedAt: number;
  /** Bytes of all blocks the partition got before this one, dropped ones too: what is kept is the difference of two heads. */
  readonly bytesBefore: number;
  readonly byteLength: number;
  /** CRC-32 of the bytes. */
  readonly checksum: number;
}

export interface NewBlock {
  readonly topic: string;
  readonly partition: number;
  readonly baseOffset: number;
  readonly nextOffset: number;
  readonly appendedAt: number;
  readonly bytesBefore: number;
  readonly bytes: Uint8Array;
}

export interface StoredTopic {
  /** Of the tables above; goes up when they change. */
  readonly format: 1;
  readonly partitions: number;
  readonly generation: string;
  readonly madeAt: number;
}

type Key = (string | number)[];
type HeadValue = [nextOffset: number, appendedAt: number, bytesBefore: number, byteLength: number, checksum: number];

interface Tables {
  readonly root: RootDatabase<never, string>;
  readonly blocks: Database<Uint8Array, Key>;
  readonly heads: Database<HeadValue, Key>;
  readonly positions: Database<[offset: number, generation: string], Key>;
  readonly topics: Database<StoredTopic, string>;
}

function openTables(path: string): Tables {
  const root = open<never, string>({
    path,
    noSubdir: false,
    maxDbs: 4,
    overlappingSync: false,
    // Off, because the batch it opens for each turn of the event loop leaves a promise behind that nobody can catch when a commit fails.
    eventTurnBatching: false,
  });
  return {
    root,
    blocks: root.openDB({ name: 'blocks', encoding: 'binary' }),
    heads: root.openDB({ name: 'heads', encoding: 'msgpack' }),
    positions: root.openDB({ name: 'positions', encoding: 'msgpack' }),
    topics: root.openDB({ name: 'topics', encoding: 'msgpack' }),
  };
}

/** As far as it may: Windows has no such call, and a directory above ours is perhaps not ours to open. */
function syncDirectory(path: string): void {
  if (process.platform === 'win32') return;
  let descriptor: number;
  try {
    descriptor = openSync(path, 'r');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EACCES') return;
    throw error;
  }
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function headOf(key: Key, [nextOffset, appendedAt, bytesBefore, byteLength, checksum]: HeadValue): BlockHead {
  return { baseOffset: key[2] as number, nextOffset, appendedAt, bytesBefore, byteLength, checksum };
}

/** lmdb-js rejects with an error that only points to the reason: a second promise, which must be awaited or it counts as unhandled. */
async function causeOf(error: unknown): Promise<unknown> {
  if (!(error instanceof Error) || !('commitError' in error)) return error;
  try {
    return await error.commitError;
  } catch (reason) {
    return reason;
  }
}
