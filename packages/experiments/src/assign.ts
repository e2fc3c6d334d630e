import { hash } from 'node:crypto';

/** The account is shown none of the creatives. */
export const HOLDOUT = Symbol('holdout');

/** What assignment depends on. */
export interface Assigning {
  readonly seed: string;
  readonly arms: readonly { readonly creativeId: string; readonly weight: number }[];
  /** Share of the covered accounts that are held out. */
  readonly holdout: number;
  /** Share of all accounts that are covered. */
  readonly coverage: number;
}

/** The arm of an account, the same everywhere and always; HOLDOUT, or null when it is not covered. */
export function assign({ arms, coverage, holdout, seed }: Assigning, accountId: string): string | typeof HOLDOUT | null {
  const digest = hash('sha256', `${seed}/${accountId}`, 'buffer');
  const share = (at: number): number => digest.readUInt32BE(at) / 2 ** 32;
  if (share(0) >= coverage) return null;
  if (share(4) < holdout) return HOLDOUT;
  const total = arms.reduce((sum, { weight }) => sum + weight, 0);
  let left = share(8) * total;
  for (const { creativeId, weight } of arms) {
    if (left < weight) return creativeId;
    left -= weight;
  }
  return arms.at(-1)!.creativeId;
}
