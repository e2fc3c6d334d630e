import { jsonRows } from './json-rows.ts';
import type { RowTransport } from './row-transport.ts';

/** Some megabytes. */
const ROLES_A_PAGE = 20_000;

const STATEMENT = `SELECT offset, account_id AS accountId, id AS contactId, toUnixTimestamp64Milli(updated_at) AS updatedAt, JSONExtractString(body, 'role') AS role
  FROM facts
  WHERE partition = {partition:UInt16} AND type = 'contact' AND offset >= {from:UInt64} AND offset < {before:UInt64}
  ORDER BY offset LIMIT 1 BY offset LIMIT {rows:UInt32} FORMAT JSONEachRow`;

/** A role as it was said of a contact. */
export interface StoredRole {
  readonly accountId: string;
  readonly contactId: string;
  /** Null for none. */
  readonly role: string | null;
  /** Of the fact, epoch ms. */
  readonly updatedAt: number;
}

interface RoleRow extends Omit<StoredRole, 'role' | 'updatedAt'> {
  readonly offset: number | string;
  readonly role: string;
  readonly updatedAt: number | string;
}

/** What was said of contacts of a partition below an offset, in the order of the log, a page at a time. */
export async function* readContactRoles(
  transport: RowTransport,
  partition: number,
  before: number,
  pageRows = ROLES_A_PAGE,
): AsyncGenerator<readonly StoredRole[]> {
  for (let from = 0; ;) {
    const answer = await transport.read(STATEMENT, { partition, from, before, rows: pageRows }, { isPage: true });
    const rows = jsonRows<RoleRow>(answer);
    if (rows.length > 0) {
      yield rows.map(({ accountId, contactId, role, updatedAt }) => ({
        accountId,
        contactId,
        role: role === '' ? null : role,
        updatedAt: Number(updatedAt),
      }));
    }
    if (rows.length < pageRows) return;
    from = Number(rows.at(-1)!.offset) + 1;
  }
}
