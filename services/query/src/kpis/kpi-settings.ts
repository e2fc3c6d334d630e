import { DEFAULT_SETTINGS, QUALIFIED_BY, type KpiSettings } from '@touchstone/kpis';
import { z } from 'zod';

const DECIMAL = /^\d{1,9}(?:\.\d{1,9})?$/;

const words = z.string().transform((text) =>
  text
    .split(',')
    .map((word) => word.trim().toLowerCase())
    .filter((word) => word !== ''),
);

/** Compose hands on what is not set as an empty text. */
const unset = z.literal('').transform(() => undefined);

/** What no fact says, and choices that are the company's. */
export const kpiSettingsSchema = {
  /** Share of revenue left after its cost, such as 0.8; spend of category `cogs` goes before it. Without either, what needs it is told as missing. */
  KPI_GROSS_MARGIN: z
    .string()
    .regex(DECIMAL, 'must be a number from 0 to 1, such as 0.8')
    .transform(Number)
    .refine((share) => share <= 1, 'must be a number from 0 to 1, such as 0.8')
    .or(unset)
    .optional(),
  /** Who says that a lead is qualified; a question may say otherwise. */
  KPI_QUALIFIED_BY: z.enum(QUALIFIED_BY).default(DEFAULT_SETTINGS.qualifiedBy),
  /** Statuses of a lead that mean qualified, in any case, with commas between. */
  KPI_QUALIFIED_STATUSES: words.default([...DEFAULT_SETTINGS.qualifiedStatuses]),
  /** Channels of spend and sources of leads that are ads, in any case, with commas between. */
  KPI_AD_SOURCES: words.default([...DEFAULT_SETTINGS.adSources]),
  /** Sources of opportunities that are marketing's, beside those that are ads, in any case, with commas between. */
  KPI_MARKETING_SOURCES: words.default([...DEFAULT_SETTINGS.marketingSources]),
  /** What one unit of each currency is worth in a common unit, such as EUR=1,USD=0.92; without it amounts of several currencies are not added up. */
  KPI_CURRENCY_RATES: z
    .string()
    .regex(/^(?:[A-Z]{3}=\d{1,9}(?:\.\d{1,9})?(?:,|$))+$/, 'must be like EUR=1,USD=0.92')
    .transform((text) => Object.fromEntries(text.split(',').map((part) => [part.slice(0, 3), Number(part.slice(4))])))
    .refine((rates) => Object.values(rates).every((rate) => rate > 0), 'must have rates above 0')
    .or(unset)
    .optional(),
};

interface Parsed {
  readonly KPI_GROSS_MARGIN?: number | undefined;
  readonly KPI_QUALIFIED_BY: KpiSettings['qualifiedBy'];
  readonly KPI_QUALIFIED_STATUSES: readonly string[];
  readonly KPI_AD_SOURCES: readonly string[];
  readonly KPI_MARKETING_SOURCES: readonly string[];
  readonly KPI_CURRENCY_RATES?: Readonly<Record<string, number>> | undefined;
}

export function kpiSettingsOf(config: Parsed): KpiSettings {
  return {
    grossMargin: config.KPI_GROSS_MARGIN ?? null,
    qualifiedBy: config.KPI_QUALIFIED_BY,
    qualifiedStatuses: config.KPI_QUALIFIED_STATUSES,
    adSources: config.KPI_AD_SOURCES,
    marketingSources: config.KPI_MARKETING_SOURCES,
    rolesWanted: [],
    hasQualification: false,
    rates: config.KPI_CURRENCY_RATES ?? {},
  };
}
