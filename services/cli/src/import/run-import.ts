import { waitUntilReady, type ApiClient } from '../api-client.ts';
import { CliError } from '../cli-error.ts';
import { formatCount } from '../terminal/format.ts';
import type { Progress } from '../terminal/progress.ts';
import { createIdChain, type IdChain } from './id-chain.ts';
import { readState, type ImportState } from './import-state.ts';
import type { ImportSummary } from './import-summary.ts';
import { createFileSink, nowhere, type ItemSink } from './item-sink.ts';
import type { Source } from './open-source.ts';
import { createTally, type ReadTally, type Refusal } from './outcome.ts';
import type { ImportPlan } from './plan-import.ts';
import { sendBatch } from '../send-batch.ts';
import { createLanes } from './send-lanes.ts';
import { createTracker, type ImportTracker } from './track-import.ts';

/** Where the items go, and how. */
export type Destination =
  | {
      readonly kind: 'server';
      readonly client: ApiClient;
      readonly concurrency: number;
      readonly batchItems: number;
      readonly patienceMs?: number;
    }
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'nowhere' };

export interface ImportJob {
  readonly source: Source;
  readonly plan: ImportPlan;
  readonly destination: Destination;
  /** Null keeps no state, and the import can't be gone on with. */
  readonly statePath: string | null;
  readonly rejectedPath: string | null;
  readonly isRestart: boolean;
  readonly progress: Progress;
  /** Stops the import between two stretches, with its state written. */
  readonly signal: AbortSignal;
  /** The wall clock, epoch milliseconds. */
  readonly clock: () => number;
}

/** An item has at most 32 KiB and a request 16 MiB; half of that keeps a lane's memory small. */
const BATCH_BYTES = 8 * 1024 * 1024;
/** Beyond this many distinct accounts the summary says "at least": a set of all could take any amount of memory. */
const ACCOUNTS_COUNTED_MAX = 1_000_000;
const SHOWN_REFUSALS_MAX = 5;

/** Imports the source, from its beginning or from where an earlier run stopped. */
export async function runImport(job: ImportJob): Promise<ImportSummary> {
  const { plan, source, destination, statePath, progress } = job;
  const fingerprint = JSON.stringify([plan.fingerprint, destination.kind === 'server' ? destination.client.url : '']);
  const former = statePath === null || job.isRestart ? null : readState(statePath);
  if (former !== null && former.options !== fingerprint) throw otherOptions(statePath!);
  if (former?.summary != null && former.size === source.size) return { ...former.summary, outcome: 'already_finished' };
  if (destination.kind === 'server') await waitUntilReady(destination.client, progress.print);

  const from = former ?? (await begin(job, fingerprint));
  if (former !== null) tellResumed(former, progress);
  const started = performance.now();
  const chain = checked(createIdChain(plan.chainSeed), from, source.name);
  const seconds = (): number => from.seconds + (performance.now() - started) / 1000;
  const tracker = createTracker({ from: { ...from, size: source.size }, statePath, rejectedPath: job.rejectedPath, chain, seconds });
  try {
    // The shift is decided once, so it is on disk before the first touch is sent with it.
    tracker.save(null);
    const { tally, accounts, isStopped } = await pump(job, from, chain, tracker);
    if (!isStopped) assertSameFile(chain, from, source.name);
    const summary: ImportSummary = {
      file: source.name,
      format: plan.format,
      target: plan.target,
      outcome: isStopped ? 'stopped' : ({ server: 'finished', file: 'written', nowhere: 'dry_run' } as const)[destination.kind],
      lines: tally.lines,
      blank: tally.blank,
      items: tally.items,
      accepted: destination.kind === 'server' ? tracker.accepted : null,
      unresolved: tally.unresolved,
      assets: tally.assets,
      failedRequests: tally.failed,
      otherMethods: tally.otherMethods,
      cutShort: tally.cutShort,
      rejected: tracker.rejected,
      mended: Object.fromEntries(tally.mended),
      rejectedFile: job.rejectedPath,
      accounts: accounts.size,
      accountsIsAtLeast: accounts.size >= ACCOUNTS_COUNTED_MAX,
      shiftMs: from.shiftMs,
      seconds: seconds(),
      linesPerSecond: Math.round(tally.lines / ((performance.now() - started) / 1000)),
    };
    tracker.save(isStopped ? null : summary);
    return summary;
  } finally {
    progress.end();
    tracker.close();
  }
}

async function begin({ source, plan, destination, progress, clock }: ImportJob, options: string): Promise<ImportState> {
  const startedAt = clock();
  return {
    format: 1,
    options,
    startedAt,
    shiftMs: plan.shiftToNow ? await shiftOf(source, plan, startedAt, progress) : 0,
    answered: Array.from({ length: destination.kind === 'server' ? destination.concurrency : 1 }, () => 0),
    accepted: 0,
    rejectedByServer: {},
    refusedThrough: 0,
    rejectedBytes: 0,
    read: { count: 0, head: '' },
    size: source.size,
    seconds: 0,
    summary: null,
  };
}

