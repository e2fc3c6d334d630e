import type { DeliveryRow, NotificationStore, OwnerCount } from '@touchstone/store';
import { hourOf } from './digest.ts';

/** What other processes told is known after this. */
const READ_AGAIN_MS = 5000;

/**
 * How many alerts of the hour each owner was told, by endpoint: read from the store now and then, and counted here in between, so that a message
 * needs not wait for the store. What was counted here and is not stored yet is missing there, what others told is missing here: the more counts.
 */
export class ToldCounts {
  readonly #read: NotificationStore['toldCounts'];
  readonly #counts = new Map<string, OwnerCount>();
  readonly #endpoints = new Set<string>();
  #readAt = -Infinity;

  constructor(read: NotificationStore['toldCounts']) {
    this.#read = read;
  }

  /** The counts of these endpoints for the hour of `now`, epoch ms. */
  async of(endpointIds: readonly string[], now: number): Promise<readonly OwnerCount[]> {
    const isOld = now - this.#readAt >= READ_AGAIN_MS || now < this.#readAt || hourOf(now) !== hourOf(this.#readAt);
    if (isOld || endpointIds.some((id) => !this.#endpoints.has(id))) {
      const asked = isOld ? new Set(endpointIds) : new Set([...this.#endpoints, ...endpointIds]);
      const stored = await this.#read([...asked], hourOf(now));
      if (hourOf(now) !== hourOf(this.#readAt)) this.#counts.clear();
      this.#endpoints.clear();
      for (const id of asked) this.#endpoints.add(id);
      for (const count of stored) {
        const key = keyOf(count);
        if (count.told > (this.#counts.get(key)?.told ?? 0)) this.#counts.set(key, count);
      }
      this.#readAt = now;
    }
    return [...this.#counts.values()];
  }

  /** Messages that were just made. */
  add(rows: readonly DeliveryRow[]): void {
    for (const { endpointId, owner, state } of rows) {
      if (state !== 'pending' || !this.#endpoints.has(endpointId)) continue;
      const key = keyOf({ endpointId, owner });
      this.#counts.set(key, { endpointId, owner, told: (this.#counts.get(key)?.told ?? 0) + 1 });
    }
  }
}

function keyOf({ endpointId, owner }: Pick<OwnerCount, 'endpointId' | 'owner'>): string {
  return JSON.stringify([endpointId, owner]);
}
