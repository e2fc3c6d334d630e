import { hash } from 'node:crypto';
import type { PartitionLedgers } from '../ledgers.ts';
import { pointsOrNone } from '../score.ts';
import type { TouchBatch } from '../touch-batch.ts';
import { decodeUtf8 } from '../touch.ts';
import { familyOf, type Alert, type AlertReason, type AlertTouch, type AlertType } from './alert.ts';
import { engagedContacts, engagedRoles } from './figures.ts';

const REASONS_MAX = 3;
/** 128 bits. */
const ID_DIGITS = 32;

/** The same for the same step, whenever and by whomever it is computed. Without dots, so that it may be part of what is signed with dots between. */
export function alertIdOf(type: AlertType, accountId: string, ruleId: string, episode: number, direction: Alert['direction']): string {
  const what = JSON.stringify([familyOf(type), accountId, ruleId, episode, direction]);
  return `alr_${hash('sha256', what, 'hex').slice(0, ID_DIGITS)}`;
}

/** What an alert says of its account: who owns it, who of the committee is engaged, who adds most. */
export type AccountDescription = Pick<Alert, 'accountId' | 'owner' | 'engagedContacts' | 'coverage' | 'missingRoles' | 'reasons'>;

export function describeAccount(ledgers: PartitionLedgers, account: number, at: number): AccountDescription {
  const { accounts, roles } = ledgers;
  const engaged = engagedRoles(ledgers, account, at);
  const missingRoles = roles.wanted.filter((role) => !engaged.has(roles.number(role)));
  const wanted = roles.wanted.length;
  return {
    accountId: accounts.names.text(account),
    owner: accounts.facts.get(account)?.owner ?? null,
    engagedContacts: engagedContacts(ledgers, account, at),
    coverage: wanted === 0 ? null : (wanted - missingRoles.length) / wanted,
    missingRoles,
    reasons: reasonsOf(ledgers, account, at),
  };
}

/** The contacts that add most so far, as rows + 1 (0: nobody known), and what they add, the first adding most. */
const topRows = new Uint32Array(REASONS_MAX + 1);
const topPoints = new Float64Array(REASONS_MAX + 1);

/** The contacts that add most to the points; of two that add the same the one whose id comes first, and nobody known last. */
function reasonsOf(ledgers: PartitionLedgers, account: number, at: number): AlertReason[] {
  const { accounts, contacts, decay, roles } = ledgers;
  const factor = decay.factor(at);
  const aheadOf = accounts.ahead[account] === 0 ? NONE_AHEAD : growthAhead(ledgers, account, at);
  const idOf = (row: number): string | null => (row === 0 ? null : contacts.names.text(row - 1));
  let count = 0;
  const add = (row: number, points: number): void => {
    if (!(pointsOrNone(points) > 0) || (count === REASONS_MAX && points < topPoints[count - 1]!)) return;
    let place = count;
    for (; place > 0; place--) {
      const above = topPoints[place - 1]!;
      if (above > points || (above === points && compareIds(idOf(topRows[place - 1]!), idOf(row)) < 0)) break;
      topPoints[place] = above;
      topRows[place] = topRows[place - 1]!;
    }
    topPoints[place] = points;
    topRows[place] = row;
    if (count < REASONS_MAX) count++;
  };
  add(0, (accounts.nobodySum[account]! - (aheadOf.get(0) ?? 0)) * factor);
  for (let row = accounts.contact[account]!; row !== 0; row = contacts.next[row - 1]!) {
    const sum = contacts.sum[row - 1]!;
    const ahead = aheadOf.size === 0 ? 0 : (aheadOf.get(row) ?? 0);
    if (sum !== 0) add(row, roles.multiplier(contacts.role[row - 1]!) * ((sum - ahead) * factor));
  }
  return Array.from(topRows.subarray(0, count), (row, place) => {
    const role = row === 0 ? 0 : contacts.role[row - 1]!;
    return { contactId: idOf(row), role: role === 0 ? null : roles.name(role), points: topPoints[place]! };
  });
}

function compareIds(one: string | null, other: string | null): number {
  if (one === null || other === null) return one === null ? 1 : -1;
  return one < other ? -1 : 1;
}

const NONE_AHEAD: ReadonlyMap<number, number> = new Map();

/** What sums hold too much of touches whose time has not come, by contact row + 1: see ahead.ts. */
function growthAhead({ accounts, ahead, decay }: PartitionLedgers, account: number, at: number): ReadonlyMap<number, number> {
  const byContact = new Map<number, number>();
  for (let row = accounts.ahead[account]!; row !== 0; row = ahead.next[row]!) {
    const occurredAt = ahead.occurredAt[row]!;
    if (occurredAt <= at) continue;
    const contact = ahead.contact[row]!;
    const growth = ahead.worth[row]! * (decay.weight(occurredAt) - decay.weight(at));
    byContact.set(contact, (byContact.get(contact) ?? 0) + growth);
  }
  return byContact;
}

/** The touch at a place of a batch. */
export function alertTouchOf({ model }: PartitionLedgers, batch: TouchBatch, place: number): AlertTouch {
  const text = (start: number, end: number): string | null => (start < 0 ? null : decodeUtf8(batch.bytes, start, end));
  return {
    kind: text(batch.kindStart[place]!, batch.kindEnd[place]!)!,
    contactId: text(batch.contactStart[place]!, batch.contactEnd[place]!),
    campaignId: text(batch.campaignStart[place]!, batch.campaignEnd[place]!),
    occurredAt: batch.occurredAt[place]!,
    ruleIds: batch.rules[place]!.map(({ index }) => model.rules[index]!.id),
  };
}
