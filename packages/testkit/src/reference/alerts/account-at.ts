import type { FactRecord, TouchRecord } from '../log-entry.ts';
import { matches, multiplierOf, pointsLeft, roleOf, scoreOf, worthOfTouches } from '../points.ts';
import { isEngaged, reachAt } from '../reach.ts';
import type { AccountHistory } from '../read-log.ts';
import { MODEL_DEFAULTS } from '../reference-model.ts';
import { contactsOf, windowsAt, type WindowName } from '../windows.ts';
import {
  RULE_DEFAULTS,
  type AlertModelDocument,
  type CriterionDocument,
  type FilterDocument,
  type LevelDocument,
  type QualificationDocument,
  type StageDocument,
  type SurgeDocument,
  type ThresholdDocument,
  type WatchDocument,
} from './rule-document.ts';

const DAY_MS = 86_400_000;
const NOT_ENGAGING = new Set(['ad_impression', 'email_open', 'direct_mail']);

const dayOf = (time: number): number => Math.floor(time / DAY_MS);

/** An account as the log has it up to some record, under a model. */
export interface KnownAccount extends AccountHistory {
  readonly model: AlertModelDocument;
  readonly accountFacts: readonly FactRecord[];
  readonly opportunityFacts: readonly FactRecord[];
}

/** What is said last: the newest, and of two with one updatedAt the later on the log. */
function newestOf(facts: readonly FactRecord[]): FactRecord | null {
  let newest: FactRecord | null = null;
  for (const fact of facts) if (newest === null || fact.updatedAt >= newest.updatedAt) newest = fact;
  return newest;
}

/** What each counted touch adds to the points at age 0. */
function worthsOf(account: KnownAccount): { readonly touch: TouchRecord; readonly worth: number }[] {
  const worths = worthOfTouches(account.touches, account.model.rules);
  return account.touches.map((touch, index) => ({ touch, worth: multiplierOf(account, touch.contactId ?? null) * worths[index]! }));
}

function decayed(account: KnownAccount, { touch, worth }: { touch: TouchRecord; worth: number }, at: number): number {
  const halfLifeMs = (account.model.decay?.halfLifeDays ?? MODEL_DEFAULTS.halfLifeDays) * DAY_MS;
  return worth * 2 ** (-Math.max(0, at - touch.occurredAt) / halfLifeMs);
}

/** An account whose figures can be asked for at instants, as long as nothing more of it comes. */
export class AccountAt {
  readonly account: KnownAccount;
  readonly fact: FactRecord | null;
  readonly #growth: number;
  readonly #worths: readonly { readonly touch: TouchRecord; readonly worth: number }[];

  constructor(account: KnownAccount, growth: number) {
    this.account = account;
    this.fact = newestOf(account.accountFacts);
    this.#growth = growth;
    this.#worths = worthsOf(account);
  }

