import type { Logger, Metrics } from '@touchstone/runtime';
import type { BlockOutcome, Intake } from './intake.ts';

/** Tells what the records of a block came to. */
export function countOutcome(intake: Intake, outcome: BlockOutcome, { logger, metrics }: { logger: Logger; metrics: Metrics }): void {
  metrics.count('touches_applied_total', {}, outcome.counted);
  if (outcome.unresolved > 0) metrics.count('touches_unresolved_total', {}, outcome.unresolved);
  if (outcome.duplicates > 0) metrics.count('touches_duplicate_total', {}, outcome.duplicates);
  const touches = outcome.counted + outcome.unresolved + outcome.duplicates;
  if (touches > 0) metrics.count('records_applied_total', { record: 'touch' }, touches);
  if (outcome.facts > 0) metrics.count('records_applied_total', { record: 'fact' }, outcome.facts);
  if (outcome.models > 0) metrics.count('records_applied_total', { record: 'model' }, outcome.models);
  if (outcome.ticks > 0) metrics.count('records_applied_total', { record: 'tick' }, outcome.ticks);
  if (outcome.heldBack > 0) metrics.count('alerts_held_back_total', {}, outcome.heldBack);
  if (intake.ledgers.lateTouches > 0) {
    metrics.count('touches_late_total', {}, intake.ledgers.lateTouches);
    intake.ledgers.lateTouches = 0;
  }
  for (const [kind, count] of intake.ledgers.kinds.takeUnruled()) metrics.count('touches_unknown_kind_total', { kind }, count);
  if (outcome.setAside.length === 0) return;
  metrics.count('records_applied_total', { record: 'dead_letter' }, outcome.setAside.length);
  for (const { reason } of outcome.setAside) metrics.count('dead_letters_total', { reason });
  const { partition, offset, reason } = outcome.setAside[0]!;
  logger.warn({ partition, offset, reason, count: outcome.setAside.length }, 'records were set aside as dead letters');
}
