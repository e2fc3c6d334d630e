import { differences, referenceOf, type LogEntry, type Reference } from '@touchstone/testkit';
import type { Server } from './start-server.ts';

const DAY_MS = 86_400_000;
/** Now, and later, when windows have moved on and points have faded. */
const LATER_MS = [0, 36 * 3_600_000, 45 * DAY_MS];
/** Small, so that a list has many pages. */
const PAGE = 7;
/** One mistake can make every answer wrong: these many show which it is. */
const LINES_SHOWN = 20;

export interface ListedAccount {
  readonly accountId: string;
  readonly score: number;
  readonly points: number;
  readonly asOf: string;
  readonly version: number;
  readonly modelVersion: string;
  readonly engaged: boolean;
  readonly lastTouchAt: string | null;
  readonly contacts: number;
  readonly knownContacts: number;
}

export interface ServedAccount extends ListedAccount {
  readonly windows: Readonly<Record<string, { readonly touches: number }>>;
}

/** What a server said of all its accounts, to be held against the reference once the log can be read. */
export interface Snapshot {
  /** All pages of the list, in order. */
  readonly list: readonly ListedAccount[];
  /** Every listed account, asked for by itself at several instants. */
  readonly answers: readonly { readonly accountId: string; readonly at: number; readonly body: unknown }[];
}

/** Asks for the whole list and for every account on it. Nothing must change meanwhile. */
export async function takeSnapshot(server: Server, pageSize = PAGE): Promise<Snapshot> {
  const list = await readList(server, pageSize);
  const from = Math.max(Date.now(), ...list.map(({ asOf }) => Date.parse(asOf)));
  const answers = [];
  for (const { accountId } of list) {
    for (const later of LATER_MS) {
      const at = from + later;
      answers.push({ accountId, at, body: await server.get<unknown>(`${pathOf(accountId)}?at=${at}`) });
    }
  }
  return { list, answers };
}

/** All pages of the list, best score first. */
export async function readList(server: Server, pageSize = PAGE): Promise<ListedAccount[]> {
  const list: ListedAccount[] = [];
  let cursor: string | null = null;
  do {
    const place: string = cursor === null ? '' : `&cursor=${encodeURIComponent(cursor)}`;
    const page: { data: ListedAccount[]; nextCursor: string | null } = await server.get(`/v1/accounts?limit=${pageSize}${place}`);
    list.push(...page.data);
    cursor = page.nextCursor;
  } while (cursor !== null);
  return list;
}

export function pathOf(accountId: string): string {
  return `/v1/accounts/${encodeURIComponent(accountId)}`;
}

/** What the snapshot gets wrong, one line each; empty when every count is equal and every sum within 1e-9 of the reference's. */
export function wrongIn(snapshot: Snapshot, log: readonly LogEntry[]): string[] {
  const reference = referenceOf(log);
  return atMost(LINES_SHOWN, [
    ...wrongAccounts(snapshot.list, reference),
    ...wrongOrder(snapshot.list),
    ...snapshot.list.flatMap((row) => wrongRow(row, reference)),
    ...snapshot.answers.flatMap(({ accountId, at, body }) => differences(reference.view(accountId, at), body)),
  ]);
}

function atMost(count: number, lines: readonly string[]): string[] {
  return lines.length <= count ? [...lines] : [...lines.slice(0, count), `and ${lines.length - count} more`];
}

/** Every account that the log names is listed once, and no other. */
function wrongAccounts(list: readonly ListedAccount[], reference: Reference): string[] {
  const listed = list.map(({ accountId }) => accountId).toSorted();
  const expected = [...reference.accountIds].toSorted();
  return JSON.stringify(listed) === JSON.stringify(expected)
    ? []
    : [`expected the accounts ${show(expected)}, listed were ${show(listed)}`];
}

function wrongOrder(list: readonly ListedAccount[]): string[] {
  const scores = list.map(({ score }) => score);
  return scores.every((score, index) => index === 0 || score <= scores[index - 1]!) ? [] : [`the list is not in order: ${show(scores)}`];
}

/** The list says less than the answer about one account, but nothing else. */
function wrongRow(row: ListedAccount, reference: Reference): string[] {
  const view = reference.view(row.accountId, Date.parse(row.asOf));
  if (view === null) return [`${row.accountId} is listed, but the log does not name it`];
  const { windows, reach } = view;
  const found = differences(view, { ...row, windows, reach }).map((line) => `in the list, ${line}`);
  for (const name of ['contacts', 'knownContacts'] as const) {
    if (row[name] !== reach[name]) found.push(`in the list, ${row.accountId}: ${name}: expected ${reach[name]}, served ${row[name]}`);
  }
  return found;
}

function show(value: unknown): string {
  return JSON.stringify(value);
}
