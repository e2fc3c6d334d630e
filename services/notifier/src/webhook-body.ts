import type { Alert } from '@touchstone/engine';
import type { Digest } from './digest.ts';

/** What a webhook receives. The fields of `data` follow Lago's alert.triggered; receivers order an account's by `revision`. */

/** Standard Webhooks asks for less than 20 kB, and some receivers hold others to it. */
export const BODY_BYTES_MAX = 19_999;
/** There is one score. */
const SCORE_ID = 'engagement';
/** Longer than any id that is taken; what an alert holds beyond that came from nowhere we know. */
const TEXT_MAX = 128;
/** Lists are cut to the first of these lengths with which the body fits. */
const LIST_LENGTHS = [100, 30, 10, 3, 0];

export interface BodyOptions {
  /** Where people and programs reach the API, without a slash at its end. */
  readonly publicUrl: string;
  /** A message that somebody asked for, to see whether it arrives. */
  readonly isTest?: boolean;
}

/** Where it is explained why the account stood as it did at the instant of the alert. */
function explainUrl({ accountId, at, version }: Pick<Alert, 'accountId' | 'at' | 'version'>, { publicUrl }: BodyOptions): string {
  return `${publicUrl}/v1/accounts/${encodeURIComponent(accountId.toWellFormed())}/explain?at=${timeText(at)}&version=${version}`;
}

export function alertBody(alert: Alert, options: BodyOptions): string {
  return firstThatFits(LIST_LENGTHS, (most) => ({
    type: alert.type,
    timestamp: timeText(alert.at),
    data: {
      accountId: alert.accountId,
      scoreId: SCORE_ID,
      modelVersion: short(alert.modelVersion),
      revision: alert.version,
      direction: alert.direction,
      cause: alert.cause,
      previousValue: alert.previousValue,
      currentValue: alert.currentValue,
      crossedThresholds: alert.threshold === null ? [] : [{ code: short(alert.ruleId), value: alert.threshold }],
      late: alert.late,
      reach: {
        engagedContacts: alert.engagedContacts,
        coverage: alert.coverage,
        missingRoles: alert.missingRoles.slice(0, most).map(short),
      },
      reasons: alert.reasons.slice(0, most).map(reasonOf),
      touch: touchOf(alert, most),
      explainUrl: explainUrl(alert, options),
      ruleId: short(alert.ruleId),
      episode: alert.episode,
      metric: shortOrNull(alert.metric),
      owner: shortOrNull(alert.owner),
      previousStage: shortOrNull(alert.previousStage),
      currentStage: shortOrNull(alert.currentStage),
      heldBack: alert.heldBack,
      met: alert.met.slice(0, most).map(short),
      missing: alert.missing.slice(0, most).map(short),
      ...(options.isTest && { test: true }),
    },
  }));
}

/** What a contact adds by all touches together: no single touch or rule is the reason. */
function reasonOf({ contactId, points, role }: Alert['reasons'][number]): object {
  return { points, contactId: shortOrNull(contactId), role: shortOrNull(role) };
}

/** The touch that caused the alert, as the API has it. */
function touchOf({ touch }: Alert, most: number): object | null {
  if (touch === null) return null;
  return {
    kind: short(touch.kind),
    contactId: shortOrNull(touch.contactId),
    campaignId: shortOrNull(touch.campaignId),
    occurredAt: timeText(touch.occurredAt),
    ruleIds: touch.ruleIds.slice(0, most).map(short),
  };
}

export function digestBody({ alerts, from, owner, to, total }: Digest, options: BodyOptions): string {
  return firstThatFits([alerts.length, ...LIST_LENGTHS], (most) => ({
    type: 'owner.digest.ready',
    timestamp: timeText(to),
    data: {
      owner: shortOrNull(owner),
      from: timeText(from),
      to: timeText(to),
      total,
      alerts: alerts.slice(0, most).map((alert) => ({
        id: alert.id,
        type: alert.type,
        timestamp: timeText(alert.at),
        accountId: alert.accountId,
        ruleId: short(alert.ruleId),
        direction: alert.direction,
        cause: alert.cause,
        metric: shortOrNull(alert.metric),
        threshold: alert.threshold,
        previousValue: alert.previousValue,
        currentValue: alert.currentValue,
        currentStage: shortOrNull(alert.currentStage),
        explainUrl: explainUrl(alert, options),
      })),
    },
  }));
}

function firstThatFits(lengths: readonly number[], form: (most: number) => object): string {
  let body = '';
  for (const most of lengths) {
    body = JSON.stringify(form(most));
    if (Buffer.byteLength(body) <= BODY_BYTES_MAX) return body;
  }
  return body;
}

function short(text: string): string {
  // A cut may leave half a character, which some parsers of JSON refuse.
  return (text.length <= TEXT_MAX ? text : text.slice(0, TEXT_MAX)).toWellFormed();
}

function shortOrNull(text: string | null): string | null {
  return text === null ? null : short(text);
}

export function timeText(at: number): string {
  return new Date(at).toISOString();
}
