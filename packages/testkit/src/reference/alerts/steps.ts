import { createHash } from 'node:crypto';
import type { Alert, AlertCause, AlertTouch, AlertType, Transition } from '@touchstone/engine';
import { reachAt } from '../reach.ts';
import type { AccountAt } from './account-at.ts';
import { milliseconds, RULE_DEFAULTS } from './rule-document.ts';

/** Why an account is looked at, and what its thresholds' metrics were right before (null where nobody knows). */
export interface Look {
  readonly at: number;
  readonly offset: number;
  readonly cause: AlertCause;
  readonly late: boolean;
  readonly touch: AlertTouch | null;
  readonly before: (metric: string) => number | null;
}

const FAMILY: Readonly<Record<AlertType, string>> = {
  'account.threshold.crossed': 'threshold',
  'account.threshold.recovered': 'threshold',
  'account.mqa.entered': 'mqa',
  'account.mqa.exited': 'mqa',
  'account.stage.changed': 'stage',
  'account.surge.detected': 'surge',
  'account.coverage.changed': 'coverage',
};

type Said = Pick<Alert, 'type' | 'ruleId' | 'direction'> & Partial<Alert>;

/** The steps of one account under one rule so far, and how the next is told. */
class RuleSteps {
  readonly steps: Transition[] = [];

  get isIn(): boolean {
    return this.steps.at(-1)?.alert.direction === 'up';
  }

  get stage(): string | null {
    return this.steps.at(-1)?.alert.currentStage ?? null;
  }

  /** Entries since the last one that was told; none of them was. */
  get heldEntries(): number {
    const told = this.steps.findLastIndex(({ isHeld }) => !isHeld);
    return this.steps.slice(told + 1).filter(({ alert }) => alert.direction === 'up').length;
  }

  isTooSoon(at: number, cooldownMs: number): boolean {
    const told = this.steps.findLast(({ alert, isHeld }) => alert.direction === 'up' && !isHeld);
    return told !== undefined && at < told.alert.at + cooldownMs;
  }

  /** Told entries, one that is about to be told or held back included. */
  episode(isEntry: boolean): number {
    const told = this.steps.filter(({ alert, isHeld }) => alert.direction === 'up' && !isHeld).length;
    return isEntry || (this.steps.at(-1)?.isHeld === true && this.heldEntries > 0) ? told + 1 : told;
  }
}

/** All that happens to one account, as of looks in the order of time. */
export class AccountSteps {
  readonly #accountId: string;
  readonly #rules = new Map<string, RuleSteps>();

  constructor(accountId: string) {
    this.#accountId = accountId;
  }

