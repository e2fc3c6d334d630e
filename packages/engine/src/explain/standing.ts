import { meetsFilter } from '../alerts/account-filter.ts';
import type { Criterion } from '../alerts/alert-rules.ts';
import type { AccountFact } from '../fact.ts';
import { DAY_MS } from '../time-slots.ts';
import type { AccountView } from '../view.ts';
import type { AccountPast } from './account-past.ts';
import { metricValue } from './metric-value.ts';

export interface CriterionStanding {
  readonly id: string;
  readonly metric: string;
  readonly value: number;
  readonly atLeast: number;
  readonly isMet: boolean;
}

/** What an account's qualification comes to at an instant, and what it lacks. */
export interface QualificationStanding {
  readonly isQualified: boolean;
  /** Whether it can qualify at all: it passes the filter, and is not excluded. */
  readonly isCandidate: boolean;
  /** Whether a touch like those of `actNow` qualifies it, whatever else holds. */
  readonly isActNow: boolean;
  /** It misses one criterion and nothing else, or contacts and nothing else. */
  readonly isNear: boolean;
  readonly criteria: readonly CriterionStanding[];
  /** So many more of the criteria it takes. */
  readonly criteriaMissing: number;
  /** So many more engaged contacts it takes. */
  readonly contactsMissing: number;
}

export interface Standing {
  readonly qualification: QualificationStanding | null;
  /** Id of the stage; null for none. */
  readonly stage: string | null;
}

/** Where an account stood under its model's rules, by what was known then. @param past after its replay, of an account that was known */
export function standingOf(past: AccountPast): Standing {
  const view = past.view!;
  const fact = past.ledgers.accounts.facts.get(past.account);
  const qualification = qualificationOf(past, view, fact);
  const isIn = ({ engaged, metrics = [], opportunity, qualified }: (typeof past.model.stages)[number]): boolean =>
    (engaged === undefined || view.engaged) &&
    (qualified === undefined || qualification?.isQualified === true) &&
    (opportunity === undefined || past.hasOpportunity(opportunity)) &&
    metrics.every((criterion) => standingUnder(criterion, view, fact).isMet);
  return { qualification, stage: past.model.stages.findLast(isIn)?.id ?? null };
}

/** What another tier than the usual one has, if the account is of it. */
export function levelFor<Level>(usual: Level, byTier: Readonly<Record<string, Level>> | undefined, fact: AccountFact | undefined): Level {
  const tier = fact?.tier ?? null;
  return tier !== null && byTier !== undefined && Object.hasOwn(byTier, tier) ? byTier[tier]! : usual;
}

function standingUnder({ atLeast, byTier, id, metric }: Criterion, view: AccountView, fact: AccountFact | undefined): CriterionStanding {
  const value = metricValue(view, metric);
  const level = levelFor(atLeast, byTier, fact);
  return { id: id ?? metric, metric, value, atLeast: level, isMet: value >= level };
}

function qualificationOf(past: AccountPast, view: AccountView, fact: AccountFact | undefined): QualificationStanding | null {
  const { qualification } = past.model;
  if (qualification === undefined) return null;
  const { actNowDays, atLeast, exclude, filter, minContacts, of } = qualification;
  const isCandidate = meetsFilter(filter, past.accountId, fact) && (exclude === undefined || !meetsFilter(exclude, past.accountId, fact));
  const isActNow = past.actNowAt !== null && past.actNowAt + actNowDays * DAY_MS > past.asOf;
  const criteria = of.map((criterion) => standingUnder(criterion, view, fact));
  const criteriaMissing = Math.max(0, atLeast - criteria.filter(({ isMet }) => isMet).length);
  const contactsMissing = Math.max(0, minContacts - view.reach.contacts);
  const isWhole = criteriaMissing === 0 && contactsMissing === 0;
  const isQualified = isCandidate && (isActNow || isWhole);
  const isNear = isCandidate && !isQualified && criteriaMissing + (contactsMissing > 0 ? 1 : 0) === 1;
  return { isQualified, isCandidate, isActNow, isNear, criteria, criteriaMissing, contactsMissing };
}
