import { isDeepStrictEqual } from 'node:util';
import { LogRun } from '@touchstone/codec';
import {
  creativeFigures,
  dayOf,
  engagementOf,
  LedgerSet,
  OUTCOME,
  PartitionLedgers,
  pointsOf,
  viewOf,
  type CreativeFigures,
  type ScoringModel,
  type Transition,
} from '@touchstone/engine';
import { RecordReader, type RecordBlock } from '@touchstone/event-log';
import { differences, referenceOf } from '@touchstone/testkit';
import { stepKey } from './database.ts';
import type { ExpectedPartition } from './expected.ts';
import { CREATIVE_DAYS, type SimulationOptions } from './options.ts';
import type { ScoreReader } from './score-reader.ts';
import type { System } from './system.ts';
import type { Publication } from './watcher.ts';

type FinalState = Pick<System, 'options' | 'expected' | 'watcher' | 'database' | 'instances'>;

const DAY_MS = 86_400_000;
/** The recomputation by definition is slow; every account is compared with an undisturbed pass, and this many with the definition. */
const ACCOUNTS_BY_DEFINITION = 6;
const LINES_MAX = 10;

/** What is wrong once everything has drained, a line each. */
export function wrongAtTheEnd(state: FinalState, reader: ScoreReader): string[] {
  const found = [
    ...state.expected.flatMap((one) => [...wrongPartition(one, state, reader)]),
    ...wrongRows(state),
    ...wrongDeadLetters(state),
    ...(state.options.hasRules ? state.expected.flatMap((one) => [...wrongAlerts(one, state)]) : []),
  ];
  return found.slice(0, LINES_MAX);
}

function* wrongPartition(one: ExpectedPartition, state: FinalState, reader: ScoreReader): Generator<string> {
  const { instances, options, watcher } = state;
  const { partition } = one;
  const held = instances.flatMap(({ aggregator }) => aggregator?.ledgers.of(partition) ?? []);
  const [ledgers] = held;
  if (held.length !== 1 || ledgers === undefined) {
    yield `partition ${partition} is held by ${held.length} processes`;
    return;
  }
  const model = one.modelBelow(Infinity);
  if (ledgers.model.version !== model.version) yield `partition ${partition} is under model ${ledgers.model.version}, not ${model.version}`;
  const published = Map.groupBy(
    watcher.publications.filter((each) => each.partition === partition),
    ({ modelVersion }) => modelVersion,
  );
  const wrong: string[] = [];
  const undisturbed = checkPublications(one, model, published.get(model.version) ?? [], options, wrong);
  for (const [version, publications] of published) {
    const former = [one.modelBelow(0), ...one.models.map((each) => each.model)].find((each) => each.version === version);
    if (former === undefined) yield `a score of partition ${partition} is of model ${version}, which was not published`;
    else if (former.version !== model.version) checkPublications(one, former, publications, options, wrong);
  }
  yield* wrong;
  if (ledgers.position !== undisturbed.position) yield `partition ${partition} is at ${ledgers.position}, not ${undisturbed.position}`;
  yield* differentLedgers(undisturbed, ledgers);
  yield* differentCreatives(undisturbed, ledgers);
  // The definition knows a log whose clock never falls.
  if (options.logClockBackRate === 0) yield* wrongByDefinition(one, ledgers, options);
  const lacking = watcher.lacksPublication(partition, 0, Infinity, model.version);
  if (lacking !== null) yield `partition ${partition} has drained, but not published is ${lacking}`;
  yield* wrongNewest(undisturbed, state, reader);
}

/** Store and reader have the newest score of each account. */
function* wrongNewest({ accounts, model }: PartitionLedgers, { database, options }: FinalState, reader: ScoreReader): Generator<string> {
  for (let account = 0; account < accounts.size; account++) {
    const accountId = accounts.names.text(account);
    const version = accounts.version[account]!;
    for (const [who, score] of [
      ['the store', database.scores.get(accountId)],
      ['a reader', reader.latest.get(accountId)],
    ] as const) {
      if (score?.version !== version) yield `${who} has ${accountId} at version ${score?.version}, not ${version}`;
      // Of one version the later asOf stands, and clocks that were set back date the newer score earlier.
      else if (score.modelVersion !== model.version && options.every.clockStep === 0) {
        yield `${who} has ${accountId} under model ${score.modelVersion}, not ${model.version}`;
      }
    }
  }
}

