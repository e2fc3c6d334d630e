import { ALERT_CAUSES, ALERT_TYPES, type Alert } from '@touchstone/engine';
import type { StoredAlert } from '@touchstone/store';
import { z } from 'zod';
import { time, timeText, timeTextOrNull } from './answers.ts';

const ALERT_FIELDS = {
  id: z.string().describe('A function of the account, the rule, the episode and the direction: whoever drops repeated ids sees each once'),
  type: z.enum(ALERT_TYPES),
  accountId: z.string(),
  ruleId: z.string().describe('Id of the threshold or watch; `qualification`, `stages` or `surge`'),
  episode: z.int().describe("Counts the account's entries under the rule, from 1"),
  direction: z.enum(['up', 'down']),
  at: time.describe('When it happened: the append that caused it, or the crossing itself when time alone did'),
  metric: z.string().nullable().describe('What crossed'),
  threshold: z
    .number()
    .nullable()
    .describe('What it was compared with; null also when a threshold ends because the account no longer passes its filter'),
  previousValue: z.number().nullable(),
  currentValue: z.number().nullable(),
  previousStage: z.string().nullable(),
  currentStage: z.string().nullable(),
  cause: z.enum(ALERT_CAUSES).describe('A touch, time alone (decay), a role, another model, what the CRM says of the account, an erasure'),
  late: z.boolean().describe('Caused by a touch that came over an hour after it happened'),
  heldBack: z.int().describe('Entries that the cooldown held back since the alert before'),
  owner: z.string().nullable().describe('Owner of the account'),
  modelVersion: z.string(),
  version: z.int().describe("Version of the account, as in the account's own answer"),
  reach: z.object({
    engagedContacts: z.int(),
    coverage: z.number().nullable().describe('Share of the wanted roles with an engaged contact; null when none is wanted'),
    missingRoles: z.array(z.string()),
  }),
  reasons: z
    .array(z.object({ contactId: z.string().nullable(), role: z.string().nullable(), points: z.number() }))
    .describe('The contacts that add most, at most three, the first adding most'),
  touch: z
    .object({
      kind: z.string(),
      contactId: z.string().nullable(),
      campaignId: z.string().nullable(),
      occurredAt: time,
      ruleIds: z.array(z.string()),
    })
    .nullable()
    .describe('The touch that it comes from, and the rules that this matches'),
  met: z.array(z.string()).describe('Criteria of the qualification that are met; `actNow` where a touch qualifies the account at once'),
  missing: z.array(z.string()).describe('Those that are not; `minContacts`, `filter` or `exclude` where that stands in the way'),
  links: z
    .object({ account: z.string(), explain: z.string() })
    .describe('Paths on this server: the account now, and why, as it was when the alert came about'),
};

/** As the stream tells it. */
export const alertEventSchema = z.object(ALERT_FIELDS).describe('Data of an event `alert` or `stage`').meta({ id: 'AlertEvent' });

/** In the order of the schema, whatever that of the alert is. */
export function alertAnswer(alert: Alert): z.input<typeof alertEventSchema> {
  const { accountId, direction, episode, id, metric, owner, reasons, ruleId, threshold, touch, type, version } = alert;
  const at = timeText(alert.at);
  const path = `/v1/accounts/${encodeURIComponent(accountId)}`;
  return {
    id,
    type,
    accountId,
    ruleId,
    episode,
    direction,
    at,
    metric,
    threshold,
    previousValue: alert.previousValue,
    currentValue: alert.currentValue,
    previousStage: alert.previousStage,
    currentStage: alert.currentStage,
    cause: alert.cause,
    late: alert.late,
    heldBack: alert.heldBack,
    owner,
    modelVersion: alert.modelVersion,
    version,
    reach: { engagedContacts: alert.engagedContacts, coverage: alert.coverage, missingRoles: [...alert.missingRoles] },
    reasons: reasons.map(({ contactId, points, role }) => ({ contactId, role, points })),
    touch: touch && {
      kind: touch.kind,
      contactId: touch.contactId,
      campaignId: touch.campaignId,
      occurredAt: timeText(touch.occurredAt),
      ruleIds: [...touch.ruleIds],
    },
    met: [...alert.met],
    missing: [...alert.missing],
    // Others may have come within the same millisecond.
    links: { account: path, explain: `${path}/explain?at=${at}&version=${version}` },
  };
}

const ACTED = {
  state: z.enum(['open', 'acked', 'snoozed']).describe('Acked by somebody; else snoozed, until that is over; else open'),
  acked: z.object({ by: z.string(), at: time, note: z.string() }).nullable().describe('The first that acked it'),
  snoozedUntil: time.nullable().describe('By the latest snooze, passed or not'),
  useful: z.boolean().nullable().describe('As last said; null while nobody has'),
};

/** With what became of it. */
export const alertSchema = z
  .object({ ...ALERT_FIELDS, ...ACTED })
  .describe('What became of an account that somebody should know, and what was done about it')
  .meta({ id: 'Alert' });

export type AlertAnswer = z.input<typeof alertSchema>;

/** @param now epoch ms, by which a snooze is over or not */
export function storedAlertAnswer({ acked, alert, snoozedUntil, useful }: Omit<StoredAlert, 'offset'>, now: number): AlertAnswer {
  const isSnoozed = snoozedUntil !== null && snoozedUntil > now;
  return {
    ...alertAnswer(alert),
    state: acked !== null ? 'acked' : isSnoozed ? 'snoozed' : 'open',
    acked: acked && { ...acked, at: timeText(acked.at) },
    snoozedUntil: timeTextOrNull(snoozedUntil),
    useful,
  };
}

/** One row of a table: lists as text, in one cell. */
export function alertRow({ acked, links, met, missing, reach, reasons, touch, ...rest }: AlertAnswer): Record<string, unknown> {
  return {
    ...rest,
    engagedContacts: reach.engagedContacts,
    coverage: reach.coverage,
    missingRoles: reach.missingRoles.join(' '),
    reasons: reasons
      .map(({ contactId, points, role }) => `${contactId ?? 'nobody known'}${role === null ? '' : ` (${role})`}: ${points}`)
      .join('; '),
    touchKind: touch?.kind,
    touchContactId: touch?.contactId,
    touchCampaignId: touch?.campaignId,
    touchOccurredAt: touch?.occurredAt,
    met: met.join(' '),
    missing: missing.join(' '),
    ackedBy: acked?.by,
    ackedAt: acked?.at,
    ackNote: acked?.note,
    explain: links.explain,
  };
}

/** Of a table. */
export const ALERT_COLUMNS = (
  'at id type accountId owner ruleId episode direction cause late heldBack metric threshold ' +
  'previousValue currentValue previousStage currentStage engagedContacts coverage missingRoles reasons touchKind touchContactId touchCampaignId touchOccurredAt ' +
  'met missing state ackedBy ackedAt ackNote snoozedUntil useful modelVersion version explain'
).split(' ');
