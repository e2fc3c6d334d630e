import type { Figure, Outcome } from './figure.ts';
import type { Span } from './calendar.ts';

export const UNITS = ['percent', 'currency', 'count', 'days', 'months', 'currency_per_day'] as const;
export type Unit = (typeof UNITS)[number];

/** What a KPI may be told by, beside period, filter and currency. */
export interface KpiParameter {
  readonly describe: string;
  readonly values: readonly string[];
  /** Absent where the settings say it. */
  readonly default?: string;
}

/** Inputs that no fact gives, and choices that are the company's. */
export interface KpiSettings {
  /** Share of revenue that stays after its cost, 0 to 1; null where it is not set. */
  readonly grossMargin: number | null;
  readonly qualifiedBy: QualifiedBy;
  /** Statuses of a lead that say that it is qualified, in small letters. */
  readonly qualifiedStatuses: readonly string[];
  /** Channels and sources that are ads, in small letters. */
  readonly adSources: readonly string[];
  /** Sources of opportunities that are marketing's, in small letters; those that are ads are too. */
  readonly marketingSources: readonly string[];
  /** Roles of the buying committee that the scoring model wants. */
  readonly rolesWanted: readonly string[];
  /** Whether the scoring model says what qualifies an account. */
  readonly hasQualification: boolean;
  /** What one unit of a currency is worth, all in one common unit; empty where none are set. */
  readonly rates: Readonly<Record<string, number>>;
}

/** Who says that a lead is qualified: the CRM, the engine by its rule `qualification`, at least one of them, or both. */
export const QUALIFIED_BY = ['crm', 'mqa', 'either', 'both'] as const;
export type QualifiedBy = (typeof QUALIFIED_BY)[number];

export const DEFAULT_SETTINGS: KpiSettings = {
  grossMargin: null,
  qualifiedBy: 'crm',
  qualifiedStatuses: ['qualified', 'mql', 'sql', 'opportunity', 'customer', 'converted'],
  adSources: [
    'ads',
    'ad',
    'advertising',
    'media',
    'cpc',
    'ppc',
    'paid',
    'paid_search',
    'paid_social',
    'display',
    'linkedin_ads',
    'google_ads',
    'meta_ads',
  ],
  marketingSources: ['marketing', 'inbound', 'web', 'website', 'content', 'email', 'event', 'webinar', 'social', 'organic', 'seo'],
  rolesWanted: [],
  hasQualification: true,
  rates: {},
};

export interface CombineContext {
  readonly span: Span;
  /** Length of the span in months. */
  readonly months: number;
  readonly settings: KpiSettings;
  readonly parameters: Readonly<Record<string, string>>;
}

/** One KPI, declared once: its answer, documentation and gauge follow from this. */
export interface KpiDefinition<Input extends string = string> {
  /** As in the path of its answer. */
  readonly name: string;
  readonly title: string;
  readonly unit: Unit;
  /** In words, with what counts as which. */
  readonly formula: string;
  /** Where the formula is from. */
  readonly source: string;
  /** Facts and touches it is made of. */
  readonly inputs: readonly string[];
  /** Which way is good; null where neither is. */
  readonly better: 'higher' | 'lower' | null;
  readonly parameters?: Readonly<Record<string, KpiParameter>>;
  /** What is told beside value, numerator and denominator, by name. */
  readonly figures?: Readonly<Record<string, string>>;
  /** Inputs of a worked example, money in euros, and what they come to by hand: it is in the documentation, and a test. */
  readonly example: { readonly inputs: Readonly<Record<Input, number>>; readonly value: number };
  /** From its inputs of one span, in one currency, to its outcome; pure. */
  combine(inputs: Readonly<Record<Input, Figure>>, context: CombineContext): Outcome;
}
