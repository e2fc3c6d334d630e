import type { PartitionLedgers } from './ledgers.ts';
import { FIELD, type TouchCursor } from './touch.ts';

/**
 * Points that a touch of a known account is worth under the model and the role that its contact has by now, undecayed, and whatever daily caps have left of
 * it: those are used up in the ledgers alone. `touch` is one that counted.
 */
export function worthOf({ accounts, contacts, kinds, roles }: PartitionLedgers, touch: TouchCursor): number {
  const { bytes, end, minutes, start } = touch;
  let worth = 0;
  for (const { maxMinutes, points, pointsPerMinute } of kinds.matchingRules(
    kinds.intern(bytes, start[FIELD.kind]!, end[FIELD.kind]!),
    touch,
  )) {
    worth += points + pointsPerMinute * Math.min(minutes, maxMinutes);
  }
  if (start[FIELD.contactId]! < 0 || worth === 0) return worth;
  const account = accounts.names.find(0, bytes, start[FIELD.accountId]!, end[FIELD.accountId]!);
  const contact = account < 0 ? -1 : contacts.names.find(account, bytes, start[FIELD.contactId]!, end[FIELD.contactId]!);
  return contact < 0 ? worth : worth * roles.multiplier(contacts.role[contact]!);
}
