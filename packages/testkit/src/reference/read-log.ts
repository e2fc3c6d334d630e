import { isFact, isModel, isTick, type FactRecord, type LogEntry, type ModelDocument, type TouchRecord } from './log-entry.ts';
import { referenceModel } from './reference-model.ts';

/** What the log says about one account. Touches are the counted ones, in log order. */
export interface AccountHistory {
  readonly accountId: string;
  readonly partition: number;
  readonly touches: readonly TouchRecord[];
  /** In log order. */
  readonly contactFacts: readonly FactRecord[];
  /** Offset of the last counted touch or fact. */
  readonly version: number;
  /** The model in force at the end of the log. */
  readonly model: ModelDocument;
}

export interface ReadOptions {
  /** How long an id is remembered, in milliseconds of append time. */
  readonly dedupeHorizonMs?: number;
}

const HOUR_MS = 3_600_000;
const DEDUPE_HORIZON_MS = 48 * HOUR_MS;
/** A touch dated further ahead of its append than this is set aside: no clock is that wrong, and it would sit in no window for long. */
const AHEAD_MAX_MS = HOUR_MS;

interface GrowingHistory {
  accountId: string;
  partition: number;
  touches: TouchRecord[];
  contactFacts: FactRecord[];
  version: number;
}

/**
 * Sorts the log by account and leaves out what does not count. Accounts come in the order they were first named.
 * @throws Error when the entries of a partition are not in log order, or an account's are spread over partitions: then the caller's input
 * is no log, and comparing would say nothing
 */
export function readLog(entries: readonly LogEntry[], options: ReadOptions = {}): ReadonlyMap<string, AccountHistory> {
  const horizonMs = options.dedupeHorizonMs ?? DEDUPE_HORIZON_MS;
  const histories = new Map<string, GrowingHistory>();
  const lastOffsets = new Map<number, number>();
  /** Append time of the last counted touch, by partition and id. */
  const countedAt = new Map<string, number>();

  // An account exists once a counted touch or a fact names it. A duplicate changes nothing, so it makes no account either.
  const historyOf = (accountId: string, partition: number): GrowingHistory => {
    const known = histories.get(accountId) ?? { accountId, partition, touches: [], contactFacts: [], version: -1 };
    if (known.partition !== partition) throw new Error(`account ${accountId} is in partitions ${known.partition} and ${partition}`);
    histories.set(accountId, known);
    return known;
  };

  for (const { partition = 0, offset, appendedAt, record } of entries) {
    if (isModel(record) || isTick(record)) continue;
    const before = lastOffsets.get(partition) ?? -1;
    if (offset <= before) throw new Error(`partition ${partition}: offset ${offset} comes after offset ${before}`);
    lastOffsets.set(partition, offset);

    if (isFact(record)) {
      const accountId = accountOf(record);
      if (accountId === null) continue;
      const history = historyOf(accountId, partition);
      if (record.type === 'contact') history.contactFacts.push(record);
      // A fact that loses by updatedAt moves the version too: what was kept of it (its history) has changed.
      history.version = offset;
      continue;
    }

    // Set aside, so not counted: the same id dated rightly may still come.
    if (record.occurredAt - appendedAt > AHEAD_MAX_MS) continue;

    // A duplicate is less than the horizon away from a counted touch with its id in its partition. It is measured from the counted one, so
    // a client that repeats for ever is counted again once per horizon. A touch of no account is remembered like any other.
    const key = JSON.stringify([partition, record.id]);
    const counted = countedAt.get(key);
    if (counted !== undefined && appendedAt - counted < horizonMs) continue;
    countedAt.set(key, appendedAt);

    // Kept until somebody says whose it is, not scored.
    if (record.accountId === undefined || record.accountId === null) continue;

    const history = historyOf(record.accountId, partition);
    history.touches.push(record);
    history.version = offset;
  }

  return new Map(
    [...histories].map(([accountId, history]) => [accountId, { ...history, model: modelInForce(entries, history.partition) }]),
  );
}

/** The latest model record of the partition: the whole history is scored under it, also what came before it. */
function modelInForce(entries: readonly LogEntry[], partition: number): ModelDocument {
  let model = referenceModel;
  for (const entry of entries) {
    if (isModel(entry.record) && (entry.partition === undefined || entry.partition === partition)) model = entry.record.model;
  }
  return model;
}

/** An account fact names the account by its id, the others by accountId; spend belongs to none. */
function accountOf(fact: FactRecord): string | null {
  if (fact.type === 'account') return fact.id;
  if (fact.type === 'spend') return null;
  return fact.accountId ?? null;
}
