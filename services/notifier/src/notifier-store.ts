import { ProblemError, type Metrics } from '@touchstone/runtime';
import { StoreError, type NotificationStore, type Store } from '@touchstone/store';

/** What of the store the notifier asks. */
export type NotifierStore = NotificationStore & Pick<Store, 'alerts' | 'saveAlertAction'>;

/** What of it the routes ask. */
export type RouteStore = Pick<NotifierStore, 'alerts' | 'deliveries' | 'deliveriesOf' | 'hasActionNoted' | 'saveAlertAction'>;

/** The store as routes use it: what it can not do right now is answered with 503 and counted. */
export function createNotifierStore(store: RouteStore, metrics: Metrics): RouteStore {
  return {
    deliveries: (query) => answered(store.deliveries(query), metrics),
    deliveriesOf: (id) => answered(store.deliveriesOf(id), metrics),
    alerts: (query) => answered(store.alerts(query), metrics),
    hasActionNoted: (alertId, note) => answered(store.hasActionNoted(alertId, note), metrics),
    saveAlertAction: (action) => answered(store.saveAlertAction(action), metrics),
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
