import { creativeDaysKept, isCreativeKnown, meets, type AccountTest, type DayRange, type LedgerSet } from '@touchstone/engine';
import { ProblemError } from '@touchstone/runtime';
import { z } from 'zod';
import { day } from './creative-answers.ts';
import { flag, share } from './query-parameters.ts';

/** What questions about creatives have in common: the days, and whose touches are looked at. */

const DAY_MS = 86_400_000;
const DAYS = 30;
const ATTRIBUTE = /^([^:]{1,128}):(.{0,128})$/su;

export const segment = {
  tier: z.string().max(128).optional(),
  industry: z.string().max(128).optional(),
  owner: z.string().max(128).optional(),
  targetList: flag.optional(),
  stage: z.string().max(128).optional().describe('Id of a stage; empty for accounts in none'),
  qualified: flag.optional().describe('Marketing qualified accounts, or the others'),
  engaged: flag.optional(),
  minScore: share.optional(),
  maxScore: share.optional(),
  attribute: z
    .string()
    .regex(ATTRIBUTE, 'must be a name and a value, as in region:emea')
    .optional()
    .describe('An attribute of the account, as in region:emea'),
};

export const period = {
  from: day.optional().describe(`First UTC day; by default ${DAYS} days with \`to\``),
  to: day.optional().describe('Last UTC day, included; by default today'),
};

type Segment = z.output<z.ZodObject<typeof segment>>;

/** Null where all accounts are looked at. */
export function accountTestOf({ attribute, ...given }: Segment, asOf: number): AccountTest | null {
  const filter: Record<string, unknown> = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  const [, name, value] = ATTRIBUTE.exec(attribute ?? '') ?? [];
  if (name !== undefined) filter['attributes'] = { [name]: value };
  if (Object.keys(filter).length === 0) return null;
  return (ledgers, account) => meets(ledgers, account, { filter, asOf });
}

/** @throws ProblemError for days of which not all is kept */
export function daysOf(
  set: LedgerSet,
  { from, to }: { readonly from?: string | undefined; readonly to?: string | undefined },
  asOf: number,
): DayRange {
  const kept = creativeDaysKept(set, asOf);
  if (kept === null) throw new ProblemError('not_found', 'figures of creatives are not kept here: CREATIVE_DAYS is 0');
  const today = kept.to - 1;
  const last = to === undefined ? today : Date.parse(to) / DAY_MS;
  const first = from === undefined ? Math.max(kept.from, last - DAYS + 1) : Date.parse(from) / DAY_MS;
  if (last > kept.to) refuse('to', `to must not be after ${dayText(kept.to)}, tomorrow`);
  if (from === undefined && last < kept.from) {
    refuse(
      'to',
      `to must be ${dayText(kept.from)} or later: figures of creatives are kept for ${today - kept.from + 1} days (CREATIVE_DAYS)`,
    );
  }
  if (first > last) refuse('from', 'from must not be after to');
  if (first < kept.from) {
    refuse(
      'from',
      `from must be ${dayText(kept.from)} or later: figures of creatives are kept for ${today - kept.from + 1} days (CREATIVE_DAYS)`,
    );
  }
  return { from: first, to: last };
}

function refuse(field: 'from' | 'to', detail: string): never {
  throw new ProblemError('invalid_request', detail, { errors: [{ in: 'query', pointer: `#/${field}`, detail }] });
}

/** @throws ProblemError `not_found` for what never came in a touch */
export function assertKnown(set: LedgerSet, campaignId: string | undefined, creativeId: string | undefined): void {
  if (campaignId !== undefined && !isCreativeKnown(set, { campaignId })) {
    throw new ProblemError('not_found', `no touch has the campaign '${campaignId}'`);
  }
  const key = { ...(campaignId !== undefined && { campaignId }), ...(creativeId !== undefined && { creativeId }) };
  if (creativeId === undefined || isCreativeKnown(set, key)) return;
  throw new ProblemError(
    'not_found',
    `no touch${campaignId === undefined ? '' : ` of campaign '${campaignId}'`} has the creative '${creativeId}'`,
  );
}

export function dayText(utcDay: number): string {
  return new Date(utcDay * DAY_MS).toISOString().slice(0, 10);
}
