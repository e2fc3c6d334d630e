import { hash } from 'node:crypto';
import type { PartitionLedgers } from '../ledgers.ts';
import type { CompiledRule } from '../match-rule.ts';
import { pointsOrNone } from '../score.ts';
import { FIELD, type TouchCursor } from '../touch.ts';
import type { Alert, AlertReason, AlertTouch, AlertType } from './alert.ts';
import { engagedContacts, engagedRoles } from './metrics.ts';

const REASONS_MAX = 3;
/** 128 bits. */
const ID_DIGITS = 32;

/** What alerts of a rule are told as, one name for all of its types. */
const FAMILIES = {
  'account.threshold.crossed': 'threshold',
  'account.threshold.recovered': 'threshold',
  'account.mqa.entered': 'mqa',
  'account.mqa.exited': 'mqa',
  'account.stage.changed': 'stage',
  'account.surge.detected': 'surge',
  'account.coverage.changed': 'coverage',
} as const satisfies Record<AlertType, string>;

/** The same for the same step, whenever and by whomever it is computed. Without dots, so that it may be part of what is signed with dots between. */
export function alertIdOf({
  accountId,
  direction,
  episode,
  ruleId,
  type,
}: Pick<Alert, 'accountId' | 'direction' | 'episode' | 'ruleId' | 'type'>): string {
  const what = JSON.stringify([FAMILIES[type], accountId, ruleId, episode, direction]);
  return `alr_${hash('sha256', what, 'hex').slice(0, ID_DIGITS)}`;
}

/** What an alert says of its account: who owns it, who of the committee is engaged, who adds most. */
export function describeAccount(
  ledgers: PartitionLedgers,
  account: number,
  at: number,
): Pick<Alert, 'owner' | 'engagedContacts' | 'coverage' | 'missingRoles' | 'reasons'> {
  const { accounts, roles } = ledgers;
  const engaged = engagedRoles(ledgers, account, at);
  const missingRoles = roles.wanted.filter((role) => !engaged.has(roles.number(role)));
  const wanted = roles.wanted.length;
  return {
    owner: accounts.facts.get(account)?.owner ?? null,
    engagedContacts: engagedContacts(ledgers, account, at),
    coverage: wanted === 0 ? null : (wanted - missingRoles.length) / wanted,
    missingRoles,
    reasons: reasonsOf(ledgers, account, at),
  };
}

/** The contacts that add most to the points; of two that add the same the one whose id comes first, and nobody known last. */
function reasonsOf(ledgers: PartitionLedgers, account: number, at: number): AlertReason[] {
  const { accounts, contacts, decay, roles } = ledgers;
  const factor = decay.factor(at);
  const aheadOf = growthAhead(ledgers, account, at);
  const pointsOf = (sum: number, row: number): number => (sum - (aheadOf.get(row) ?? 0)) * factor;
  const found: { row: number; points: number }[] = [];
  const add = (row: number, points: number): void => {
    if (pointsOrNone(points) > 0) found.push({ row, points });
  };
  add(0, pointsOf(accounts.nobodySum[account]!, 0));
  for (let row = accounts.contact[account]!; row !== 0; row = contacts.next[row - 1]!) {
    add(row, roles.multiplier(contacts.role[row - 1]!) * pointsOf(contacts.sum[row - 1]!, row));
  }
  const idOf = (row: number): string | null => (row === 0 ? null : contacts.names.text(row - 1));
  found.sort((one, other) => other.points - one.points || compareIds(idOf(one.row), idOf(other.row)));
  return found.slice(0, REASONS_MAX).map(({ points, row }) => {
    const role = row === 0 ? 0 : contacts.role[row - 1]!;
    return { contactId: idOf(row), role: role === 0 ? null : roles.name(role), points };
  });
}

function compareIds(one: string | null, other: string | null): number {
  if (one === null || other === null) return one === null ? 1 : -1;
  return one < other ? -1 : 1;
}

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

export function alertTouchOf({ model }: PartitionLedgers, touch: TouchCursor, rules: readonly CompiledRule[]): AlertTouch {
  return {
    kind: touch.text(FIELD.kind)!,
    contactId: touch.text(FIELD.contactId),
    campaignId: touch.text(FIELD.campaignId),
    occurredAt: touch.occurredAt,
    ruleIds: rules.map(({ index }) => model.rules[index]!.id),
  };
}
