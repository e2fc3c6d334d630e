import { describe, expect, test } from 'vitest';
import { EventLogError, RECORD_BYTES_MAX } from '../event-log.ts';
import type { OutgoingRecord } from '../event-log.ts';
import { temporaryDirectories } from '../temporary-directory.ts';
import { recordsOf } from '../log-follower.ts';
import { BlockFile } from './block-file.ts';
import type { NewBlock } from './block-file.ts';
import { BLOCK_BYTES_MAX, GroupCommit, bytesToAppend } from './group-commit.ts';
import type { CommitReport } from './group-commit.ts';
import { openTopic } from './topic.ts';

const temporaryDirectory = temporaryDirectories();

/** A file whose appends can be held up, or fail before or after they were written. */
class UnreliableFile extends BlockFile {
  gate: Promise<void> | null = null;
  next: 'works' | 'fails' | 'is written but fails' = 'works';
  readonly #begun = Promise.withResolvers<void>();
  /** Resolves with the first append. */
  readonly begun = this.#begun.promise;

  override async appendBlocks(newBlocks: readonly NewBlock[]): Promise<void> {
    this.#begun.resolve();
    const fate = this.next;
    await this.gate;
    if (fate !== 'fails') await super.appendBlocks(newBlocks);
    if (fate !== 'works') throw new EventLogError('io', 'planted');
  }
}

async function setUp({ clock = () => 1_000, backlogBytesMax = 10_000_000 }: { clock?: () => number; backlogBytesMax?: number } = {}) {
  const file = new UnreliableFile(temporaryDirectory());
  const topic = await openTopic(file, 'events', { partitions: 2 }, 0);
  const reports: CommitReport[] = [];
  const commits = new GroupCommit({ file, clock, backlogBytesMax, onCommit: (report) => void reports.push(report) });
  const append = (...records: OutgoingRecord[]) => commits.append(topic, records, bytesToAppend(records));
  const values = (partition: number) => {
    const found = [];
    for (let offset = topic.partitions[partition]!.start; offset < topic.partitions[partition]!.end;) {
      const block = file.block('events', partition, offset);
      found.push(...recordsOf(block).map(({ value }) => value));
      offset = block.nextOffset;
    }
    return found;
  };
  return { file, topic, reports, commits, append, values };
}

const record = (value: string | Uint8Array, partition = 0): OutgoingRecord => ({
  key: null,
  value: typeof value === 'string' ? Buffer.from(value) : value,
  partition,
});

