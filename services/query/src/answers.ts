import type { AccountFact, AccountHead, AccountView, ListedAccount } from '@touchstone/engine';
import { z } from 'zod';

/** The answers' shapes, once: they validate in tests, serialise, and document. Times are RFC 3339 UTC with milliseconds. */

export const time = z.iso.datetime({ precision: 3 }).describe('RFC 3339, UTC, milliseconds');

/** Of answers that are kept for a while. */
export const askedAt = time.describe(
  'When the store was asked: an answer that is dear to compute is given again for up to 30 seconds after it came',
);

const figures = {
  touches: z.int(),
  minutes: z.number(),
  byKind: z.record(z.string(), z.int()).describe('Touches by kind'),
  contacts: z.int().describe('Distinct contacts with a touch in the window'),
  newContacts: z.int().describe('Contacts whose first touch ever is in the window'),
};
const windowSchema = z
  .object({ ...figures, previous: z.object(figures).describe('The equally long window before') })
  .meta({ id: 'WindowFigures' });

const profileSchema = z
  .object({
    name: z.string().nullable(),
    domains: z.array(z.string()),
    industry: z.string().nullable(),
    employees: z.number().nullable(),
    tier: z.string().nullable(),
    targetList: z.boolean().nullable(),
    owner: z.string().nullable(),
    parentId: z.string().nullable(),
    attributes: z.record(z.string(), z.string()),
    updatedAt: time,
  })
  .describe('What the CRM says of the account; null when it said nothing')
  .meta({ id: 'AccountProfile' });

const scored = {
  accountId: z.string(),
  score: z.number().min(0).max(100),
  points: z.number().describe('Decayed sum of what the touches are worth'),
  asOf: time.describe('The instant the answer is computed for'),
  version: z.int().describe('Offset of the last touch or fact applied; never goes backwards'),
  modelVersion: z.string(),
  stage: z
    .string()
    .nullable()
    .describe(
      'Id of the stage that the account is in; null for none, and for the moment in which it is not looked at under a new model yet',
    ),
  qualified: z
    .boolean()
    .nullable()
    .describe('Whether it is a marketing qualified account; null where the model has no qualification, and in that moment'),
  engaged: z.boolean().describe('At least one engaging touch in the reach window'),
  lastTouchAt: time.nullable(),
};

export const accountSchema = z
  .object({
    ...scored,
    windows: z.object({ '24h': windowSchema, '7d': windowSchema, '30d': windowSchema, '90d': windowSchema }),
    reach: z
      .object({
        contacts: z.int().describe("Contacts engaged within the model's reach window"),
        knownContacts: z.int(),
        roles: z.object({ wanted: z.array(z.string()), covered: z.array(z.string()), missing: z.array(z.string()) }),
        byCampaign: z.record(z.string(), z.int()).describe("Contacts whose first touch ever was the campaign's"),
      })
      .meta({ id: 'Reach' }),
    profile: profileSchema.nullable(),
  })
  .meta({ id: 'Account' });

export const listedAccountSchema = z
  .object({
    ...scored,
    contacts: z.int().describe("Contacts engaged within the model's reach window"),
    knownContacts: z.int(),
    name: z.string().nullable(),
    industry: z.string().nullable(),
    tier: z.string().nullable(),
    targetList: z.boolean().nullable(),
    owner: z.string().nullable(),
    met: z.array(z.string()).nullable().describe('With `near`: the criteria of the qualification that are met; else null'),
    missing: z.array(z.string()).nullable().describe('With `near`: those that are not; else null'),
    lacksContacts: z.boolean().nullable().describe('With `near`: whether too few contacts are engaged; else null'),
  })
  .meta({ id: 'ListedAccount' });

const cursor = z.string().describe('Give it back as `cursor` for the next page; null on the last');

export const accountPageSchema = z
  .object({ data: z.array(listedAccountSchema), nextCursor: cursor.nullable() })
  .meta({ id: 'AccountPage' });

