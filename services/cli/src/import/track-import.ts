import type { IdChain } from './id-chain.ts';
import { writeState, type ImportState } from './import-state.ts';
import type { ImportSummary } from './import-summary.ts';
import type { Item, Refusal } from './outcome.ts';
import { openRejectedFile } from './rejected-file.ts';
import type { BatchResult } from '../send-batch.ts';

/** Keeps count of what was answered and rejected, and writes it down after each answer, so that a crash costs at most one batch a lane. */
export interface ImportTracker {
  /** By lane: items the server has answered for. */
  readonly answered: readonly number[];
  readonly accepted: number;
  /** By reason, of lines refused here and items rejected by the server. */
  readonly rejected: Readonly<Record<string, number>>;
  noteRefusals(refusals: readonly Refusal[]): void;
  noteAnswer(items: readonly Item[], lane: number, result: BatchResult): void;
  save(summary: ImportSummary | null): void;
  close(): void;
}

export interface TrackerOptions {
  /** Of an earlier run, or a beginning. */
  readonly from: ImportState;
  /** Null keeps no state. */
  readonly statePath: string | null;
  /** Null keeps no rejected lines. */
  readonly rejectedPath: string | null;
  readonly chain: IdChain;
  /** Seconds of all runs so far. */
  readonly seconds: () => number;
}

export function createTracker({ from, statePath, rejectedPath, chain, seconds }: TrackerOptions): ImportTracker {
  const answered = [...from.answered];
  const rejectedByServer: Record<string, number> = { ...from.rejectedByServer };
  const refused = new Map<string, number>();
  const file = openRejectedFile(rejectedPath, from.rejectedBytes);
  let { accepted, refusedThrough } = from;

  function save(summary: ImportSummary | null): void {
    if (statePath === null) return;
    // A resumed import that is still behind its former reading keeps the farther mark.
    const read = chain.count >= from.read.count ? { count: chain.count, head: chain.head } : from.read;
    writeState(statePath, {
      ...from,
      answered,
      accepted,
      rejectedByServer,
      refusedThrough,
      rejectedBytes: file.bytes,
      read,
      seconds: seconds(),
      summary,
    });
  }

  return {
    answered,
    get accepted() {
      return accepted;
    },
    get rejected() {
      const all: Record<string, number> = Object.fromEntries(refused);
      for (const [reason, count] of Object.entries(rejectedByServer)) all[reason] = (all[reason] ?? 0) + count;
      return all;
    },
    noteRefusals(refusals) {
      for (const refusal of refusals) {
        const { line, reason, message, text } = refusal;
        refused.set(reason, (refused.get(reason) ?? 0) + 1);
        if (line <= refusedThrough) continue;
        file.write({ line, reason, message, text });
        refusedThrough = line;
      }
    },
    noteAnswer(items, lane, result) {
      answered[lane] = (answered[lane] ?? 0) + items.length;
      accepted += result.accepted;
      for (const { index, code, message } of result.rejected) {
        const { line, text } = items[index]!;
        rejectedByServer[code] = (rejectedByServer[code] ?? 0) + 1;
        file.write({ line, reason: code, message, text });
      }
      save(null);
    },
    save,
    close: file.close,
  };
}
