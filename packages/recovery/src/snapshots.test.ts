import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { fc, test } from '@fast-check/vitest';
import {
  DEDUPE_HORIZON_MS,
  defaultModel,
  OUTCOME,
  PartitionLedgers,
  RescoredSums,
  STATE_FORMAT,
  viewOf,
  type ScoringModel,
} from '@touchstone/engine';
import { EntryRun, historyArbitrary, type GeneratedEntry, type History } from '@touchstone/testkit';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { Snapshots, type SnapshotOrigin } from './snapshots.ts';
import { StateCopy } from './state-copy.ts';

const root = mkdtempSync(join(tmpdir(), 'touchstone-snapshots-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const CREATIVE_DAYS = 30;

const ledgersOf = (model: ScoringModel): PartitionLedgers => new PartitionLedgers(0, model, DEDUPE_HORIZON_MS, CREATIVE_DAYS);

const breathe = async (): Promise<void> => {};
const plainly = { whileStill: (step: () => Promise<void>) => step(), untilStored: async () => {}, breathe };

function originOf(model: ScoringModel, changes: Partial<SnapshotOrigin> = {}): SnapshotOrigin {
  return { partition: 0, generation: 'g1', model, dedupeHorizonMs: DEDUPE_HORIZON_MS, creativeDays: CREATIVE_DAYS, ...changes };
}

function lastModel(entries: readonly GeneratedEntry[]): ScoringModel {
  const models = entries.flatMap(({ record }) => ('type' in record && record.type === 'model' ? [record.model] : []));
  return models.at(-1) ?? defaultModel;
}

function apply(ledgers: PartitionLedgers, entries: readonly GeneratedEntry[], isStored: boolean): GeneratedEntry[] {
  const run = new EntryRun(0, entries);
  const kept: GeneratedEntry[] = [];
  for (let i = 0; run.next(); i++) {
    const outcome = ledgers.apply(run, isStored);
    if (outcome !== OUTCOME.duplicate && outcome !== OUTCOME.setAside) kept.push(entries[i]!);
  }
  return kept;
}

/** Every column, to the last bit. */
function bytesOf(ledgers: PartitionLedgers): Buffer {
  const copy = new StateCopy();
  ledgers.walk(copy);
  return Buffer.concat([...copy.bytes()]);
}

const viewsOf = (ledgers: PartitionLedgers, asOf: number) =>
  Array.from({ length: ledgers.accounts.size }, (_, account) => viewOf(ledgers, account, asOf));

async function throughSnapshot(ledgers: PartitionLedgers): Promise<PartitionLedgers> {
  const snapshots = new Snapshots(root);
  const origin = originOf(ledgers.model);
  await snapshots.write(ledgers, origin, plainly);
  const found = await snapshots.read(origin, ledgers.position);
  if (found.outcome !== 'used') throw new Error(JSON.stringify(found));
  return found.ledgers;
}

describe('ledgers of a snapshot and what came after it', () => {
  const hostile = historyArbitrary({ alerts: true, datedAhead: true, steps: { min: 0, max: 150 } });

  test.prop([hostile, fc.double({ min: 0, max: 1, noNaN: true }), fc.boolean()], { numRuns: 150 })(
    'equal those of everything, in every column and view',
    async ({ asOf, entries }: History, cutAt, isStored) => {
      const model = lastModel(entries);
      const kept = isStored ? apply(ledgersOf(model), entries, false) : entries;
      const whole = ledgersOf(model);
      apply(whole, kept, isStored);

      const cut = Math.floor(kept.length * cutAt);
      const first = ledgersOf(model);
      apply(first, kept.slice(0, cut), isStored);
      const both = await throughSnapshot(first);
      apply(both, kept.slice(cut), isStored);

      expect(bytesOf(both).equals(bytesOf(whole))).toBe(true);
      expect(viewsOf(both, asOf)).toEqual(viewsOf(whole, asOf));
      expect(both.rememberedIds).toBe(whole.rememberedIds);
    },
  );

  test.prop([hostile, fc.double({ min: 0, max: 1, noNaN: true })], { numRuns: 100 })(
    'are the same after another model took over, under which kinds and roles have other numbers than in its own replay',
    async ({ asOf, entries }: History, cutAt) => {
      const cut = Math.floor(entries.length * cutAt);
      const whole = ledgersOf(defaultModel);
      const sums = new RescoredSums(whole, lastModel(entries));
      const run = new EntryRun(0, apply(whole, entries.slice(0, cut), false));
      while (run.next()) sums.take(run);
      sums.settle();
      sums.position = whole.position;
      sums.takeOver();
      const both = await throughSnapshot(whole);
      for (const ledgers of [whole, both]) apply(ledgers, entries.slice(cut), false);
      expect(viewsOf(both, asOf)).toEqual(viewsOf(whole, asOf));
      expect(bytesOf(both).equals(bytesOf(whole))).toBe(true);
    },
  );

  it('are not written when another model takes over while they wait to stand still', async () => {
    const ledgers = ledgersOf(defaultModel);
    apply(ledgers, [touch(0)], false);
    const origin = originOf(ledgers.model, { partition: 7 });
    const whileStill = async (step: () => Promise<void>): Promise<void> => {
      ledgers.model = { ...defaultModel, version: 'next' };
      await step();
    };
    const snapshots = new Snapshots(root);
    await expect(snapshots.write(ledgers, origin, { ...plainly, whileStill })).rejects.toThrow('another model');
    expect(await snapshots.read(origin, ledgers.position)).toEqual({ outcome: 'none' });
  });

  it('are the same when there is more of everything than a column begins with', async () => {
    const entries = Array.from({ length: 4000 }, (_, offset) => touch(offset));
    const whole = ledgersOf(defaultModel);
    const first = ledgersOf(defaultModel);
    apply(whole, entries, false);
    apply(first, entries.slice(0, 2500), false);
    const both = await throughSnapshot(first);
    apply(both, entries.slice(2500), false);
    expect(bytesOf(both).equals(bytesOf(whole))).toBe(true);
  });

  it('are of one position, whatever is applied while the snapshot is written', async () => {
    const entries = Array.from({ length: 300 }, (_, offset) => touch(offset));
    const ledgers = ledgersOf(defaultModel);
    apply(ledgers, entries.slice(0, 200), false);
    const before = bytesOf(ledgers);
    await new Snapshots(root).write(ledgers, originOf(defaultModel), {
      ...plainly,
      untilStored: async () => void apply(ledgers, entries.slice(200), false),
    });
    const found = await new Snapshots(root).read(originOf(defaultModel), 1000);
    expect(found).toMatchObject({ outcome: 'used', ledgers: { position: 200 } });
    expect('ledgers' in found && bytesOf(found.ledgers).equals(before)).toBe(true);
  });
});

describe('a snapshot', () => {
  const path = join(root, 'partition-0.ledgers');
  const origin = originOf(defaultModel);
  const ledgers = ledgersOf(defaultModel);
  apply(
    ledgers,
    Array.from({ length: 200 }, (_, offset) => touch(offset)),
    false,
  );
  beforeEach(() => new Snapshots(root).write(ledgers, origin, plainly));

  it.each<[string, Partial<SnapshotOrigin>, number]>([
    ['of another topic', { generation: 'g2' }, 200],
    ['of a model with the same version', { model: { ...defaultModel, halfScorePoints: 7 } }, 200],
    ['with another dedupe horizon', { dedupeHorizonMs: 1000 }, 200],
    ['with creatives of other days', { creativeDays: 31 }, 200],
    ['with creatives where none are kept', { creativeDays: 0 }, 200],
    ['ahead of the store', {}, 199],
  ])('%s is ignored and deleted', async (_what, changes, stored) => {
    expect(await new Snapshots(root).read({ ...origin, ...changes }, stored)).toMatchObject({ outcome: 'foreign' });
    expect(await new Snapshots(root).read(origin, 200)).toEqual({ outcome: 'none' });
  });

  it.each<[string, (bytes: Buffer) => Uint8Array]>([
    ['empty', () => new Uint8Array(0)],
    ['cut off in its head', (bytes) => bytes.subarray(0, 20)],
    ['cut off in its midst', (bytes) => bytes.subarray(0, bytes.length >> 1)],
    ['without its last byte', (bytes) => bytes.subarray(0, -1)],
    ['with a bit turned', (bytes) => bytes.fill(bytes[bytes.length >> 1]! ^ 4, bytes.length >> 1, (bytes.length >> 1) + 1)],
    ['with something behind it', (bytes) => Buffer.concat([bytes, bytes.subarray(0, 8)])],
    ['another file', () => Buffer.from('not a snapshot, but long enough to be taken for one')],
    ['whole, with fewer parts', (bytes) => withChecksum(bytes.subarray(0, -80))],
    ['whole, with more parts', (bytes) => withChecksum(Buffer.concat([bytes.subarray(0, -8), Buffer.alloc(24)]))],
  ])('%s is ignored and deleted', async (_what, changed) => {
    writeFileSync(path, changed(readFileSync(path)));
    expect(await new Snapshots(root).read(origin, 200)).toMatchObject({ outcome: 'broken' });
    expect(await new Snapshots(root).read(origin, 200)).toEqual({ outcome: 'none' });
  });

  it('is used by a store that is at its position or beyond it', async () => {
    for (const stored of [200, 5000]) expect(await new Snapshots(root).read(origin, stored)).toMatchObject({ outcome: 'used' });
  });

  it('stays until the next one is whole and stored', async () => {
    const more = ledgersOf(defaultModel);
    const untilStored = (): Promise<void> => Promise.reject(new Error('the store is away'));
    await expect(new Snapshots(root).write(more, origin, { ...plainly, untilStored })).rejects.toThrow('the store is away');
    expect(readdirSync(root)).toEqual(['partition-0.ledgers']);
    expect(await new Snapshots(root).read(origin, 200)).toMatchObject({ outcome: 'used', ledgers: { position: 200 } });
  });

  it('has a format of another number when ledgers are made of other columns', () => {
    // When this fails, raise STATE_FORMAT and put the new number and checksum here: snapshots of the former columns are then ignored.
    expect([STATE_FORMAT, crc32(bytesOf(ledgers))]).toEqual([4, 1_633_883_667]);
  });
});

/** Ends where the bytes end, with the checksum of a whole file. */
function withChecksum(bytes: Buffer): Buffer {
  return Buffer.concat([bytes, new Uint8Array(Float64Array.of(crc32(bytes)).buffer)]);
}

function touch(offset: number): GeneratedEntry {
  const at = Date.UTC(2026, 0, 1) + offset * 3_600_000;
  return {
    partition: 0,
    offset,
    appendedAt: at,
    record: {
      id: `touch-${offset}`,
      accountId: `account-${offset % 97}`,
      contactId: offset % 5 === 0 ? null : `contact-${offset % 1001}`,
      kind: offset % 3 === 0 ? 'web_visit' : `kind-${offset % 41}`,
      occurredAt: at - (offset % 7) * 40_000,
      minutes: offset % 11,
      channel: null,
      campaignId: offset % 2 === 0 ? `campaign-${offset % 13}` : null,
      creativeId: null,
      url: null,
      source: null,
      properties: {},
    },
  };
}
