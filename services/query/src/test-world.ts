import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encodeFact, encodeModelPublished, LogRun, TouchWriter, type Touch } from '@touchstone/codec';
import { defaultModel, OUTCOME, PartitionLedgers, viewOf, type AccountView, type ContactFact, type ScoringModel } from '@touchstone/engine';
import {
  EVENTS_TOPIC,
  openEmbeddedLog,
  RecordReader,
  SCORES_TOPIC,
  type EmbeddedLog,
  type EventLog,
  type OutgoingRecord,
  type RecordBlock,
} from '@touchstone/event-log';
import { openStore, type Store, type StoredFact } from '@touchstone/store';

/** A log and a store in a directory of their own, and what an aggregator would do to them. */

const PARTITIONS = 3;
const HORIZON_MS = 48 * 3_600_000;

export interface TestWorld {
  readonly log: EmbeddedLog;
  readonly store: Store;
  /** Appends so many touches of a few accounts: some late, some repeated; now and then a contact gets a role. */
  touch(count: number): Promise<void>;
  publish(model: ScoringModel, partitions?: readonly number[]): Promise<void>;
  /** Stores what counts of the log, in each partition up to so many records below its end, and the position behind it. */
  checkpoint(recordsLeft?: number): Promise<void>;
  close(): Promise<void>;
}

export async function openTestWorld(): Promise<TestWorld> {
  const directory = mkdtempSync(join(tmpdir(), 'touchstone-query-'));
  const topics = { [EVENTS_TOPIC]: { partitions: PARTITIONS }, [SCORES_TOPIC]: { partitions: PARTITIONS } };
  const log = await openEmbeddedLog({ directory: join(directory, 'log'), topics, sweepIntervalMs: 0 });
  const store = await openStore({ kind: 'chdb', directory: join(directory, 'store') });
  await store.migrate();
  const writer = new TouchWriter();
  let made = 0;

  function record(): OutgoingRecord {
    made++;
    if (made % 50 === 0) {
      const fact = contactFact(made);
      return { key: Buffer.from(fact.accountId), value: encodeFact(fact) };
    }
    // Every eleventh has the id of an earlier one.
    writer.write(touchOf(made % 11 === 0 ? Math.floor(made / 2) : made));
    return { key: writer.key(), value: writer.value() };
  }

  return {
    log,
    store,
    async touch(count) {
      for (let left = count; left > 0; left -= 1000) await log.append(EVENTS_TOPIC, Array.from({ length: Math.min(left, 1000) }, record));
    },
    async publish(model, partitions = [...Array(PARTITIONS).keys()]) {
      const value = encodeModelPublished(model, Date.now());
      await log.append(
        EVENTS_TOPIC,
        partitions.map((partition) => ({ key: null, value, partition })),
      );
    },
    checkpoint: (recordsLeft = 0) => checkpoint(log, store, recordsLeft),
    async close() {
      await log.close();
      await store.close();
      rmSync(directory, { recursive: true });
    },
  };
}

/** Every account as one undisturbed pass over the log has it, by the model, at an instant. */
export async function onePass(log: EventLog, model: ScoringModel, asOf: number): Promise<Map<string, AccountView>> {
  const views = new Map<string, AccountView>();
  for (const blocks of await blocksOf(log)) {
    const ledgers = new PartitionLedgers(blocks.partition, model, HORIZON_MS);
    const run = new LogRun<RecordBlock>(blocks.partition, new RecordReader());
    for (const block of blocks.all) {
      run.open(block);
      while (run.next()) ledgers.apply(run, false);
    }
    for (const view of viewsOf(ledgers, asOf)) views.set(view.accountId, view);
  }
  return views;
}

export function viewsOf(ledgers: PartitionLedgers, asOf: number): AccountView[] {
  return Array.from({ length: ledgers.accounts.size }, (_, account) => viewOf(ledgers, account, asOf));
}

/** The model with a version and a worth of its own. */
export function modelOf(version: string, points: number): ScoringModel {
  return { ...defaultModel, version, rules: defaultModel.rules.map((rule) => ({ ...rule, points })) };
}

function touchOf(number: number): Touch {
  const lateMs = number % 7 === 0 ? (number % 100) * 86_400_000 : 0;
  const none = { channel: null, creativeId: null, url: null, source: null, properties: {} };
  return {
    id: `touch-${number}`,
    accountId: `account-${number % 40}`,
    contactId: number % 3 === 0 ? null : `contact-${number % 5}`,
    kind: ['web_visit', 'meeting', 'ad_click', 'podcast'][number % 4]!,
    occurredAt: Date.now() - lateMs,
    minutes: number % 30,
    campaignId: number % 2 === 0 ? 'spring' : null,
    ...none,
  };
}

function contactFact(number: number): ContactFact {
  const unsaid = { email: null, title: null, seniority: null, consent: null };
  const role = ['champion', 'user', null][number % 3]!;
  return { type: 'contact', id: `contact-${number % 5}`, accountId: `account-${number % 40}`, updatedAt: Date.now(), role, ...unsaid };
}

async function checkpoint(log: EventLog, store: Store, recordsLeft: number): Promise<void> {
  const extents = await log.extents(EVENTS_TOPIC);
  const checkpoints = (await blocksOf(log)).map(({ all, partition }) => {
    const { end, generation } = extents[partition]!;
    const offset = Math.max(0, end - recordsLeft);
    const touches = store.touchRows(partition);
    const facts: StoredFact[] = [];
    const ledgers = new PartitionLedgers(partition, defaultModel, HORIZON_MS);
    const run = new LogRun<RecordBlock>(partition, new RecordReader());
    for (const block of all) {
      run.open(block);
      while (run.next() && run.offset < offset) {
        const outcome = ledgers.apply(run, false);
        const place = { partition, offset: run.offset, appendedAt: run.appendedAt };
        if (outcome === OUTCOME.counted) touches.add(run.offset, run.appendedAt, run.touch);
        if (outcome === OUTCOME.fact) facts.push({ ...place, fact: run.fact! });
        if (outcome === OUTCOME.model) facts.push({ ...place, fact: { type: 'model', model: run.model! } });
      }
    }
    return { partition, offset, generation, touches, facts, deadLetters: [], transitions: [] };
  });
  await store.checkpoint(checkpoints);
}

async function blocksOf(log: EventLog): Promise<{ readonly partition: number; readonly all: RecordBlock[] }[]> {
  const extents = await log.extents(EVENTS_TOPIC);
  const found = extents.map(({ partition }) => ({ partition, all: [] as RecordBlock[] }));
  const unread = new Set(extents.filter(({ start, end }) => start < end).map(({ partition }) => partition));
  const done = Promise.withResolvers<void>();
  if (unread.size === 0) done.resolve();
  const subscription = await log.subscribe({
    topic: EVENTS_TOPIC,
    group: null,
    onAssigned: (partition) => extents[partition]!.start,
    onBlock(block) {
      if (!unread.has(block.partition)) return;
      found[block.partition]!.all.push({ ...block, bytes: block.bytes.slice() });
      if (block.nextOffset >= extents[block.partition]!.end) unread.delete(block.partition);
      if (unread.size === 0) done.resolve();
    },
    onFailed: done.reject,
  });
  await done.promise;
  await subscription.stop();
  return found;
}