/** Milliseconds from the newest time in the file to now, rounded down to the second. */
async function shiftOf(source: Source, plan: ImportPlan, now: number, progress: Progress): Promise<number> {
  progress.print('Looking for the newest line, which will be now.');
  const tally = createTally();
  const stretches = plan.createReader(now)(source.chunks(), { tally, chain: { next: () => '' }, shiftMs: 0 });
  for await (const _ of stretches) progress.update({ share: shareOf(source), done: tally.lines, unit: 'lines' });
  if (tally.newestAt === null) throw new CliError(`${source.name} has no line with a time, so --shift-to-now has nothing to go by.`);
  return Math.floor(now / 1000) * 1000 - tally.newestAt;
}

interface Pumped {
  readonly tally: ReadTally;
  readonly accounts: ReadonlySet<string>;
  readonly isStopped: boolean;
}

/** Reads stretch after stretch and hands the items on, waiting whenever the destination says so. */
async function pump(job: ImportJob, from: ImportState, chain: IdChain, tracker: ImportTracker): Promise<Pumped> {
  const { plan, source, progress, signal } = job;
  const tally = createTally();
  const accounts = new Set<string>();
  const sink = createSink(job, from, tracker);
  let shown = 0;

  function show(refusals: readonly Refusal[]): void {
    if (job.rejectedPath !== null) return;
    for (const { line, message } of refusals.slice(0, SHOWN_REFUSALS_MAX - shown)) progress.print(`line ${line}: ${message}`);
    shown = Math.min(SHOWN_REFUSALS_MAX, shown + refusals.length);
  }

  try {
    for await (const { items, refusals } of plan.createReader(from.startedAt)(source.chunks(), { tally, chain, shiftMs: from.shiftMs })) {
      tracker.noteRefusals(refusals);
      show(refusals);
      for (const item of items) {
        if (signal.aborted) break;
        if (item.accountId !== null && accounts.size < ACCOUNTS_COUNTED_MAX) accounts.add(item.accountId);
        const wait = sink.push(item);
        if (wait === undefined) continue;
        await wait;
        progress.update({ share: shareOf(source), done: tally.lines, unit: 'lines' });
      }
      if (signal.aborted) break;
      progress.update({ share: shareOf(source), done: tally.lines, unit: 'lines' });
    }
    if (!signal.aborted) await sink.drain();
  } catch (error) {
    // What is under way may still be accepted: its answers are noted before the error is told.
    await sink.stop();
    if (!signal.aborted) throw error;
  }
  if (signal.aborted) await sink.stop();
  return { tally, accounts, isStopped: signal.aborted };
}

function createSink({ destination, plan, progress, signal }: ImportJob, from: ImportState, tracker: ImportTracker): ItemSink {
  if (destination.kind === 'nowhere') return nowhere;
  if (destination.kind === 'file') return createFileSink(destination.path);
  const { client, batchItems, patienceMs } = destination;
  let toldAt = -Infinity;

  /** All lanes wait at once when the server is busy; one of them telling it is enough. */
  function onWait(message: string): void {
    if (performance.now() - toldAt < 2_000) return;
    toldAt = performance.now();
    progress.print(message);
  }

  return createLanes({
    count: from.answered.length,
    batchItems,
    batchBytes: BATCH_BYTES,
    answered: from.answered,
    async send(items, lane) {
      const lines = items.map(({ body }) => body);
      const options = { client, path: `/v1/${plan.target}`, onWait, signal };
      tracker.noteAnswer(items, lane, await sendBatch(lines, patienceMs === undefined ? options : { ...options, patienceMs }));
    },
  });
}

function shareOf({ size, bytesRead }: Source): number | null {
  return size === null || size === 0 ? null : bytesRead / size;
}

/** The chain of a resumed import must come by the same head as before; otherwise other lines would be passed over than were sent. */
function checked(chain: IdChain, { read }: ImportState, name: string): IdChain {
  return {
    next(line) {
      const id = chain.next(line);
      if (chain.count === read.count && chain.head !== read.head) throw changed(name);
      return id;
    },
    get count() {
      return chain.count;
    },
    get head() {
      return chain.head;
    },
  };
}

function assertSameFile(chain: IdChain, { read }: ImportState, name: string): void {
  if (chain.count < read.count) throw changed(name);
}

function changed(name: string): CliError {
  return new CliError(
    `${name} has changed since this import was stopped, so it can not be gone on with. Begin anew with --restart: lines that stand where they stood keep their ids and count once.`,
  );
}

function otherOptions(statePath: string): CliError {
  return new CliError(
    `An import of this file was begun with other options or to another server (${statePath}). Run it with the same, begin anew with --restart, or keep this one apart with --state.`,
  );
}

function tellResumed({ answered, read }: ImportState, progress: Progress): void {
  const sent = answered.reduce((sum, count) => sum + count, 0);
  progress.print(
    `Going on after ${formatCount(sent)} items that are answered for (${formatCount(read.count)} lines were read). Use --restart to begin anew.`,
  );
}
