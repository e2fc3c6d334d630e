import type { Metrics, Scheduler } from '@touchstone/runtime';
import type { Intake } from './intake.ts';

/** Looked at in one turn of the event loop: a few milliseconds of work, also where each makes several alerts. */
const ACCOUNTS_A_TURN = 200;

/**
 * Looks at accounts of a partition as its rules ask for after a restore or when another model has taken over, in turns, so that the process
 * answers meanwhile; what that comes to is taken up by the intake turn by turn. No block of the partition may be applied before all are looked at.
 * @param options.breathe lets others have their turn; it may throw, to give up: what is left is owed
 * @param options.hasRoom whether there is room for what another turn comes to; else what is left is owed
 * @returns how many entries are held back
 */
export async function payLooks(
  intake: Intake,
  { breathe, hasRoom = () => true }: { readonly breathe: () => Promise<void>; readonly hasRoom?: () => boolean },
): Promise<number> {
  const { alerts } = intake.ledgers;
  let heldBack = 0;
  while (alerts.owesLooks && hasRoom()) {
    alerts.payLooks(ACCOUNTS_A_TURN);
    heldBack += intake.takeOver();
    await breathe();
  }
  return heldBack;
}

export interface LookOptions {
  readonly scheduler: Scheduler;
  readonly metrics: Metrics;
  /** Whether what has gathered for the next checkpoint is not too much. */
  readonly hasRoom: () => boolean;
  /** Makes everything applied so far durable. */
  readonly checkpoint: () => Promise<void>;
  /** Whether the process stops: looks that are owed then are left to the next start. */
  readonly isStopping: () => boolean;
}

/**
 * Pays all looks that a partition owes. Alerts of all its accounts at once may be more than there is room for: then they are stored and told
 * meanwhile, so it has to be among those that are held.
 * @throws when the process stops
 */
export async function payAllLooks(intake: Intake, { checkpoint, hasRoom, isStopping, metrics, scheduler }: LookOptions): Promise<void> {
  const heldBack = await payLooks(intake, {
    async breathe() {
      if (isStopping()) throw new Error('the process stops');
      if (!hasRoom()) await checkpoint();
      await scheduler.breathe();
    },
  });
  if (heldBack > 0) metrics.count('alerts_held_back_total', {}, heldBack);
}