export const timelineSchema = z
  .object({
    data: z.array(
      z
        .object({
          id: z.string(),
          contactId: z.string().nullable(),
          kind: z.string(),
          occurredAt: time,
          appendedAt: time.describe('When the log took it'),
          minutes: z.number(),
          channel: z.string().nullable(),
          campaignId: z.string().nullable(),
          creativeId: z.string().nullable(),
          url: z.string().nullable(),
          source: z.string().nullable(),
          properties: z.record(z.string(), z.string()),
        })
        .meta({ id: 'CountedTouch' }),
    ),
    nextCursor: cursor.nullable(),
  })
  .meta({ id: 'Timeline' });

export const historySchema = z
  .object({
    data: z.array(
      z
        .object({
          hour: time.describe('Start of the UTC hour'),
          asOf: time,
          points: z.number(),
          score: z.number(),
          modelVersion: z.string(),
        })
        .meta({ id: 'HistoryPoint' }),
    ),
  })
  .meta({ id: 'History' });

export const scoreEventSchema = z
  .object({
    accountId: z.string(),
    score: z.number(),
    points: z.number(),
    asOf: time,
    version: z.int(),
    modelVersion: z.string(),
    engaged: z.boolean(),
    contacts: z.int(),
    lastTouchAt: time.nullable(),
  })
  .describe('Data of an event `score`')
  .meta({ id: 'ScoreEvent' });

export function timeText(at: number): string {
  return new Date(at).toISOString();
}

export function timeTextOrNull(at: number | null): string | null {
  return at === null ? null : timeText(at);
}

function profileAnswer(fact: AccountFact | null): z.input<typeof profileSchema> | null {
  if (fact === null) return null;
  const { name, industry, employees, tier, targetList, owner, parentId, attributes, updatedAt } = fact;
  const domains = [...fact.domains];
  return { name, domains, industry, employees, tier, targetList, owner, parentId, attributes, updatedAt: timeText(updatedAt) };
}

/** Where an account stands under the rules of the model. */
type Standing = Pick<ListedAccount, 'stage' | 'qualified'>;

export function accountAnswer(view: AccountView, fact: AccountFact | null, standing: Standing): z.input<typeof accountSchema> {
  const { accountId, score, points, asOf } = view;
  return { accountId, score, points, asOf: timeText(asOf), ...answerAfter(view, view, fact, standing) };
}

/** What an answer about an account says after the instant: it is the same for all instants of an hour, until something comes of the account. */
function answerAfter(
  { lastTouchAt, modelVersion, version }: Pick<AccountHead, 'lastTouchAt' | 'modelVersion' | 'version'>,
  { engaged, reach, windows }: Pick<AccountView, 'engaged' | 'reach' | 'windows'>,
  fact: AccountFact | null,
  { qualified, stage }: Standing,
) {
  const profile = profileAnswer(fact);
  return { version, modelVersion, stage, qualified, engaged, lastTouchAt: timeTextOrNull(lastTouchAt), windows, reach, profile };
}

/** The end of the JSON of `accountAnswer`, from the version on. */
export function accountTextAfter(...of: Parameters<typeof answerAfter>): string {
  return JSON.stringify(answerAfter(...of)).slice(1);
}

export function listedAnswer(account: ListedAccount): z.input<typeof listedAccountSchema> {
  const { accountId, score, points, version, modelVersion, engaged, contacts, knownContacts, fact } = account;
  return {
    accountId,
    score,
    points,
    asOf: timeText(account.asOf),
    version,
    modelVersion,
    stage: account.stage,
    qualified: account.qualified,
    engaged,
    lastTouchAt: timeTextOrNull(account.lastTouchAt),
    contacts,
    knownContacts,
    name: fact?.name ?? null,
    industry: fact?.industry ?? null,
    tier: fact?.tier ?? null,
    targetList: fact?.targetList ?? null,
    owner: fact?.owner ?? null,
    met: account.near && [...account.near.met],
    missing: account.near && [...account.near.missing],
    lacksContacts: account.near && account.near.lacksContacts,
  };
}
