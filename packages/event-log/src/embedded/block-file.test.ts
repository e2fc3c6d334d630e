import { closeSync, openSync, readFileSync, readdirSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { open } from 'lmdb';
import { describe, expect, test, vi } from 'vitest';
import { temporaryDirectories } from '../temporary-directory.ts';
import { BlockFile } from './block-file.ts';
import type { NewBlock } from './block-file.ts';

const temporaryDirectory = temporaryDirectories();

const block = (baseOffset: number, size = 10, partition = 0): NewBlock => ({
  topic: 'events',
  partition,
  baseOffset,
  nextOffset: baseOffset + 1,
  appendedAt: baseOffset,
  bytesBefore: baseOffset * size,
  bytes: new Uint8Array(size).fill(baseOffset),
});
const offsets = (file: BlockFile, partition = 0) => file.headsFrom('events', partition, 0, 100).map(({ baseOffset }) => baseOffset);

/**
 * Puts another file in the place of the descriptor through which lmdb writes and syncs the meta page, so that the next commit fails there,
 * at its very last step.
 */
function breakMetaPageWrites(directory: string): void {
  const isMetaDescriptor = (fd: string) => {
    const O_DSYNC = 0o10000;
    const flags = /flags:\s+(\d+)/.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'))![1]!;
    return readlinkSync(`/proc/self/fd/${fd}`) === join(directory, 'data.mdb') && (Number.parseInt(flags, 8) & O_DSYNC) !== 0;
  };
  const descriptors = readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return isMetaDescriptor(fd);
    } catch {
      return false;
    }
  });
  expect(descriptors.length).toBe(1);
  closeSync(Number(descriptors[0]));
  expect(openSync('/dev/null', 'r')).toBe(Number(descriptors[0]));
}

describe('the block file', () => {
  test('finds a block by any offset in it', async () => {
    const file = new BlockFile(temporaryDirectory());
    await file.appendBlocks([{ ...block(0), nextOffset: 10 }, { ...block(10), nextOffset: 30 }, block(0, 10, 1)]);
    for (const [offset, base] of [
      [0, 0],
      [9, 0],
      [10, 10],
      [29, 10],
    ] as const)
      expect(file.block('events', 0, offset).baseOffset).toBe(base);
    expect(() => file.block('events', 0, 30)).toThrow(/offset 30 of events\/0 is missing/);
    expect(() => file.block('events', 2, 0)).toThrow(/missing/);
    await file.close();
  });

  test('keeps partitions and topics apart', async () => {
    const file = new BlockFile(temporaryDirectory());
    await file.appendBlocks([block(5, 10, 0), block(7, 10, 1), { ...block(3), topic: 'event' }, { ...block(4), topic: 'events-2' }]);
    expect(file.firstHead('events', 0)?.baseOffset).toBe(5);
    expect(file.lastHead('events', 0)?.baseOffset).toBe(5);
    expect(offsets(file, 1)).toEqual([7]);
    expect(file.lastHead('events', 2)).toBeUndefined();
    await file.savePositions('event', 'g', new Map([[0, { offset: 1, generation: 'x' }]]));
    expect(file.positions('events')).toEqual([]);
    await file.close();
  });

  test('grows far beyond what lmdb maps at first, under the eyes of a reader', async () => {
    const file = new BlockFile(temporaryDirectory());
    for (let i = 0; i < 64; i++) {
      await file.appendBlocks([block(i, 1_000_000)]);
      expect(file.block('events', 0, i >> 1).bytes[999_999]).toBe(i >> 1);
    }
    await file.close();
  });

  test('uses the room of dropped blocks again', async () => {
    const directory = temporaryDirectory();
    const file = new BlockFile(directory);
    const size = () => readFileSync(join(directory, 'data.mdb')).length;
    for (let i = 0; i < 8; i++) await file.appendBlocks([block(i, 500_000)]);
    const before = size();
    for (let i = 8; i < 40; i++) {
      await file.dropBlocks('events', [{ partition: 0, baseOffset: i - 8 }]);
      await file.appendBlocks([block(i, 500_000)]);
    }
    expect(offsets(file)).toEqual([32, 33, 34, 35, 36, 37, 38, 39]);
    expect(size()).toBeLessThan(before * 1.6);
    await file.close();
  });

  test.each([
    { what: 'changed bytes', change: (bytes: Uint8Array) => bytes.map((byte, i) => (i === 3 ? byte ^ 1 : byte)) },
    { what: 'missing bytes', change: (bytes: Uint8Array) => bytes.subarray(1) },
  ])('does not hand over a block with $what', async ({ change }) => {
    const directory = temporaryDirectory();
    const file = new BlockFile(directory);
    await file.appendBlocks([block(0)]);
    await file.close();
    const root = open({ path: directory, noSubdir: false, overlappingSync: false });
    const blocks = root.openDB<Uint8Array, (string | number)[]>({ name: 'blocks', encoding: 'binary' });
    await blocks.put(['events', 0, 0], change(blocks.get(['events', 0, 0])!));
    await root.close();
    const again = new BlockFile(directory);
    expect(() => again.block('events', 0, 0)).toThrow(expect.objectContaining({ code: 'corrupt' }));
    await again.close();
  });

  // lmdb itself is of no use after such a failure: its next transaction would never end.
  test.runIf(process.platform === 'linux')('goes on with what is on disk after a commit failed at its last step', async () => {
    const directory = temporaryDirectory();
    const file = new BlockFile(directory);
    await file.appendBlocks([block(0)]);
    breakMetaPageWrites(directory);
    // lmdb-js prints what it also rejects with.
    vi.spyOn(console, 'error').mockImplementationOnce(() => {});
    await expect(file.appendBlocks([block(1), block(2)])).rejects.toMatchObject({ name: 'EventLogError', code: 'io' });
    await file.ready();
    expect(offsets(file)).toEqual([0]);
    await file.appendBlocks([block(1)]);
    expect(offsets(file)).toEqual([0, 1]);
    await file.close();
    const again = new BlockFile(directory);
    expect(offsets(again)).toEqual([0, 1]);
    await again.close();
  });

  test('reads fail while a failed file is opened anew, and ready() tells when they work', async () => {
    const file = new BlockFile(temporaryDirectory());
    await file.appendBlocks([block(0)]);
    await file.close();
    expect(() => file.block('events', 0, 0)).toThrow(/is not open/);
    await expect(file.appendBlocks([block(1)])).rejects.toMatchObject({ code: 'closed' });
  });
});
