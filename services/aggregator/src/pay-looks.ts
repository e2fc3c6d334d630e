import type { Intake } from './intake.ts';

/** Looked at in one turn of the event loop: a few milliseconds of work, also where each makes several alerts. */
const ACCOUNTS_A_TURN = 200;

/**
 * Looks at all accounts of a partition as its rules ask for after a restore or when another model has taken over, in turns, so that the process
 * answers meanwhile; what that comes to is taken up by the intake turn by turn. No block of the partition may be applied before it is done.
 * @param breathe lets others have their turn; it may throw, to give up: what is left is owed
 * @returns how many entries are held back
 */
export async function payLooks(intake: Intake, breathe: () => Promise<void>): Promise<number> {
  const { alerts } = intake.ledgers;
  let heldBack = 0;
  while (alerts.owesLooks) {
    alerts.payLooks(ACCOUNTS_A_TURN);
    heldBack += intake.takeOver();
    await breathe();
  }
  return heldBack;
}