  metric(name: string, at: number): number {
    const { account } = this;
    if (name === 'points' || name === 'score') {
      let sum = 0;
      for (const each of this.#worths) sum += decayed(account, each, at);
      const points = pointsLeft(sum);
      return name === 'points' ? points : scoreOf(points, account.model);
    }
    if (name === 'reach') return reachAt(account, at).contacts;
    if (name === 'coverage') {
      const { covered, wanted } = reachAt(account, at).roles;
      return wanted.length === 0 ? 0 : covered.length / wanted.length;
    }
    const parts = name.split('.');
    const window = windowsAt(account.touches, at)[parts.at(-1) as WindowName];
    if (parts[0] === 'kind') return Object.hasOwn(window.byKind, parts[1]!) ? window.byKind[parts[1]!]! : 0;
    return window[parts[0] as 'touches' | 'minutes' | 'contacts' | 'newContacts'];
  }

  passes(filter: FilterDocument | undefined): boolean {
    if (filter === undefined) return true;
    const { fact } = this;
    if (fact === null) return false;
    const isOneOf = (said: string | null | undefined, some: string | readonly string[] | undefined): boolean =>
      some === undefined || (typeof said === 'string' && [some].flat().includes(said));
    if (!isOneOf(fact.id, filter.accountId) || !isOneOf(fact.tier, filter.tier)) return false;
    if (!isOneOf(fact.industry, filter.industry) || !isOneOf(fact.owner, filter.owner)) return false;
    if (filter.targetList !== undefined && (fact.targetList === true) !== filter.targetList) return false;
    if (filter.employees !== undefined) {
      const { employees } = fact;
      if (typeof employees !== 'number') return false;
      if (employees < (filter.employees.min ?? -Infinity) || employees > (filter.employees.max ?? Infinity)) return false;
    }
    return Object.entries(filter.attributes ?? {}).every(([name, some]) => isOneOf(fact.attributes?.[name], some));
  }

  levelOf({ byTier = {}, enter, exit }: LevelDocument & { readonly byTier?: ThresholdDocument['byTier'] }): {
    enter: number;
    exit: number;
  } {
    const tier = this.fact?.tier;
    const own =
      typeof tier === 'string' && Object.hasOwn(byTier, tier) ? byTier[tier]! : { enter, ...(exit === undefined ? {} : { exit }) };
    return { enter: own.enter, exit: own.exit ?? own.enter };
  }

  levelOfCriterion({ atLeast, byTier = {} }: CriterionDocument): number {
    const tier = this.fact?.tier;
    return typeof tier === 'string' && Object.hasOwn(byTier, tier) ? byTier[tier]! : atLeast;
  }

  meets(criterion: CriterionDocument, at: number): boolean {
    return this.metric(criterion.metric, at) >= this.levelOfCriterion(criterion);
  }

  isIn(threshold: ThresholdDocument, at: number, wasIn: boolean): boolean {
    if (!this.passes(threshold.filter)) return false;
    const { enter, exit } = this.levelOf(threshold);
    return this.metric(threshold.metric, at) >= (wasIn ? exit : enter);
  }

  isActNow({ actNow = [], actNowDays = RULE_DEFAULTS.actNowDays }: QualificationDocument, at: number): boolean {
    return this.account.touches.some(
      (touch) =>
        at < touch.occurredAt + actNowDays * DAY_MS &&
        actNow.some((pattern) => matches(pattern, touch) && (touch.minutes ?? 0) >= (pattern.minMinutes ?? 0)),
    );
  }

  isQualified(qualification: QualificationDocument, at: number): boolean {
    const { atLeast, exclude, filter, minContacts = RULE_DEFAULTS.minContacts, of } = qualification;
    if (!this.passes(filter) || (exclude !== undefined && this.passes(exclude))) return false;
    if (this.isActNow(qualification, at)) return true;
    return of.filter((criterion) => this.meets(criterion, at)).length >= atLeast && this.metric('reach', at) >= minContacts;
  }

  /** What stands in the way of qualifying besides criteria, by its name in the model. */
  hindrances({ exclude, filter, minContacts = RULE_DEFAULTS.minContacts }: QualificationDocument, at: number): string[] {
    const found: string[] = [];
    if (this.metric('reach', at) < minContacts) found.push('minContacts');
    if (!this.passes(filter)) found.push('filter');
    if (exclude !== undefined && this.passes(exclude)) found.push('exclude');
    return found;
  }

  stage(stages: readonly StageDocument[], at: number): string | null {
    let last: string | null = null;
    for (const stage of stages) if (this.#isInStage(stage, at)) last = stage.id;
    return last;
  }

  #isInStage({ engaged, metrics = [], opportunity, qualified }: StageDocument, at: number): boolean {
    const { qualification } = this.account.model;
    if (engaged === true && !isEngaged(this.account, at)) return false;
    if (qualified === true && (qualification === undefined || !this.isQualified(qualification, at))) return false;
    if (opportunity !== undefined) {
      const ids = new Set(this.account.opportunityFacts.map(({ id }) => id));
      const outcomes = [...ids].map((id) => newestOf(this.account.opportunityFacts.filter((fact) => fact.id === id))!.outcome ?? 'open');
      if (opportunity === 'any' ? outcomes.length === 0 : !outcomes.includes(opportunity)) return false;
    }
    return metrics.every((criterion) => this.meets(criterion, at));
  }

  surge(
    surge: SurgeDocument,
    at: number,
  ): { readonly isIn: boolean; readonly figure: number; readonly mean: number; readonly wanted: number } {
    const { fleetRatio, metric, minimum, ratio } = { ...RULE_DEFAULTS.surge, ...surge };
    const today = dayOf(at);
    let figure = 0;
    let before = 0;
    for (const { minutes, occurredAt } of this.account.touches) {
      const age = today - dayOf(occurredAt);
      if (age < 0 || age >= 28) continue;
      const amount = metric === 'minutes' ? (minutes ?? 0) : 1;
      if (age < 7) figure += amount;
      else before += amount;
    }
    const mean = before / 3;
    const wanted = Math.max(minimum, ratio * mean, fleetRatio * this.#growth * mean);
    // Minutes may be added up in any order: what is equal but for rounding is enough.
    const isEnough = figure > 0 && figure >= wanted - Math.abs(wanted) * 1e-14;
    return { isIn: this.passes(surge.filter) && isEnough, figure, mean, wanted };
  }

  isWatched(watch: WatchDocument, at: number): boolean {
    if (!this.passes(watch.filter)) return false;
    const { account } = this;
    const reachDays = account.model.reachWindowDays ?? MODEL_DEFAULTS.reachWindowDays;
    const past = account.touches.filter(({ occurredAt }) => dayOf(occurredAt) <= dayOf(at));
    const isRecent = (touch: TouchRecord, days: number): boolean => dayOf(touch.occurredAt) > dayOf(at) - days;
    if (watch.kind === 'single_threaded') {
      const { minTouches = RULE_DEFAULTS.minTouches } = watch;
      return this.metric('reach', at) === 1 && past.filter((touch) => isRecent(touch, reachDays)).length >= minTouches;
    }
    const engaging = past.filter(({ contactId, kind }) => !NOT_ENGAGING.has(kind) && isOf(account, contactId ?? null, watch.role));
    if (watch.kind === 'role_engaged') return engaging.some((touch) => isRecent(touch, reachDays));
    return engaging.length > 0 && !engaging.some((touch) => isRecent(touch, watch.days ?? RULE_DEFAULTS.silentDays));
  }

  /** The contacts that add most to the points. */
  reasons(at: number): { readonly contactId: string | null; readonly role: string | null; readonly points: number }[] {
    const { account } = this;
    const contacts = [...contactsOf(account.touches), null];
    const all = contacts.map((contactId) => {
      const own = this.#worths.filter(({ touch }) => (touch.contactId ?? null) === contactId);
      const points = pointsLeft(own.reduce((sum, each) => sum + decayed(account, each, at), 0));
      return { contactId, role: contactId === null ? null : roleOf(account, contactId), points };
    });
    return all
      .filter(({ points }) => points > 0)
      .sort((one, other) => other.points - one.points)
      .slice(0, 3);
  }
}

function isOf(account: KnownAccount, contactId: string | null, role: string): boolean {
  return contactId !== null && roleOf(account, contactId) === role;
}
