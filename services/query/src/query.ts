import { ProblemError } from '@touchstone/runtime';
import { registerAlertActionRoutes } from './alert-action-routes.ts';
import { registerAlertRoutes } from './alert-routes.ts';
import { registerAlertRuleRoutes } from './alert-rule-routes.ts';
import { registerRulesTrialRoute } from './rules-trial-route.ts';
import { AccountPasts } from './account-pasts.ts';
import { registerAccountListRoute } from './account-list-route.ts';
import { registerAccountRoutes } from './account-routes.ts';
import { registerAccountStagesRoute } from './account-stages-route.ts';
import { registerCreativeGauges } from './creative-gauges.ts';
import { registerCreativeRoutes } from './creative-routes.ts';
import { registerDecisionStreamRoute } from './experiments/decision-stream-route.ts';
import { registerExperimentRoutes } from './experiments/experiment-routes.ts';
import { registerOfrepRoutes } from './experiments/ofrep-routes.ts';
import { registerDeadLetterRoutes } from './dead-letter-routes.ts';
import { registerExplainRoutes } from './explain-routes.ts';
import { registerKeyRoutes } from './key-routes.ts';
import { registerKpiRoutes } from './kpis/kpi-routes.ts';
import { registerModelRoutes } from './model-routes.ts';
import type { QueryApp, QueryDependencies, QueryOptions } from './query-options.ts';
import { createQueryStore } from './query-store.ts';
import { registerRevenueRoutes } from './revenue/register-revenue.ts';
import { registerStageRoutes } from './stage-routes.ts';
import { PublishedStep } from './stream-event.ts';
import { registerStreamRoutes } from './stream-routes.ts';

/** Registers the reading side of the HTTP API, and the keys. */
export async function registerQuery(app: QueryApp, dependencies: QueryDependencies): Promise<void> {
  const store = createQueryStore(dependencies.store, dependencies.metrics);
  const options: QueryOptions = {
    ...dependencies,
    store,
    pasts: new AccountPasts({ store }),
    assertReady() {
      const { ready, detail } = dependencies.readiness();
      if (!ready) throw new ProblemError('not_ready', detail, { headers: { 'retry-after': '1' } });
      if (!dependencies.experiments.log.isRead) {
        throw new ProblemError('not_ready', 'the experiments are not read yet', { headers: { 'retry-after': '1' } });
      }
    },
  };
  registerAccountListRoute(app, options);
  registerAccountRoutes(app, options);
  registerAccountStagesRoute(app, options);
  registerAlertRoutes(app, options);
  registerAlertActionRoutes(app, options);
  registerAlertRuleRoutes(app, options);
  registerRulesTrialRoute(app, options);
  registerStageRoutes(app, options);
  registerCreativeRoutes(app, options);
  registerCreativeGauges(options);
  registerExplainRoutes(app, options);
  registerModelRoutes(app, options);
  registerKpiRoutes(app, options);
  registerRevenueRoutes(app, options);
  registerDeadLetterRoutes(app, options);
  registerKeyRoutes(app, options);
  await registerStreamRoutes(app, options);
  options.experiments.log.follow((step) => options.feed.announce(new PublishedStep(step)));
  registerExperimentRoutes(app, options);
  const { decider, streams } = options.experiments;
  const assertDecisions = (): void => {
    const { ready, detail } = options.experiments.readiness();
    if (!ready) throw new ProblemError('not_ready', detail, { headers: { 'retry-after': '1' } });
  };
  registerOfrepRoutes(app, { ...options, decider, streams, assertReady: assertDecisions });
  registerDecisionStreamRoute(app, streams, assertDecisions);
}
