import type { PartitionLedgers } from '../ledgers.ts';
import type { AccountStates } from './account-states.ts';
import type { Alert, AlertCause, AlertTouch, AlertType, Transition } from './alert.ts';
import { alertIdOf, describeAccount, type AccountDescription } from './build-alert.ts';
import type { CompiledAlertRules } from './compile-alert-rules.ts';
import type { Holds } from './qualification.ts';
import type { Reading } from './reading.ts';
import { stagePlace } from './stage-place.ts';

const NOTHING: readonly string[] = [];

/** Why an account is looked at. */
export interface Occasion {
  readonly cause: AlertCause;
  /** Of the record that is being applied. */
  readonly offset: number;
  readonly late: boolean;
  readonly touch: () => AlertTouch | null;
  /** What a threshold's metric was right before, by the threshold's place; null when nobody knows. */
  readonly before: (threshold: number) => number | null;
}

/** What of an alert depends on the kind of its rule. */
type Told = Pick<Alert, 'type' | 'ruleId' | 'direction'> &
  Partial<Pick<Alert, 'metric' | 'threshold' | 'previousValue' | 'currentValue' | 'previousStage' | 'currentStage' | 'met' | 'missing'>>;

/** Whether it is kept to itself: an entry may be too soon after the one before, and ends of some things are no news. */
interface Discretion {
  readonly cooldownMs?: number;
  readonly isUntold?: boolean;
}

/** Compares what holds of an account with where it stands under its rules, and makes the steps between. */
export class RuleSteps {
  readonly #ledgers: PartitionLedgers;
  readonly #states: AccountStates;
  readonly #rules: CompiledAlertRules;
  /** Numbers that states know the rules by. */
  readonly #thresholds: readonly number[];
  readonly #watches: readonly number[];
  readonly #qualification: number;
  readonly #stages: number;
  readonly #surge: number;
  readonly #take: (transition: Transition) => void;
  /** What is said of the account of all steps of one look. */
  #description: AccountDescription | null = null;

  constructor(ledgers: PartitionLedgers, states: AccountStates, rules: CompiledAlertRules, take: (transition: Transition) => void) {
    this.#ledgers = ledgers;
    this.#states = states;
    this.#rules = rules;
    this.#thresholds = rules.thresholds.map(({ id }) => states.numberOf('threshold', id));
    this.#watches = rules.watches.map(({ id }) => states.numberOf('coverage', id));
    this.#qualification = states.numberOf('mqa', 'qualification');
    this.#stages = states.numberOf('stage', 'stages');
    this.#surge = states.numberOf('surge', 'surge');
    this.#take = take;
  }

  /** Rules in the order of the model: thresholds, qualification, stages, surge, watches. */
  make(reading: Reading, holds: Holds, occasion: Occasion): void {
    this.#description = null;
    this.#crossThresholds(reading, holds, occasion);
    this.#qualify(reading, holds, occasion);
    this.#changeStage(reading, holds, occasion);
    this.#detectSurge(reading, holds, occasion);
    this.#watch(reading, holds, occasion);
  }

  #crossThresholds(reading: Reading, holds: Holds, occasion: Occasion): void {
    const { account, ledgers } = reading;
    const { thresholds } = this.#rules;
    for (let place = 0; place < thresholds.length; place++) {
      const { condition, cooldownMs, id, level, metric } = thresholds[place]!;
      const isIn = holds(condition);
      if (isIn === this.#states.isIn(account, this.#thresholds[place]!)) continue;
      const fact = ledgers.accounts.facts.get(account);
      const { enter, exit } = level.levelOf(fact);
      const told: Told = {
        type: isIn ? 'account.threshold.crossed' : 'account.threshold.recovered',
        ruleId: id,
        direction: isIn ? 'up' : 'down',
        metric: metric.name,
        // Whoever no longer passes the filter fell below nothing.
        threshold: isIn ? enter : level.isFor(fact) ? exit : null,
        previousValue: occasion.before(place),
        currentValue: reading.value(metric),
      };
      this.#step(reading, occasion, this.#thresholds[place]!, told, { cooldownMs });
    }
  }

