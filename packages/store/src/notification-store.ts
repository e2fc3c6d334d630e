import type { AccountFact } from '@touchstone/engine';

/** The part of the port that only the notifier uses: where alerts are sent, and what became of each. */

/** Deleted ones stay as rows, so that no older row comes back; they are in no answer. */
export type EndpointState = 'active' | 'disabled' | 'deleted';
export type EndpointKind = 'webhook' | 'slack';

/** Where alerts are sent. */
export interface EndpointRow {
  readonly id: string;
  /** The highest stands. */
  readonly revision: number;
  readonly name: string;
  readonly kind: EndpointKind;
  readonly url: string;
  /** What messages are signed with, the newest first. */
  readonly secrets: readonly string[];
  /** JSON. */
  readonly filter: string;
  /** Alerts an hour for each owner; what is more goes into a digest. Null: all. */
  readonly ownerBudget: number | null;
  readonly state: EndpointState;
  readonly stateReason: string;
  readonly createdAt: number;
  readonly updatedAt: number;
}

/**
 *     (taken) --> pending --2xx--> delivered
 *                   |---attempts are used up, or the endpoint is gone--> failed
 *     (taken, beyond the owner's budget) --> held --its digest is pending--> digested
 */
export type DeliveryState = 'pending' | 'delivered' | 'failed' | 'held' | 'digested';
export type DeliveryKind = 'alert' | 'digest' | 'test' | 'decision';

/** A message to an endpoint. The ids of messages and endpoints hold no line ends. */
export interface DeliveryKey {
  readonly endpointId: string;
  /** The instant of the alert, epoch ms. */
  readonly at: number;
  readonly id: string;
}

export interface DeliveryRow extends DeliveryKey {
  /** Counts the times it was written; the highest stands. */
  readonly revision: number;
  readonly kind: DeliveryKind;
  /** Partition of the alerts topic: whoever holds it sends the message. */
  readonly partition: number;
  readonly owner: string | null;
  readonly state: DeliveryState;
  readonly takenAt: number;
  readonly nextAttemptAt: number;
  /** Those of the schedule it is in; a resend begins another. */
  readonly attempts: number;
  /** What came of the attempts: JSON. */
  readonly attemptLog: string;
  /** The alert or digest: JSON. */
  readonly payload: string;
}

export interface DeliveryQuery {
  readonly endpointId: string;
  readonly state?: DeliveryState;
  /** Only those before this one, by instant and id. */
  readonly before?: Pick<DeliveryKey, 'at' | 'id'>;
  readonly limit: number;
}

export interface PendingQuery {
  readonly endpointId: string;
  readonly partitions: readonly number[];
  /** Only messages of alerts of this instant or later, epoch ms: what happened before is not read. */
  readonly from: number;
  readonly limit: number;
}

export interface OwnerCount {
  readonly endpointId: string;
  readonly owner: string | null;
  readonly told: number;
}

export interface NotificationStore {
  /** Those that were not deleted, oldest first. */
  endpoints(): Promise<readonly EndpointRow[]>;
  saveEndpoint(row: EndpointRow): Promise<void>;
  saveDeliveries(rows: readonly DeliveryRow[]): Promise<void>;
  /** Newest first by instant, then by id. */
  deliveries(query: DeliveryQuery): Promise<readonly DeliveryRow[]>;
  /** Of one message, to all endpoints. */
  deliveriesOf(id: string): Promise<readonly DeliveryRow[]>;
  /** What has to be sent, what is due first before the rest. */
  pendingDeliveries(query: PendingQuery): Promise<readonly DeliveryRow[]>;
  /** How much has to be sent, by endpoint, of what happened at an instant or later. */
  pendingCounts(partitions: readonly number[], from: number): Promise<ReadonlyMap<string, number>>;
  /** What was held back before an instant; what is of one endpoint, owner and hour (UTC) stands together. */
  heldDeliveries(takenBefore: number, limit: number): Promise<readonly DeliveryRow[]>;
  /** Those of the keys that are stored. */
  knownDeliveries(keys: readonly DeliveryKey[]): Promise<readonly DeliveryKey[]>;
  /** Alerts that were not held back, of those taken at an instant or later and at most 30 days old then, by endpoint and owner. */
  toldCounts(endpointIds: readonly string[], takenFrom: number): Promise<readonly OwnerCount[]>;
  /** What the CRM said last of these accounts, as far as it is stored; those that nobody described are left out. */
  accountFacts(accountIds: readonly string[]): Promise<ReadonlyMap<string, AccountFact>>;
  /** Whether something was done about the alert with just this note. */
  hasActionNoted(alertId: string, note: string): Promise<boolean>;
}
