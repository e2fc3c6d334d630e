import type { Alert } from '@touchstone/engine';
import type { DeliveryKey, DeliveryRow, OwnerCount } from '@touchstone/store';
import { wants, type Endpoint } from './endpoint.ts';
import { compareAlerts } from './rank-alerts.ts';

/** Which messages alerts become: pure, so that what is told and what is held is a function of what is known. */

export interface ReadAlert {
  readonly alert: Alert;
  /** When the log took it, epoch ms. */
  readonly appendedAt: number;
}

export interface Candidate {
  readonly endpoint: Endpoint;
  readonly alert: Alert;
}

/**
 * Who is to hear of each alert. An endpoint hears of what is told after it was made; one that is disabled misses what is told meanwhile. An alert
 * that stands there twice is one.
 */
export function candidatesOf(alerts: readonly ReadAlert[], endpoints: readonly Endpoint[]): Candidate[] {
  const unique = new Map(alerts.map((read) => [read.alert.id, read]));
  return [...unique.values()].flatMap(({ alert, appendedAt }) =>
    endpoints
      .filter(({ createdAt, filter, state }) => state === 'active' && appendedAt >= createdAt && wants(filter, alert))
      .map((endpoint) => ({ endpoint, alert })),
  );
}

export function keyOfCandidate({ alert, endpoint }: Candidate): DeliveryKey {
  return { endpointId: endpoint.id, at: alert.at, id: alert.id };
}

/** Those whose messages are not stored yet. */
export function withoutKnown(candidates: readonly Candidate[], known: readonly DeliveryKey[]): Candidate[] {
  const keys = new Set(known.map(keyText));
  return candidates.filter((candidate) => !keys.has(keyText(keyOfCandidate(candidate))));
}

export function keyText({ at, endpointId, id }: DeliveryKey): string {
  return `${endpointId}/${at}/${id}`;
}

/**
 * The messages: pending within the budget of each owner, held for the digest beyond it. What comes at once is ranked first, so that the budget
 * goes to what matters most.
 * @param told what each owner was told in this hour
 */
export function deliveriesOf(candidates: readonly Candidate[], told: readonly OwnerCount[], now: number): DeliveryRow[] {
  const key = (endpointId: string, owner: string | null): string => JSON.stringify([endpointId, owner]);
  const counts = new Map(told.map((count) => [key(count.endpointId, count.owner), count.told]));
  return candidates
    .toSorted((one, other) => compareAlerts(one.alert, other.alert))
    .map(({ alert, endpoint }) => {
      const ofOwner = key(endpoint.id, alert.owner);
      const count = counts.get(ofOwner) ?? 0;
      const isWithin = endpoint.ownerBudget === null || count < endpoint.ownerBudget;
      if (isWithin) counts.set(ofOwner, count + 1);
      return messageOf(alert, endpoint.id, isWithin ? 'pending' : 'held', now);
    });
}

/** Texts of alerts, one for all endpoints that hear of it: in a storm they are most of what is in memory. */
const payloads = new WeakMap<Alert, string>();

function payloadOf(alert: Alert): string {
  let payload = payloads.get(alert);
  if (payload === undefined) payloads.set(alert, (payload = JSON.stringify(alert)));
  return payload;
}

/** The message that tells an alert, before the first attempt. */
export function messageOf(alert: Alert, endpointId: string, state: DeliveryRow['state'], now: number): DeliveryRow {
  return {
    endpointId,
    at: alert.at,
    id: alert.id,
    revision: 0,
    kind: 'alert',
    partition: alert.partition,
    owner: alert.owner,
    state,
    takenAt: now,
    nextAttemptAt: now,
    attempts: 0,
    attemptLog: '[]',
    payload: payloadOf(alert),
  };
}
