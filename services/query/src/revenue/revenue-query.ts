import { isTimeZone } from '@touchstone/kpis';
import { ProblemError } from '@touchstone/runtime';
import { OPPORTUNITY_DIMENSIONS, type OpportunityDimension, type OpportunityFilters, type TouchScope } from '@touchstone/store';
import { z } from 'zod';
import { days, instant } from '../query-parameters.ts';

/** Parameters that questions about opportunities share. */

const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;
const PERIOD_DAYS = 90;
const LOOKBACK_DAYS = 90;
const FILTER_VALUES_MAX = 50;
const KINDS_MAX = 100;

/** What sales and the product do is no marketing. */
const NO_MARKETING = ['call', 'meeting', 'product_use'];
/** Reaching somebody is no response. */
export const PASSIVE_KINDS = ['ad_impression', 'email_open', 'direct_mail'];

export const period = {
  from: instant.optional().describe(`Beginning of the period; default ${PERIOD_DAYS} days before its end`),
  to: instant.optional().describe('End of the period, not in it any more; default now'),
};

export const timeZone = z
  .string()
  .refine(isTimeZone, 'must be a time zone of the IANA database, such as Europe/Berlin')
  .default('UTC')
  .describe('Whose months are meant; an IANA name');

export const currency = z
  .string()
  .regex(/^[A-Z]{3}$/, 'must be an ISO 4217 code of three capital letters, such as EUR')
  .optional()
  .describe('What amounts are told in; default: the only currency there is');

const filterValue = z.string().max(128);

/** `filter.tier` and so on, each once or several times; an empty value is for what has none. */
export function filtersBy(dimensions: readonly string[]) {
  const one = z.union([filterValue, z.array(filterValue).max(FILTER_VALUES_MAX)]).optional();
  return Object.fromEntries(
    dimensions.map((dimension) => [`filter.${dimension}`, one.describe(`Only where ${dimension} is this; several times for any of them`)]),
  );
}

export const opportunityFilters = filtersBy(OPPORTUNITY_DIMENSIONS);

export function filtersOf<Dimension extends string = OpportunityDimension>(query: object): Partial<Record<Dimension, readonly string[]>> {
  const given = Object.entries(query).flatMap(([key, value]) =>
    key.startsWith('filter.') && value !== undefined ? [[key.slice('filter.'.length), [value].flat()] as const] : [],
  );
  return Object.fromEntries(given) as OpportunityFilters as Partial<Record<Dimension, readonly string[]>>;
}

export const touchParameters = {
  lookbackDays: days(3660).default(LOOKBACK_DAYS).describe(`Touches longer before have no part; ${LOOKBACK_DAYS} days by default`),
  kinds: z
    .string()
    .max(2000)
    .optional()
    .describe(
      `Kinds of touches that count, with commas between; * for all. Default: all but ${NO_MARKETING.join(', ')}, which are no marketing`,
    ),
};

/** @throws ProblemError `invalid_request` */
export function kindsOf(text: string | undefined): TouchScope['kinds'] {
  if (text === undefined) return { but: NO_MARKETING };
  if (text.trim() === '*') return { but: [] };
  const only = text.split(',').map((kind) => kind.trim());
  const wrong = only.find((kind) => !/^[a-z][a-z0-9_]{0,63}$/.test(kind));
  if (wrong !== undefined)
    throw refused('kinds', `has ${JSON.stringify(wrong)}, which is no kind of touch: small letters, digits and _, or * alone`);
  if (only.length > KINDS_MAX) throw refused('kinds', `has ${only.length} kinds, more than ${KINDS_MAX}`);
  return { only };
}

export function lookbackMsOf({ lookbackDays }: { readonly lookbackDays: number }): number {
  return Math.round(lookbackDays * DAY_MS);
}

/** The period asked for. "Now" is the end of the minute, so that questions within it have the same answer. */
export function periodOf(
  query: { readonly from?: number | undefined; readonly to?: number | undefined },
  now: number,
): { from: number; to: number } {
  const to = query.to ?? (Math.floor(now / MINUTE_MS) + 1) * MINUTE_MS;
  const from = query.from ?? Math.max(0, to - PERIOD_DAYS * DAY_MS);
  if (to <= from) throw refused('to', 'must be after from');
  return { from, to };
}

export function refused(parameter: string, detail: string): ProblemError {
  const said = `${parameter} ${detail}`;
  return new ProblemError('invalid_request', said, { errors: [{ in: 'query', pointer: `#/${parameter}`, detail: said }] });
}