function* differentLedgers(undisturbed: PartitionLedgers, ledgers: PartitionLedgers): Generator<string> {
  const of = `partition ${ledgers.partition}`;
  if (ledgers.accounts.size !== undisturbed.accounts.size)
    yield `${of} has ${ledgers.accounts.size} accounts, not ${undisturbed.accounts.size}`;
  for (let account = 0; account < undisturbed.accounts.size; account++) {
    const accountId = undisturbed.accounts.names.text(account);
    const bytes = encoder.encode(accountId);
    const row = ledgers.accounts.names.find(0, bytes, 0, bytes.length);
    if (row < 0) {
      yield `${of} does not have ${accountId}`;
      continue;
    }
    for (const later of [0, 45 * DAY_MS]) {
      const asOf = undisturbed.now + later;
      const expected = JSON.stringify(viewOf(undisturbed, account, asOf));
      const served = JSON.stringify(viewOf(ledgers, row, asOf));
      if (served !== expected) yield `${of} serves ${served} where an undisturbed pass gives ${expected}`;
    }
  }
}

/** Partitions are compared one by one, so that sums are added up in the same order. */
function* differentCreatives(undisturbed: PartitionLedgers, ledgers: PartitionLedgers): Generator<string> {
  const expected = creativesOf(undisturbed, undisturbed.now);
  const served = creativesOf(ledgers, undisturbed.now);
  if (isDeepStrictEqual(served, expected)) return;
  yield `creatives are ${JSON.stringify(served)} where an undisturbed pass gives ${JSON.stringify(expected)}`;
}

function creativesOf(ledgers: PartitionLedgers, asOf: number): CreativeFigures[] {
  const set = new LedgerSet();
  set.replace([ledgers]);
  return creativeFigures(set, { from: dayOf(asOf) - CREATIVE_DAYS + 1, to: dayOf(asOf), asOf });
}

function* wrongByDefinition(
  { entries }: ExpectedPartition,
  ledgers: PartitionLedgers,
  { dedupeHorizonMs, seed }: SimulationOptions,
): Generator<string> {
  const { accounts } = ledgers;
  const reference = referenceOf(entries, { dedupeHorizonMs });
  if (reference.accountIds.length !== accounts.size)
    yield `${accounts.size} accounts are held, the log names ${reference.accountIds.length}`;
  for (let nth = 0; nth < Math.min(ACCOUNTS_BY_DEFINITION, accounts.size); nth++) {
    const account = (seed + nth) % accounts.size;
    const view = viewOf(ledgers, account, ledgers.now);
    const served = { ...view, lastTouchAt: view.lastTouchAt === null ? null : new Date(view.lastTouchAt).toISOString() };
    yield* differences(reference.view(view.accountId, ledgers.now), served);
  }
}

/**
 * Every score ever published is exactly that of the log's prefix which its version names.
 * @returns the ledgers at the end of the log
 */
function checkPublications(
  { blocks, partition }: ExpectedPartition,
  model: ScoringModel,
  publications: readonly Publication[],
  { dedupeHorizonMs }: SimulationOptions,
  wrong: string[],
): PartitionLedgers {
  const sorted = publications.toSorted((left, right) => left.version - right.version);
  let next = 0;
  const ledgers = new PartitionLedgers(partition, withoutRules(model), dedupeHorizonMs, CREATIVE_DAYS);
  const run = new LogRun<RecordBlock>(partition, new RecordReader());
  for (const block of blocks) {
    run.open(block);
    while (run.next()) {
      ledgers.take(run, false);
      if (next < sorted.length && sorted[next]!.version < ledgers.position) ledgers.settle();
      for (; next < sorted.length && sorted[next]!.version < ledgers.position; next++) {
        const difference = differenceOf(sorted[next]!, ledgers);
        if (difference !== null) wrong.push(difference);
      }
    }
    // Before the run goes on to other bytes.
    ledgers.settle();
  }
  if (next < sorted.length) wrong.push(`partition ${partition} has published version ${sorted[next]!.version}, which it does not have`);
  return ledgers;
}

