import { z } from 'zod';

/** Names for ranges of the score, by which ad platforms target: an account is in the last band whose `from` its score has reached. */

const BANDS_MAX = 16;

export const scoreBandsSchema = z
  .array(
    z.strictObject({
      id: z.string().min(1).max(128),
      from: z.number().min(0).max(100).describe('The score at which the band begins'),
    }),
  )
  .min(1)
  .max(BANDS_MAX)
  .refine((bands) => bands[0]?.from === 0, 'the first band must begin at 0, so that every account is in one')
  .refine(
    (bands) => bands.every(({ from }, index) => index === 0 || from > bands[index - 1]!.from),
    'each band must begin above the one before',
  )
  .refine((bands) => new Set(bands.map(({ id }) => id)).size === bands.length, 'the ids of bands must differ')
  .describe('Names for ranges of the score; default: cold from 0, warm from 30, hot from 60');

export type ScoreBand = z.output<typeof scoreBandsSchema>[number];

const DEFAULT_BANDS: readonly ScoreBand[] = [
  { id: 'cold', from: 0 },
  { id: 'warm', from: 30 },
  { id: 'hot', from: 60 },
];

/** The bands of a model, the lowest first. */
export function bandsOf({ scoreBands }: { readonly scoreBands?: readonly ScoreBand[] | undefined }): readonly ScoreBand[] {
  return scoreBands ?? DEFAULT_BANDS;
}

/** Id of the band that a score lies in. */
export function bandOf(bands: readonly ScoreBand[], score: number): string {
  let band = bands[0]!;
  for (const next of bands) if (score >= next.from) band = next;
  return band.id;
}
