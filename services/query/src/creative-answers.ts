import { clickRate, NO_RATE_REASONS, RATE_METHODS, type CreativeFigures } from '@touchstone/engine';
import { z } from 'zod';
import { time } from './answers.ts';

/** The shapes of answers about creatives. */

export const day = z.iso.date().describe('A UTC day, as in 2026-03-01');

const reason = z
  .enum(NO_RATE_REASONS)
  .nullable()
  .describe(
    'Why something is null: `no_impressions` were told, or `one_account` with more clicks than impressions says nothing of others; else null',
  );

const rateSchema = z
  .object({
    value: z.number().nullable().describe('Clicks per impression'),
    low: z.number().nullable(),
    high: z.number().nullable(),
    method: z
      .enum(RATE_METHODS)
      .nullable()
      .describe(
        'Accounts are the unit: `clustered_wilson` is the score interval (Wilson 1927) with as many impressions as count for independent (Korn and Graubard 1998, variance ' +
          'of a ratio over clusters: Cochran 1977); `wilson` where every account has one impression; `linearized_ratio` where clicks came without their impressions',
      ),
    confidence: z.number(),
    reason,
  })
  .meta({ id: 'ClickRate' });

export const creativeSchema = z
  .object({
    campaignId: z.string().nullable(),
    creativeId: z.string().nullable().describe('Null for touches of a campaign without a creative, and with `groupBy=campaign`'),
    impressions: z.int().describe('Touches of kind ad_impression'),
    clicks: z.int().describe('Touches of kind ad_click'),
    clickRate: rateSchema,
    touches: z.int().describe('Of any kind'),
    minutes: z.number(),
    points: z
      .number()
      .describe('What these touches add to the points of their accounts as of `asOf`, under the roles and the model of now'),
    pointsPerAccountReached: z.number(),
    accountsReached: z.int().describe('Distinct accounts with a touch'),
    accountsClicked: z.int().describe('Distinct accounts with a click'),
    contactsReached: z.int().describe('Distinct known contacts with a touch'),
    contactsClicked: z.int().describe('Distinct known contacts with a click'),
  })
  .meta({ id: 'CreativeFigures' });

const frame = { from: day, to: day, asOf: time, modelVersion: z.string() };

export const creativePageSchema = z
  .object({
    ...frame,
    data: z.array(creativeSchema),
    nextCursor: z.string().nullable().describe('Give it back as `cursor` for the next page; null on the last'),
  })
  .meta({ id: 'CreativePage' });

export const comparisonSchema = z
  .object({
    ...frame,
    campaignId: z.string(),
    data: z.array(creativeSchema).describe('In the order asked for'),
    differences: z
      .array(
        z
          .object({
            creativeId: z.string(),
            against: z.string().describe('The first creative asked for'),
            clickRate: z
              .object({
                value: z.number().nullable().describe('Click rate of `creativeId` minus that of `against`'),
                low: z.number().nullable(),
                high: z.number().nullable(),
                method: z
                  .literal('mover')
                  .nullable()
                  .describe(
                    'From the intervals of both rates (Zou and Donner 2008), with the correlation that accounts which saw both make',
                  ),
                confidence: z.number(),
                reason,
              })
              .meta({ id: 'ClickRateDifference' }),
            accountsOfBoth: z.int().describe('Accounts that had touches of both'),
          })
          .meta({ id: 'CreativeDifference' }),
      )
      .describe(
        'Each creative against the first. Looked at again and again until one stands out, such an interval errs more often than it says',
      ),
  })
  .meta({ id: 'CreativeComparison' });

export type CreativeAnswer = z.input<typeof creativeSchema>;

export function creativeAnswer(figures: CreativeFigures): CreativeAnswer {
  const { accountsClicked, accountsReached, campaignId, clickers, clicks, contacts, creativeId, impressions, minutes, points, touches } =
    figures;
  return {
    campaignId,
    creativeId,
    impressions,
    clicks,
    clickRate: { ...clickRate(figures) },
    touches,
    minutes,
    points,
    pointsPerAccountReached: accountsReached === 0 ? 0 : points / accountsReached,
    accountsReached,
    accountsClicked,
    contactsReached: contacts,
    contactsClicked: clickers,
  };
}

export const CSV_COLUMNS = Object.keys(creativeSchema.shape).flatMap((column) =>
  column === 'clickRate' ? ['clickRate', 'clickRateLow', 'clickRateHigh', 'clickRateMethod'] : [column],
);

/** One row of a table. */
export function creativeRow({ clickRate: { high, low, method, value }, ...rest }: CreativeAnswer): object {
  return { ...rest, clickRate: value, clickRateLow: low, clickRateHigh: high, clickRateMethod: method };
}