/** Rules make no difference to scores, and their alerts are compared as they are told. */
function withoutRules(model: ScoringModel): ScoringModel {
  return { ...model, thresholds: [], qualification: undefined, stages: [], surge: undefined, watches: [] };
}

/** What the store got as scores is what was published. */
function* wrongRows({ watcher }: FinalState): Generator<string> {
  const known = new Map(watcher.publications.map((each) => [placeOf(each), each]));
  for (const row of watcher.scoreRows) {
    const published = known.get(placeOf(row));
    if (published?.points !== row.points || published.score !== row.score)
      yield `a score was stored that was not published: ${JSON.stringify(row)}`;
  }
}

function placeOf({ accountId, asOf, modelVersion, version }: Pick<Publication, 'accountId' | 'version' | 'modelVersion' | 'asOf'>): string {
  return `${version} ${asOf} ${modelVersion} ${accountId}`;
}

const encoder = new TextEncoder();

function differenceOf(published: Publication, ledgers: PartitionLedgers): string | null {
  const { accountId, asOf, version } = published;
  const bytes = encoder.encode(accountId);
  const account = ledgers.accounts.names.find(0, bytes, 0, bytes.length);
  if (account < 0 || ledgers.accounts.version[account] !== version)
    return `${accountId} was published at ${version}, which is no version of it`;
  const points = pointsOf(ledgers, account, asOf);
  const { contacts, engaged } = engagementOf(ledgers, account, asOf);
  const lastTouchAt = ledgers.accounts.lastTouch(account);
  const isRight =
    published.points === points &&
    published.contacts === contacts &&
    published.engaged === engaged &&
    published.lastTouchAt === lastTouchAt;
  const expected = JSON.stringify({ points, contacts, engaged, lastTouchAt });
  return isRight ? null : `published was ${JSON.stringify(published)}, its prefix of the log gives ${expected}`;
}

/** Every alert that the log gives was told, and none besides; and every step is stored. */
function* wrongAlerts({ alerts, partition, transitions }: ExpectedPartition, { database, watcher }: FinalState): Generator<string> {
  const told = watcher.alertsTold[partition]!;
  for (const [id, { transition }] of alerts) if (!told.has(id)) yield `never told was ${JSON.stringify(transition.alert)}`;
  const stored = database.transitions.get(partition) ?? new Map<string, Transition>();
  if (stored.size !== transitions.length)
    yield `partition ${partition} has ${stored.size} steps stored, the log gives ${transitions.length}`;
  for (const expected of transitions) {
    if (!isDeepStrictEqual(stored.get(stepKey(expected)), expected)) yield `not stored as the log gives it is ${JSON.stringify(expected)}`;
  }
}

function* wrongDeadLetters({ database, expected, watcher }: FinalState): Generator<string> {
  const keys = new Set<string>();
  for (const { outcomes, partition, values } of expected) {
    for (const [offset, outcome] of outcomes.entries()) {
      if (outcome !== OUTCOME.setAside) continue;
      keys.add(`events/${partition}/${offset}`);
      const row = database.deadLetters.get(`${partition}/${offset}`);
      if (row === undefined) yield `the dead letter ${partition}/${offset} is not stored`;
      else if (Buffer.compare(row.value, values[offset]!) !== 0) yield `the dead letter ${partition}/${offset} holds another value`;
      if (!watcher.deadLetterKeys.has(`events/${partition}/${offset}`)) yield `the dead letter ${partition}/${offset} is not on its topic`;
    }
  }
  for (const key of watcher.deadLetterKeys) if (!keys.has(key)) yield `${key} is a dead letter, but the record is good`;
  if (database.deadLetters.size !== keys.size) yield `${database.deadLetters.size} dead letters are stored, there are ${keys.size}`;
}