  /** @returns the steps that the look comes to, in the order of the model's rules */
  look(account: AccountAt, look: Look): Transition[] {
    const { model } = account.account;
    const { at } = look;
    const made: Transition[] = [];
    const step = (isHeld: boolean, said: Said): void => {
      made.push(this.#step(account, look, isHeld, said));
    };
    for (const threshold of model.thresholds ?? []) {
      const rule = this.#of('threshold', threshold.id);
      const isIn = account.isIn(threshold, at, rule.isIn);
      if (isIn === rule.isIn) continue;
      const { enter, exit } = account.levelOf(threshold);
      const isHeld = isIn ? rule.isTooSoon(at, milliseconds(threshold.cooldown ?? 0)) : rule.steps.at(-1)!.isHeld;
      step(isHeld, {
        type: isIn ? 'account.threshold.crossed' : 'account.threshold.recovered',
        ruleId: threshold.id,
        direction: isIn ? 'up' : 'down',
        metric: threshold.metric,
        threshold: isIn ? enter : account.passes(threshold.filter) ? exit : null,
        previousValue: look.before(threshold.metric),
        currentValue: account.metric(threshold.metric, at),
      });
    }
    if (model.qualification !== undefined) {
      const { qualification } = model;
      const isIn = account.isQualified(qualification, at);
      const named = qualification.of.map((criterion) => ({ id: criterion.id ?? criterion.metric, isMet: account.meets(criterion, at) }));
      if (isIn !== this.#of('mqa', 'qualification').isIn) {
        step(false, {
          type: isIn ? 'account.mqa.entered' : 'account.mqa.exited',
          ruleId: 'qualification',
          direction: isIn ? 'up' : 'down',
          met: [...named.filter(({ isMet }) => isMet).map(({ id }) => id), ...(account.isActNow(qualification, at) ? ['actNow'] : [])],
          missing: [...named.filter(({ isMet }) => !isMet).map(({ id }) => id), ...account.hindrances(qualification, at)],
        });
      }
    }
    const { stages = [] } = model;
    if (stages.length > 0) {
      const previousStage = this.#of('stage', 'stages').stage;
      const currentStage = account.stage(stages, at);
      const placeOf = (stage: string | null): number => stages.findIndex(({ id }) => id === stage);
      if (currentStage !== previousStage) {
        const direction = placeOf(currentStage) > placeOf(previousStage) ? 'up' : 'down';
        step(false, { type: 'account.stage.changed', ruleId: 'stages', direction, previousStage, currentStage });
      }
    }
    if (model.surge !== undefined) {
      const rule = this.#of('surge', 'surge');
      const { figure, isIn, mean, wanted } = account.surge(model.surge, at);
      const { cooldown, metric } = { ...RULE_DEFAULTS.surge, ...model.surge };
      if (isIn !== rule.isIn) {
        step(!isIn || rule.isTooSoon(at, milliseconds(cooldown)), {
          type: 'account.surge.detected',
          ruleId: 'surge',
          direction: isIn ? 'up' : 'down',
          metric: `${metric}.7d`,
          threshold: wanted,
          previousValue: mean,
          currentValue: figure,
        });
      }
    }
    for (const watch of model.watches ?? []) {
      const isIn = account.isWatched(watch, at);
      if (isIn !== this.#of('coverage', watch.id).isIn) {
        step(false, { type: 'account.coverage.changed', ruleId: watch.id, direction: isIn ? 'up' : 'down' });
      }
    }
    return made;
  }

  #of(family: string, ruleId: string): RuleSteps {
    const key = JSON.stringify([family, ruleId]);
    const rule = this.#rules.get(key) ?? new RuleSteps();
    this.#rules.set(key, rule);
    return rule;
  }

  #step(account: AccountAt, { at, cause, late, offset, touch }: Look, isHeld: boolean, said: Said): Transition {
    const rule = this.#of(FAMILY[said.type], said.ruleId);
    // Whatever has the id, a threshold and later a watch, counts on.
    const number = [...this.#rules.values()].flatMap(({ steps }) => steps).filter(({ alert }) => alert.ruleId === said.ruleId).length + 1;
    const episode = said.ruleId === 'stages' ? number : rule.episode(said.direction === 'up');
    const what = JSON.stringify([FAMILY[said.type], this.#accountId, said.ruleId, episode, said.direction]);
    const reach = reachAt(account.account, at);
    const transition: Transition = {
      step: number,
      offset,
      isHeld,
      alert: {
        metric: null,
        threshold: null,
        previousValue: null,
        currentValue: null,
        previousStage: null,
        currentStage: null,
        met: [],
        missing: [],
        ...said,
        id: `alr_${createHash('sha256').update(what).digest('hex').slice(0, 32)}`,
        accountId: this.#accountId,
        partition: account.account.partition,
        version: account.account.version,
        modelVersion: account.account.model.version,
        episode,
        at,
        cause,
        late,
        heldBack: rule.heldEntries,
        owner: account.fact?.owner ?? null,
        engagedContacts: reach.contacts,
        coverage: reach.roles.wanted.length === 0 ? null : reach.roles.covered.length / reach.roles.wanted.length,
        missingRoles: reach.roles.missing,
        reasons: account.reasons(at),
        touch,
      },
    };
    rule.steps.push(transition);
    return transition;
  }
}
