import { recordsOf } from './answers.ts';
import { isRecord, type ApiClient } from './api-client.ts';

/** The first accounts by score. Pages of the server may be shorter than asked for. */
export async function topAccounts(client: ApiClient, limit: number): Promise<Record<string, unknown>[]> {
  const accounts: Record<string, unknown>[] = [];
  let cursor = '';
  do {
    const page = await client.expect('GET', `/v1/accounts?limit=${Math.min(100, limit - accounts.length)}&sort=-score${cursor}`);
    accounts.push(...recordsOf(page));
    const next = isRecord(page) ? page['nextCursor'] : null;
    cursor = typeof next === 'string' ? `&cursor=${encodeURIComponent(next)}` : '';
  } while (cursor !== '' && accounts.length < limit);
  return accounts.slice(0, limit);
}
