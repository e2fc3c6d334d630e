import type { Readiness } from '@touchstone/runtime';
import type { Intake } from './intake.ts';

interface Looked {
  readonly isStarted: boolean;
  /** Null until that is known for the first time. */
  readonly assigned: ReadonlySet<number> | null;
  readonly intakes: ReadonlyMap<number, Intake>;
  /** How many partitions are assigned and not restored yet. */
  readonly awaited: number;
}

/** Whether everything that was on the log when the partitions were taken up is applied. */
export function readinessOf({ assigned, awaited, intakes, isStarted }: Looked): Readiness {
  if (assigned === null) return { ready: false, detail: isStarted ? 'waits to be told its partitions' : 'not started' };
  const isWhole = awaited === 0 && [...assigned].every((partition) => intakes.has(partition));
  if (!isWhole) return { ready: false, detail: `restored ${intakes.size} of ${assigned.size} partitions` };
  let behind = 0;
  for (const { heldUntil, ledgers } of intakes.values()) behind += Math.max(0, heldUntil - ledgers.position);
  return behind === 0
    ? { ready: true, detail: 'state is restored' }
    : { ready: false, detail: `${behind} records of the log are still to be applied` };
}