  #qualify(reading: Reading, holds: Holds, occasion: Occasion): void {
    const { qualification } = this.#rules;
    if (qualification === null) return;
    const { account, ledgers } = reading;
    const fact = ledgers.accounts.facts.get(account);
    const isQualified = qualification.isQualified(fact, holds);
    if (isQualified === this.#states.isIn(account, this.#qualification)) return;
    const { met, missing } = qualification.told(fact, holds);
    const told: Told = {
      type: isQualified ? 'account.mqa.entered' : 'account.mqa.exited',
      ruleId: 'qualification',
      direction: isQualified ? 'up' : 'down',
      met,
      missing,
    };
    this.#step(reading, occasion, this.#qualification, told);
  }

  #changeStage(reading: Reading, holds: Holds, occasion: Occasion): void {
    const { stages } = this.#rules;
    if (stages.length === 0) return;
    const { account } = reading;
    const previousStage = this.#states.stageOf(account, this.#stages);
    const place = stagePlace(this.#rules, this.#ledgers.accounts, account, holds);
    const currentStage = stages[place]?.id ?? null;
    if (currentStage === previousStage) return;
    const former = stages.findIndex(({ id }) => id === previousStage);
    const told: Told = {
      type: 'account.stage.changed',
      ruleId: 'stages',
      direction: place > former ? 'up' : 'down',
      previousStage,
      currentStage,
    };
    this.#step(reading, occasion, this.#stages, told);
  }

  #detectSurge(reading: Reading, holds: Holds, occasion: Occasion): void {
    const { surge } = this.#rules;
    if (surge === null) return;
    const isIn = holds(surge.condition);
    if (isIn === this.#states.isIn(reading.account, this.#surge)) return;
    const { figure, mean, wanted } = surge.surge.figuresAt(reading);
    const told: Told = {
      type: 'account.surge.detected',
      ruleId: 'surge',
      direction: isIn ? 'up' : 'down',
      metric: surge.metric,
      threshold: wanted,
      previousValue: mean,
      currentValue: figure,
    };
    // That it is over is no news.
    this.#step(reading, occasion, this.#surge, told, { cooldownMs: surge.cooldownMs, isUntold: !isIn });
  }

  #watch(reading: Reading, holds: Holds, occasion: Occasion): void {
    const { watches } = this.#rules;
    for (let place = 0; place < watches.length; place++) {
      const { condition, id } = watches[place]!;
      const isIn = holds(condition);
      const rule = this.#watches[place]!;
      if (isIn === this.#states.isIn(reading.account, rule)) continue;
      this.#step(reading, occasion, rule, {
        type: 'account.coverage.changed' satisfies AlertType,
        ruleId: id,
        direction: isIn ? 'up' : 'down',
      });
    }
  }

  #step(
    { account, at }: Reading,
    occasion: Occasion,
    rule: number,
    told: Told,
    { cooldownMs = 0, isUntold = false }: Discretion = {},
  ): void {
    const { accounts, model, partition } = this.#ledgers;
    const { episode: former, heldBack, isHeld: wasHeld, lastUpAt } = this.#states.standing(account, rule);
    const isUp = told.direction === 'up';
    const isHeld = isUp ? lastUpAt !== null && at - lastUpAt < cooldownMs : isUntold || wasHeld;
    const step = this.#states.nextStep(account, rule);
    // Entries are counted when they are told: one that is held back is the same episode as the next.
    const entry = isUp && heldBack === 0 ? former + 1 : former;
    const description = (this.#description ??= describeAccount(this.#ledgers, account, at));
    const { accountId } = description;
    const { direction, ruleId, type } = told;
    const episode = ruleId === 'stages' ? step : entry;
    // Field by field: spreading objects into one another takes several times as long.
    const alert: Alert = {
      id: alertIdOf(type, accountId, ruleId, episode, direction),
      metric: told.metric ?? null,
      threshold: told.threshold ?? null,
      previousValue: told.previousValue ?? null,
      currentValue: told.currentValue ?? null,
      previousStage: told.previousStage ?? null,
      currentStage: told.currentStage ?? null,
      met: told.met ?? NOTHING,
      missing: told.missing ?? NOTHING,
      type,
      ruleId,
      direction,
      accountId,
      partition,
      version: accounts.version[account]!,
      modelVersion: model.version,
      episode,
      at,
      cause: occasion.cause,
      late: occasion.late,
      heldBack,
      owner: description.owner,
      engagedContacts: description.engagedContacts,
      coverage: description.coverage,
      missingRoles: description.missingRoles,
      reasons: description.reasons,
      touch: occasion.touch(),
    };
    const transition = { step, offset: occasion.offset, isHeld, alert };
    this.#states.take(account, transition);
    this.#take(transition);
  }
}
