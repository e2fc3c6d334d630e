import { PartitionLedgers, type LedgerSet, type ScoringModel } from '@touchstone/engine';
import { restoreLedgers } from '@touchstone/recovery';
import { persist, type Logger, type Scheduler } from '@touchstone/runtime';
import type { Store } from '@touchstone/store';
import type { Intake } from './intake.ts';

/** Once so few records are missing, catching up with them is no longer noticed by anyone. */
const RECORDS_LEFT_MAX = 20_000;
const ROUNDS_MAX = 5;

interface RescoreOptions {
  readonly intakes: ReadonlyMap<number, Intake>;
  readonly ledgers: LedgerSet;
  readonly store: Store;
  readonly logger: Logger;
  readonly scheduler: Scheduler;
  readonly dedupeHorizonMs: number;
  /** @throws what gives the rescoring up: the process stops, or other partitions are to be rescored by now */
  readonly assertCurrent: () => void;
  /** Makes everything applied so far durable. */
  readonly checkpoint: () => Promise<void>;
  /** Runs a step while no block is being applied. */
  readonly whileHeld: (step: () => Promise<void>) => Promise<void>;
}

/**
 * Builds the ledgers of another model from the stored touches while those of the old one go on applying and serving:
 *
 *     round: checkpoint, replay what is stored and not yet replayed      (old model live)
 *     ... until little is missing
 *     last:  hold the partitions, checkpoint, replay the rest, take over (tenths of a second)
 *
 * All partitions take over in one step, so no answer mixes two models.
 * @returns the offset at which each partition took over
 */
export async function rescore(model: ScoringModel, options: RescoreOptions): Promise<ReadonlyMap<number, number>> {
  const { assertCurrent, intakes, ledgers, logger, dedupeHorizonMs, scheduler, whileHeld } = options;
  const startedAt = scheduler.elapsed();
  const rescored = new Map([...intakes.keys()].map((partition) => [partition, new PartitionLedgers(partition, model, dedupeHorizonMs)]));

  let records = 0;
  for (let round = 0; round < ROUNDS_MAX; round++) {
    records += await catchUp(rescored, options);
    let left = 0;
    for (const [partition, { position }] of rescored) left += intakes.get(partition)!.ledgers.position - position;
    if (left <= RECORDS_LEFT_MAX) break;
  }
  await whileHeld(async () => {
    records += await catchUp(rescored, options);
    assertCurrent();
    for (const [partition, next] of rescored) {
      const intake = intakes.get(partition)!;
      next.now = Math.max(next.now, intake.ledgers.now);
      intake.ledgers = next;
    }
    ledgers.replace(rescored.values());
  });
  const takeover = new Map([...rescored].map(([partition, { position }]) => [partition, position]));
  const seconds = (scheduler.elapsed() - startedAt) / 1000;
  logger.info({ modelVersion: model.version, records, seconds, takeover: Object.fromEntries(takeover) }, 'accounts are rescored');
  return takeover;
}

/** Brings the new ledgers up to what is applied at the time of the call. */
async function catchUp(rescored: ReadonlyMap<number, PartitionLedgers>, options: RescoreOptions): Promise<number> {
  const { assertCurrent, checkpoint, intakes, logger, scheduler, store } = options;
  const ends = new Map([...intakes].map(([partition, { ledgers }]) => [partition, ledgers.position]));
  await checkpoint();
  let records = 0;
  for (const [partition, next] of rescored) {
    records += await persist({
      scheduler,
      step: () =>
        restoreLedgers(next, ends.get(partition)!, {
          store,
          breathe: async () => {
            assertCurrent();
            await scheduler.breathe();
          },
        }),
      onRetry(err, failures, pauseMs) {
        assertCurrent();
        logger.warn({ err, failures, pauseMs }, 'the stored touches can not be read right now; rescoring goes on when they can');
      },
    });
  }
  return records;
}
