import { ProblemError, type Metrics } from '@touchstone/runtime';
import { StoreError, type NotificationStore } from '@touchstone/store';

/** What of the store the routes ask. */
export type RouteStore = Pick<NotificationStore, 'deliveries' | 'deliveriesOf'>;

/** The store as routes use it: what it can not do right now is answered with 503 and counted. */
export function createNotifierStore(store: RouteStore, metrics: Metrics): RouteStore {
  return {
    deliveries: (query) => answered(store.deliveries(query), metrics),
    deliveriesOf: (id) => answered(store.deliveriesOf(id), metrics),
  };
}

/** @throws ProblemError `unavailable` for what the store can not do right now */
export async function answered<Answer>(answer: Promise<Answer>, metrics?: Metrics): Promise<Answer> {
  try {
    return await answer;
  } catch (cause) {
    if (!(cause instanceof StoreError)) throw cause;
    metrics?.count('store_errors_total', { code: cause.code });
    if (!cause.retriable) throw cause;
    throw new ProblemError('unavailable', 'the store does not answer right now', { cause, headers: { 'retry-after': '2' } });
  }
}
