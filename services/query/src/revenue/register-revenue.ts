import { sleep, systemScheduler } from '@touchstone/runtime';
import type { QueryApp, QueryOptions } from '../query-options.ts';
import { registerAttributionRoutes } from './attribution-routes.ts';
import { ConstantModel } from './constant-model.ts';
import { registerInfluenceRoutes } from './influence-routes.ts';
import { registerJourneyRoutes } from './journey-routes.ts';
import { KeptAnswers } from '../kept-answers.ts';
import { keepRevenueGauges } from './revenue-gauges.ts';
import { registerLvrRoutes } from './lvr-routes.ts';
import { registerWinRateRoutes } from './win-rate-routes.ts';

/** Lead velocity, journeys, influence and attribution. */
export function registerRevenueRoutes(app: QueryApp, options: QueryOptions): void {
  const { clock, store } = options;
  const kept = new KeptAnswers({ clock });
  const constantModel = new ConstantModel({
    store,
    clock,
    pause: (ms) => sleep(systemScheduler, ms),
    onFailed: (error) => app.log.warn({ err: error }, 'the past under one constant model could not be computed'),
  });
  keepRevenueGauges({ ...options, isReady: () => options.readiness().ready });
  registerLvrRoutes(app, { ...options, kept, constantModel });
  registerJourneyRoutes(app, { ...options, kept });
  registerInfluenceRoutes(app, { ...options, kept });
  registerAttributionRoutes(app, { ...options, kept });
  registerWinRateRoutes(app, { ...options, kept });
}
