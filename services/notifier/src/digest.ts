import { hash } from 'node:crypto';
import type { Alert } from '@touchstone/engine';
import type { DeliveryRow } from '@touchstone/store';
import { compareAlerts } from './rank-alerts.ts';

/** What of the held alerts is told, at most; how many there were is told too. */
export const DIGEST_ALERTS_MAX = 50;

export type DigestAlert = Pick<
  Alert,
  | 'id'
  | 'type'
  | 'accountId'
  | 'ruleId'
  | 'direction'
  | 'cause'
  | 'metric'
  | 'threshold'
  | 'previousValue'
  | 'currentValue'
  | 'currentStage'
  | 'at'
  | 'version'
>;

/** The alerts of an hour that were beyond an owner's budget, as one message. */
export interface Digest {
  readonly owner: string | null;
  /** The hour, epoch ms. */
  readonly from: number;
  readonly to: number;
  readonly total: number;
  /** The first of them by rank. */
  readonly alerts: readonly DigestAlert[];
}

export interface DigestGroup {
  readonly endpointId: string;
  readonly digest: Digest;
  /** The same for the same alerts, so that a digest that is made again is known to the receiver. */
  readonly id: string;
  readonly held: readonly DeliveryRow[];
}

export const HOUR_MS = 3_600_000;

export function hourOf(time: number): number {
  return time - (time % HOUR_MS);
}

/** One digest for each endpoint, owner and hour among what was held back. */
export function groupIntoDigests(held: readonly DeliveryRow[]): DigestGroup[] {
  const groups = Map.groupBy(held, groupOf);
  return [...groups.values()].map((rows) => {
    const { endpointId, owner, takenAt } = rows[0]!;
    const from = hourOf(takenAt);
    const alerts = rows.map(({ payload }) => JSON.parse(payload) as Alert).sort(compareAlerts);
    const ids = alerts.map(({ id }) => id).sort();
    return {
      endpointId,
      id: `dig_${hash('sha256', JSON.stringify([endpointId, owner, from, ids]), 'hex').slice(0, 32)}`,
      digest: { owner, from, to: from + HOUR_MS, total: alerts.length, alerts: alerts.slice(0, DIGEST_ALERTS_MAX).map(summaryOf) },
      held: rows,
    };
  });
}

/** A page that is full may end within a group: what of it is whole. The groups stand one after the other. */
export function withoutLastGroup(held: readonly DeliveryRow[]): readonly DeliveryRow[] {
  const last = groupOf(held.at(-1)!);
  return held.slice(0, held.findLastIndex((row) => groupOf(row) !== last) + 1);
}

function groupOf({ endpointId, owner, takenAt }: DeliveryRow): string {
  return JSON.stringify([endpointId, owner, hourOf(takenAt)]);
}

function summaryOf(alert: Alert): DigestAlert {
  const { accountId, at, cause, currentStage, currentValue, direction, id, metric, previousValue, ruleId, threshold, type, version } =
    alert;
  return { id, type, accountId, ruleId, direction, cause, metric, threshold, previousValue, currentValue, currentStage, at, version };
}
