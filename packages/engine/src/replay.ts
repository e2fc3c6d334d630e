import { OUTCOME, type Outcome } from './ledgers.ts';
import type { RecordRun } from './record.ts';

/** What stored records are applied to: ledgers, or what another model makes of them. */
export interface ReplayTarget {
  readonly partition: number;
  /** Offset of the next record to apply. */
  position: number;
  take(run: RecordRun, isStored: boolean): Outcome;
  /** Takes touches of the run as columns, as `take` would one by one; says how many. */
  takeTouches?(run: RecordRun): number;
  settle(): void;
}

export interface ReplayOptions {
  /** Called every so many records, so that whoever shares the thread gets a turn. */
  readonly breathe?: () => Promise<void>;
}

/** Records between two breaths: some milliseconds of work. */
const RECORDS_A_BREATH = 4096;

/**
 * Applies stored records: the one way to a ledger besides the live log. Recovery replays into empty ledgers, rescoring into ledgers of another
 * model.
 * @param runs the partition's stored records in offset order; `ledgers` may have applied a part of them already
 * @returns how many records were applied
 */
export async function replay(runs: AsyncIterable<RecordRun>, ledgers: ReplayTarget, options: ReplayOptions = {}): Promise<number> {
  let applied = 0;
  let breath = RECORDS_A_BREATH;
  for await (const run of runs) {
    for (;;) {
      const touches = ledgers.takeTouches?.(run) ?? 0;
      applied += touches;
      if (touches === 0) {
        if (!run.next()) break;
        if (run.offset < ledgers.position) continue;
        const outcome = ledgers.take(run, true);
        if (outcome === OUTCOME.setAside) throw new Error(`stored record ${run.offset} of partition ${run.partition} can't be applied`);
        applied++;
      }
      if (options.breathe !== undefined && applied >= breath) {
        breath = applied + RECORDS_A_BREATH;
        ledgers.settle();
        await options.breathe();
      }
    }
    // Before the run goes on to other bytes.
    ledgers.settle();
  }
  return applied;
}
