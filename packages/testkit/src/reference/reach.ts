import type { TouchRecord } from './log-entry.ts';
import { roleOf } from './points.ts';
import type { AccountHistory } from './read-log.ts';
import { MODEL_DEFAULTS } from './reference-model.ts';
import { contactsOf, firstTouches, isIn, spanOfDays } from './windows.ts';

export interface ReachView {
  /** Contacts with an engaging touch in the reach window. */
  readonly contacts: number;
  /** Contacts with a contact fact or any touch. */
  readonly knownContacts: number;
  readonly roles: { readonly wanted: readonly string[]; readonly covered: readonly string[]; readonly missing: readonly string[] };
  /** Contacts by the campaign of their first touch ever, over all time. */
  readonly byCampaign: Readonly<Record<string, number>>;
}

/** Somebody was shown or sent something: no sign that anybody cared. */
const NOT_ENGAGING = new Set(['ad_impression', 'email_open', 'direct_mail']);

function engagingTouches(history: AccountHistory, asOf: number): TouchRecord[] {
  const span = spanOfDays(asOf, history.model.reachWindowDays ?? MODEL_DEFAULTS.reachWindowDays);
  return history.touches.filter((touch) => isIn(span, touch.occurredAt) && !NOT_ENGAGING.has(touch.kind));
}

/** True with one engaging touch in the reach window, of a contact or of nobody known. */
export function isEngaged(history: AccountHistory, asOf: number): boolean {
  return engagingTouches(history, asOf).length > 0;
}

export function reachAt(history: AccountHistory, asOf: number): ReachView {
  const engaged = contactsOf(engagingTouches(history, asOf));
  const known = new Set([...contactsOf(history.touches), ...history.contactFacts.map((fact) => fact.id)]);

  const wanted = history.model.wantedRoles ?? Object.keys(history.model.roles ?? {});
  const held = new Set([...engaged].map((contactId) => roleOf(history, contactId)));

  const byCampaign = new Map<string, number>();
  for (const { campaignId } of firstTouches(history.touches).values()) {
    if (campaignId !== undefined && campaignId !== null) byCampaign.set(campaignId, (byCampaign.get(campaignId) ?? 0) + 1);
  }

  return {
    contacts: engaged.size,
    knownContacts: known.size,
    roles: { wanted, covered: wanted.filter((role) => held.has(role)), missing: wanted.filter((role) => !held.has(role)) },
    byCampaign: Object.fromEntries(byCampaign),
  };
}
