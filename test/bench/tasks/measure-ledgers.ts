import { LogRun, readTouch, TouchWriter, type Touch } from '@touchstone/codec';
import { DEDUPE_HORIZON_MS, defaultModel, PartitionLedgers, RECORD, TouchCursor, type RecordRun } from '@touchstone/engine';
import { RecordReader, type RecordBlock } from '@touchstone/event-log';
import type { World } from '../workload/traffic.ts';
import { makeTouchBlocks } from './touch-blocks.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** Columns grow by half or double, so bytes an item depend on where a size falls between two growths: sizes over one doubling show it all. */
const SIZES = 8;
const NOW = Date.UTC(2026, 0, 15, 12);
/** In no window any more, but not too old to count. */
const LONG_AGO_DAYS = 200;
/** No daily cap in the default model. */
const UNCAPPED = 'meeting';
const CAPPED = 'web_visit';
/** Forgets ids at once: shapes that are not about ids remember a thousand or two. */
const NO_IDS_MS = 1000;

export interface LedgerArgs extends World {
  readonly items: number;
  readonly touches: number;
  readonly partitions: number;
  readonly days: number;
}

/** Bytes of memory for one more of each; a value a size. */
export interface LedgerMemory {
  readonly account: readonly number[];
  readonly contact: readonly number[];
  readonly dayCell: readonly number[];
  readonly hourCell: readonly number[];
  readonly rememberedId: readonly number[];
  readonly capCount: readonly number[];
  /** Ledgers of traffic as the other benches use it. */
  readonly traffic: {
    readonly bytes: number;
    readonly accounts: number;
    readonly contacts: number;
  };
}

interface Shape {
  /** Touches in the order of the log. */
  readonly touches: Iterable<Shaped>;
  readonly horizonMs?: number;
}

interface Shaped {
  readonly account: number;
  readonly contact?: number;
  readonly kind?: string;
  readonly occurredAt: number;
}

/** What ledgers take in memory, solved from shapes that each have many of one thing and few of all others. */
export function measureLedgers(args: LedgerArgs): LedgerMemory {
  const sizes = Array.from({ length: SIZES }, (_, step) => Math.round(args.items * 2 ** (step / SIZES)));
  const longAgo = NOW - LONG_AGO_DAYS * DAY_MS;
  const groups = (items: number): number => Math.ceil(items / 100);
  // What ledgers take before there is much in them: the first chunk of every table of names, above all.
  // Measured several times, since the first ones pay for code that is compiled on the way.
  const emptyBytes = Array.from({ length: 5 }, () =>
    bytesUsed({ touches: [{ account: 0, contact: 0, kind: CAPPED, occurredAt: NOW }] }),
  ).at(-1)!;
  const bytesOf = (shape: Shape): number => bytesUsed(shape) - emptyBytes;

  const account = sizes.map((items) => bytesOf({ touches: each(items, (i) => ({ account: i, occurredAt: longAgo })) }) / items);
  const accountBytes = mean(account);
  const contact = sizes.map(
    (items) =>
      (bytesOf({ touches: each(items, (i) => ({ account: i % groups(items), contact: i, occurredAt: longAgo })) }) -
        accountBytes * groups(items)) /
      items,
  );
  const contactBytes = mean(contact);
  const dayCell = sizes.map(
    (items) =>
      (bytesOf({
        touches: each(items, (i) => ({
          account: i % groups(items),
          occurredAt: NOW - (103 - Math.floor(i / groups(items))) * DAY_MS,
        })),
      }) -
        accountBytes * groups(items)) /
      items,
  );
  const dayCellBytes = mean(dayCell);
  // Forty hours back from noon lie in three days.
  const hourCell = sizes.map((items) => {
    const accounts = Math.ceil(items / 40);
    const bytes = bytesOf({
      touches: each(accounts * 40, (i) => ({ account: i % accounts, occurredAt: NOW - (40 - Math.floor(i / accounts)) * HOUR_MS })),
    });
    return (bytes - accounts * (accountBytes + 3 * dayCellBytes)) / (accounts * 40);
  });
  const rememberedId = sizes.map(
    (items) => bytesOf({ touches: each(items, () => ({ account: 0, occurredAt: longAgo })), horizonMs: DEDUPE_HORIZON_MS }) / items,
  );
  const capCount = sizes.map((items) => {
    const contacts = groups(items);
    const bytes = bytesOf({
      touches: each(contacts * 100, (i) => ({
        account: 0,
        contact: i % contacts,
        kind: CAPPED,
        occurredAt: longAgo - Math.floor(i / contacts) * DAY_MS,
      })),
    });
    return (bytes - accountBytes - contacts * contactBytes) / (contacts * 100);
  });
  return { account, contact, dayCell, hourCell, rememberedId, capCount, traffic: measureTraffic(args) };
}

