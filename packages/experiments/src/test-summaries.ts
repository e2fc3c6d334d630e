import { addAccount } from './moments.ts';
import { noArm, type ArmSummary, type EvidenceSummary } from './summary.ts';

/** An arm with settled accounts, each of ten impressions and of so many clicks. */
export function armWith(creativeId: string, buckets: number, clicks: readonly number[]): ArmSummary {
  const arm = noArm(creativeId, buckets);
  for (const count of clicks) {
    const weight = buckets === 0 ? 0 : 10_000 / buckets;
    addAccount(arm.moments.clicked, weight, 1, count > 0 ? 1 : 0);
    addAccount(arm.moments.clickRate, weight, 10, count);
    addAccount(arm.moments.pointsGained, weight, 1, count);
    arm.exposed++;
    arm.settled++;
  }
  return arm;
}

/** `clicked` of `accounts` accounts click once. */
export function clicking(clicked: number, accounts: number): number[] {
  return Array.from({ length: accounts }, (_, n) => (n < clicked ? 1 : 0));
}

export function summaryOf(...eras: ArmSummary[][]): EvidenceSummary {
  return { asOf: 0, eras: eras.map((arms, since) => ({ since, arms })), forgotten: 0, heldOutExposed: 0, uncoveredExposed: 0, late: 0 };
}
