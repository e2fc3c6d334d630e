import { compileFilter } from './account-filter.ts';
import { durationMs, type AlertFilter, type Criterion, type Stage, type Threshold, type Watch } from './alert-rules.ts';
import { ActNowCondition, EngagedCondition, LevelCondition, type Condition, type Level } from './conditions.ts';
import type { ScoringModel } from '../model.ts';
import { compileMetric, type Metric } from './metrics.ts';
import { CompiledQualification, type CompiledCriterion } from './qualification.ts';
import { SurgeCondition } from './surge-condition.ts';
import { RoleEngagedCondition, RoleSilentCondition, SingleThreadedCondition } from './watch-conditions.ts';

/** The rules of a model that alerts come from, made ready: conditions, each once, and what is made of them. Conditions are known by their place. */
export interface CompiledAlertRules {
  readonly conditions: readonly Condition[];
  readonly thresholds: readonly CompiledThreshold[];
  readonly qualification: CompiledQualification | null;
  readonly stages: readonly CompiledStage[];
  readonly surge: CompiledSurge | null;
  readonly watches: readonly CompiledWatch[];
}

export interface CompiledThreshold {
  readonly id: string;
  readonly metric: Metric;
  readonly condition: number;
  readonly level: LevelCondition;
  readonly cooldownMs: number;
}

export interface CompiledStage {
  readonly id: string;
  /** All of them must hold. */
  readonly conditions: readonly number[];
  readonly isQualified: boolean;
  readonly opportunity: Stage['opportunity'];
}

export interface CompiledSurge {
  readonly metric: string;
  readonly condition: number;
  readonly surge: SurgeCondition;
  readonly cooldownMs: number;
}

export interface CompiledWatch {
  readonly id: string;
  readonly condition: number;
}

export interface FleetGrowth {
  readonly fleetGrowth: number;
}

/** What rules are written in: a model, and the numbers of the kinds and roles that it names. */
export interface RuleTerms {
  readonly model: ScoringModel;
  readonly kinds: { number(name: string): number };
  readonly roles: { number(name: string): number };
}

export function compileAlertRules(terms: RuleTerms, fleet: FleetGrowth): CompiledAlertRules {
  const { qualification, stages, surge, thresholds, watches } = terms.model;
  const set = new ConditionSet(terms);
  return {
    conditions: set.conditions,
    thresholds: thresholds.map((threshold) => set.threshold(threshold)),
    qualification:
      qualification === undefined
        ? null
        : new CompiledQualification(qualification, {
            criteria: qualification.of.map((criterion) => ({ id: criterion.id ?? criterion.metric, ...set.criterion(criterion) })),
            contacts: set.criterion({ metric: 'reach', atLeast: qualification.minContacts }),
            actNow: qualification.actNow.length === 0 ? null : set.add('actNow', () => new ActNowCondition(qualification)),
          }),
    stages: stages.map((stage) => set.stage(stage)),
    surge:
      surge === undefined
        ? null
        : set.surge(
            new SurgeCondition(surge, () => fleet.fleetGrowth, compileFilter(surge.filter)),
            surge.metric,
            durationMs(surge.cooldown),
          ),
    watches: watches.map((watch) => ({ id: watch.id, condition: set.watch(watch) })),
  };
}

/** Conditions by what they ask for: two rules that ask for the same share one. */
class ConditionSet {
  readonly conditions: Condition[] = [];
  readonly #places = new Map<string, number>();
  readonly #criteria = new Map<string, CompiledCriterion>();
  readonly #metrics = new Map<string, Metric>();
  readonly #terms: RuleTerms;

  constructor(terms: RuleTerms) {
    this.#terms = terms;
  }

  add(key: string, make: () => Condition): number {
    const known = this.#places.get(key);
    if (known !== undefined) return known;
    const place = this.conditions.push(make()) - 1;
    this.#places.set(key, place);
    return place;
  }

  threshold({ byTier = {}, cooldown, enter, exit = enter, filter, id, metric: name }: Threshold): CompiledThreshold {
    const metric = this.#metric(name);
    const levels = new Map(
      Object.entries(byTier).map(([tier, one]): [string, Level] => [tier, { enter: one.enter, exit: one.exit ?? one.enter }]),
    );
    const level = new LevelCondition(metric, { enter, exit }, levels, compileFilter(filter));
    // Never shared: where it ends may depend on where it began, and that on the threshold.
    return { id, metric, level, condition: this.add(`threshold ${id}`, () => level), cooldownMs: durationMs(cooldown) };
  }

  criterion({ atLeast, byTier = {}, metric }: Pick<Criterion, 'metric' | 'atLeast' | 'byTier'>): CompiledCriterion {
    const key = JSON.stringify([metric, atLeast, Object.entries(byTier)]);
    const known = this.#criteria.get(key);
    if (known !== undefined) return known;
    const levels = new Map(Object.entries(byTier).map(([tier, value]): [string, Level] => [tier, { enter: value, exit: value }]));
    const level = new LevelCondition(this.#metric(metric), { enter: atLeast, exit: atLeast }, levels);
    const made = { level, condition: this.conditions.push(level) - 1 };
    this.#criteria.set(key, made);
    return made;
  }

  stage({ engaged, id, metrics = [], opportunity, qualified }: Stage): CompiledStage {
    const conditions = metrics.map((criterion) => this.criterion(criterion).condition);
    if (engaged === true) conditions.push(this.add('engaged', () => new EngagedCondition()));
    return { id, conditions, isQualified: qualified === true, opportunity };
  }

  surge(surge: SurgeCondition, metric: string, cooldownMs: number): CompiledSurge {
    return { metric: `${metric}.7d`, surge, condition: this.add('surge', () => surge), cooldownMs };
  }

  watch(watch: Watch): number {
    return this.add(`watch ${watch.id}`, () => this.#watched(watch));
  }

  #watched(watch: Watch): Condition {
    const filter = compileFilter(watch.filter satisfies AlertFilter | undefined);
    switch (watch.kind) {
      case 'role_silent':
        return new RoleSilentCondition(this.#terms.roles.number(watch.role), watch.days, filter);
      case 'role_engaged':
        return new RoleEngagedCondition(this.#terms.roles.number(watch.role), filter);
      case 'single_threaded':
        return new SingleThreadedCondition(watch.minTouches, filter);
    }
  }

  #metric(name: string): Metric {
    let metric = this.#metrics.get(name);
    if (metric === undefined) this.#metrics.set(name, (metric = compileMetric(name, this.#terms)));
    return metric;
  }
}
