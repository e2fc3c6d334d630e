import type { AccountFact } from '../fact.ts';
import { compileFilter, type FilterTest } from './account-filter.ts';
import type { Qualification } from './alert-rules.ts';
import { factOf, type LevelCondition } from './conditions.ts';
import type { Reading } from './reading.ts';

/** What a qualification comes to for an account. */
export interface QualificationView {
  readonly isQualified: boolean;
  /** Whether it can qualify at all: it is an ideal customer and not excluded. */
  readonly isCandidate: boolean;
  /** Whether a touch qualifies it at once, whatever else holds. */
  readonly isActNow: boolean;
  /** Ids of the criteria that are met. */
  readonly met: readonly string[];
  /** Ids of those that are not. */
  readonly missing: readonly string[];
  /** So many more of the criteria it takes. */
  readonly criteriaMissing: number;
  /** Whether too few contacts are engaged. */
  readonly lacksContacts: boolean;
  /** It misses one criterion and nothing else, or contacts and nothing else. */
  readonly isNear: boolean;
}

export interface CriterionStanding {
  readonly id: string;
  readonly metric: string;
  readonly value: number;
  /** For an account of this tier. */
  readonly atLeast: number;
  readonly isMet: boolean;
}

/** The same with all figures. */
export interface QualificationStanding extends QualificationView {
  readonly criteria: readonly CriterionStanding[];
  /** So many more engaged contacts it takes. */
  readonly contactsMissing: number;
}

export interface CompiledCriterion {
  readonly condition: number;
  readonly level: LevelCondition;
}

export interface QualificationConditions {
  readonly criteria: readonly (CompiledCriterion & { readonly id: string })[];
  readonly contacts: CompiledCriterion;
  /** Null where no touch qualifies at once. */
  readonly actNow: number | null;
}

/** Whether a condition holds, by its place. */
export type Holds = (condition: number) => boolean;

export class CompiledQualification {
  readonly minContacts: number;
  readonly #atLeast: number;
  readonly #filter: FilterTest | null;
  readonly #exclude: FilterTest | null;
  readonly #conditions: QualificationConditions;

  constructor({ atLeast, exclude, filter, minContacts }: Qualification, conditions: QualificationConditions) {
    this.minContacts = minContacts;
    this.#atLeast = atLeast;
    this.#filter = compileFilter(filter);
    this.#exclude = compileFilter(exclude);
    this.#conditions = conditions;
  }

  isQualified(fact: AccountFact | undefined, holds: Holds): boolean {
    const { actNow, contacts, criteria } = this.#conditions;
    if (!this.#isCandidate(fact)) return false;
    if (actNow !== null && holds(actNow)) return true;
    if (!holds(contacts.condition)) return false;
    let met = 0;
    for (const { condition } of criteria) if (holds(condition)) met++;
    return met >= this.#atLeast;
  }

  view(fact: AccountFact | undefined, holds: Holds): QualificationView {
    const { actNow, contacts, criteria } = this.#conditions;
    const isCandidate = this.#isCandidate(fact);
    const isQualified = this.isQualified(fact, holds);
    const met = criteria.filter(({ condition }) => holds(condition)).map(({ id }) => id);
    const missing = criteria.filter(({ condition }) => !holds(condition)).map(({ id }) => id);
    const criteriaMissing = Math.max(0, this.#atLeast - met.length);
    const lacksContacts = !holds(contacts.condition);
    return {
      isQualified,
      isCandidate,
      isActNow: actNow !== null && holds(actNow),
      met,
      missing,
      criteriaMissing,
      lacksContacts,
      isNear: isCandidate && !isQualified && criteriaMissing + (lacksContacts ? 1 : 0) === 1,
    };
  }

  /** @param holds what does at the reading's instant */
  standing(reading: Reading, holds: Holds): QualificationStanding {
    const { contacts, criteria } = this.#conditions;
    const fact = factOf(reading);
    return {
      ...this.view(fact, holds),
      criteria: criteria.map(({ condition, id, level }) => ({
        id,
        metric: level.metric.name,
        value: reading.value(level.metric),
        atLeast: level.levelOf(fact).enter,
        isMet: holds(condition),
      })),
      contactsMissing: Math.max(0, this.minContacts - reading.value(contacts.level.metric)),
    };
  }

  /**
   * What an alert names as met and missing: the criteria, and what besides them decides, by the name it has in the model.
   * @param holds what does at the instant of the alert
   */
  told(fact: AccountFact | undefined, holds: Holds): Pick<QualificationView, 'met' | 'missing'> {
    const { isActNow, lacksContacts, met, missing } = this.view(fact, holds);
    return {
      met: isActNow ? [...met, 'actNow'] : met,
      missing: [
        ...missing,
        ...(lacksContacts ? ['minContacts'] : []),
        ...(this.#filter === null || this.#filter(fact) ? [] : ['filter']),
        ...(this.#exclude !== null && this.#exclude(fact) ? ['exclude'] : []),
      ],
    };
  }

  #isCandidate(fact: AccountFact | undefined): boolean {
    return (this.#filter === null || this.#filter(fact)) && (this.#exclude === null || !this.#exclude(fact));
  }
}
