import type { StoredRole } from '@touchstone/store';

/** Roles of the contacts of a partition as the facts say that were read so far, in the order of the log: of two of one contact the newer one holds. */
export class RoleBook {
  readonly #byContact = new Map<string, Pick<StoredRole, 'role' | 'updatedAt'>>();

  note({ accountId, contactId, role, updatedAt }: StoredRole): void {
    const key = keyOf(accountId, contactId);
    const known = this.#byContact.get(key);
    if (known === undefined || updatedAt >= known.updatedAt) this.#byContact.set(key, { role, updatedAt });
  }

  /** Null for none, and for nobody known. */
  roleOf(accountId: string, contactId: string | null): string | null {
    return contactId === null ? null : (this.#byContact.get(keyOf(accountId, contactId))?.role ?? null);
  }
}

/** The length first: no two pairs have one key. */
function keyOf(accountId: string, contactId: string): string {
  return `${accountId.length} ${accountId}${contactId}`;
}