describe('group commit', () => {
  test('puts what was appended during a commit into one block per partition of the next', async () => {
    const { file, reports, append, values } = await setUp();
    const gate = Promise.withResolvers<void>();
    file.gate = gate.promise;
    const first = append(record('0', 0));
    await file.begun;
    const others = Array.from({ length: 50 }, (_, i) => append(record(`${i + 1}`, 0), record(`${i + 1}`, 1)));
    gate.resolve();
    await Promise.all([first, ...others]);
    expect(reports.map(({ appends, records, blocks }) => ({ appends, records, blocks }))).toEqual([
      { appends: 1, records: 1, blocks: 1 },
      { appends: 50, records: 100, blocks: 2 },
    ]);
    expect(values(0)).toEqual(Array.from({ length: 51 }, (_, i) => `${i}`));
    expect(values(1)).toEqual(Array.from({ length: 50 }, (_, i) => `${i + 1}`));
    await file.close();
  });

  test('commits what arrives in one turn of the event loop together, and an append on its own at once', async () => {
    const { file, reports, append } = await setUp();
    await Promise.all([append(record('a')), append(record('b')), append(record('c'))]);
    await append(record('d'));
    expect(reports.map(({ appends }) => appends)).toEqual([3, 1]);
    await file.close();
  });

  test('cuts a partition into blocks of a mebibyte, in order, all in one commit', async () => {
    const { file, topic, reports, append, values } = await setUp();
    const sizes = [400_000, 400_000, 400_000, RECORD_BYTES_MAX, 1, 1];
    await append(...sizes.map((size) => record(new Uint8Array(size))));
    expect(reports.map(({ blocks }) => blocks)).toEqual([4]);
    expect(values(0).map((value) => value!.length)).toEqual(sizes);
    const heads = file.headsFrom('events', 0, 0, 10);
    expect(heads.map(({ baseOffset, nextOffset }) => [baseOffset, nextOffset])).toEqual([
      [0, 2],
      [2, 3],
      [3, 4],
      [4, 6],
    ]);
    expect(heads.filter(({ byteLength }) => byteLength > BLOCK_BYTES_MAX).length).toBe(1);
    expect(topic.partitions[0]!.bytesKept).toBe(heads.reduce((sum, { byteLength }) => sum + byteLength, 0));
    await file.close();
  });

  test('copies the records before append returns', async () => {
    const { file, append, values } = await setUp();
    const value = Buffer.from('as it was');
    const through = append({ key: null, value, partition: 0 });
    value.fill(0);
    await through;
    expect(values(0)).toEqual(['as it was']);
    await file.close();
  });

  test('keeps one generation of arenas apart from the next', async () => {
    const { file, append, values } = await setUp();
    const appended = Array.from({ length: 200 }, (_, i) => `${i}`.repeat((i % 37) + 1));
    const through = [];
    for (const [i, value] of appended.entries()) {
      through.push(append(record(value)));
      if (i % 7 === 0) await new Promise(setImmediate);
    }
    await Promise.all(through);
    expect(values(0)).toEqual(appended);
    await file.close();
  });

  test.each(['fails', 'is written but fails'] as const)(
    'a commit that %s tells all its callers, and the ends are right again',
    async (fate) => {
      const { file, topic, commits, append, values } = await setUp();
      await append(record('before'));
      file.next = fate;
      const failing = [append(record('x'), record('y', 1)), append(record('z'))];
      for (const result of await Promise.allSettled(failing)) expect(result).toMatchObject({ status: 'rejected', reason: { code: 'io' } });
      file.next = 'works';
      const kept = fate === 'fails' ? [] : ['x', 'z'];
      expect(topic.partitions[0]!.end).toBe(1 + kept.length);
      expect(commits.waitingBytes).toBe(0);
      await append(record('after'), record('after', 1));
      expect(values(0)).toEqual(['before', ...kept, 'after']);
      expect(values(1)).toEqual([...(fate === 'fails' ? [] : ['y']), 'after']);
      await file.close();
    },
  );

  test('readers hear of what a failed commit wrote after all', async () => {
    const { file, topic, append } = await setUp();
    const ends: number[] = [];
    topic.partitions[0]!.watch(() => ends.push(topic.partitions[0]!.end));
    file.next = 'is written but fails';
    await expect(append(record('x'))).rejects.toMatchObject({ code: 'io' });
    expect(ends).toEqual([1]);
    await file.close();
  });

  test('gives a partition a time that never falls', async () => {
    const times = [5_000, 3_000, 6_000];
    const { file, append } = await setUp({ clock: () => times.shift()! });
    for (const value of ['a', 'b', 'c']) await append(record(value));
    expect(file.headsFrom('events', 0, 0, 3).map(({ appendedAt }) => appendedAt)).toEqual([5_000, 5_000, 6_000]);
    await file.close();
  });
});

describe('the backlog', () => {
  test('is bounded in bytes that are not durable yet, those of the running commit too', async () => {
    const { file, commits, append } = await setUp({ backlogBytesMax: 3_000 });
    const gate = Promise.withResolvers<void>();
    file.gate = gate.promise;
    const taken = [append(record(new Uint8Array(1_000))), append(record(new Uint8Array(1_000)))];
    expect(() => append(record(new Uint8Array(1_000)))).toThrow(expect.objectContaining({ code: 'backlogged', retriable: true }));
    await file.begun;
    expect(() => append(record(new Uint8Array(1_000)))).toThrow(expect.objectContaining({ code: 'backlogged' }));
    gate.resolve();
    await Promise.all(taken);
    expect(commits.waitingBytes).toBe(0);
    await append(record(new Uint8Array(1_000)));
    await file.close();
  });

  test('takes an append larger than itself when nothing waits', async () => {
    const { file, append, values } = await setUp({ backlogBytesMax: 100 });
    await append(record(new Uint8Array(1_000)));
    expect(values(0).length).toBe(1);
    await file.close();
  });

  test('counts records without any bytes as well', () => {
    const nothing = { key: null, value: null };
    expect(bytesToAppend([nothing, nothing])).toBeGreaterThan(bytesToAppend([nothing]));
  });
});