function measureTraffic({ partitions, ...args }: LedgerArgs): LedgerMemory['traffic'] {
  const blocks = makeTouchBlocks({ ...args, partitions });
  const before = memoryUsed();
  const ledgers = Array.from({ length: partitions }, (_, partition) => new PartitionLedgers(partition, defaultModel));
  const runs = ledgers.map(({ partition }) => new LogRun<RecordBlock>(partition, new RecordReader()));
  for (const block of blocks) {
    const run = runs[block.partition]!;
    run.open(block);
    while (run.next()) ledgers[block.partition]!.apply(run, false);
  }
  const bytes = memoryUsed() - before;
  // Used after the measurement, so that nothing of them is collected before.
  if (blocks.length === 0) throw new Error('there was no traffic');
  const sum = (count: (one: PartitionLedgers) => number): number => ledgers.reduce((total, one) => total + count(one), 0);
  return { bytes, accounts: sum(({ accounts }) => accounts.size), contacts: sum(({ contacts }) => contacts.size) };
}

function bytesUsed({ touches, horizonMs = NO_IDS_MS }: Shape): number {
  const writer = new TouchWriter();
  const run = { partition: 0, kind: RECORD.touch, offset: -1, appendedAt: NOW, touch: new TouchCursor(), next: () => false };
  const record: RecordRun = Object.assign(run, { fact: null, model: null, tick: null, poison: null });
  const before = memoryUsed();
  const ledgers = new PartitionLedgers(0, defaultModel, horizonMs);
  for (const shaped of touches) {
    writer.write(touchOf(run.offset, shaped));
    const poison = readTouch(writer.bytes, writer.start, writer.end, run.touch);
    if (poison !== null) throw new Error(poison.detail);
    run.offset++;
    run.appendedAt = NOW + run.offset;
    ledgers.apply(record, false);
  }
  ledgers.accounts.takeChanged();
  const bytes = memoryUsed() - before;
  // Used after the measurement, so that nothing of it can be collected before.
  if (ledgers.position !== run.offset + 1) throw new Error('a touch was not applied');
  return bytes;
}

function* each(count: number, shape: (index: number) => Shaped): Generator<Shaped> {
  for (let index = 0; index < count; index++) yield shape(index);
}

/** Ids as long as those of the other benches. */
function touchOf(number: number, { account, contact, kind = UNCAPPED, occurredAt }: Shaped): Touch {
  return {
    id: `00000000-bec0-7000-8000-${(number + 1).toString(16).padStart(12, '0')}`,
    accountId: `account-${account.toString().padStart(5, '0')}`,
    contactId: contact === undefined ? null : `person-${account}-${contact}`,
    kind,
    occurredAt,
    minutes: 0,
    channel: null,
    campaignId: null,
    creativeId: null,
    url: null,
    source: null,
    properties: {},
  };
}

function memoryUsed(): number {
  // Twice, because array buffers are freed only after the objects that had them.
  globalThis.gc!();
  globalThis.gc!();
  const { arrayBuffers, heapUsed } = process.memoryUsage();
  return arrayBuffers + heapUsed;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
