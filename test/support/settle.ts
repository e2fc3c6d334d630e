import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { partitionOfKey } from '@touchstone/event-log';
import type { Server } from './start-server.ts';
import { TEST_PARTITIONS } from './partitions.ts';

const SETTLED_WITHIN_MS = 60_000;

/** One that takes touches and serves accounts: these may be processes of their own. */
export type SettlingServer = Pick<Server, 'fetch' | 'get'> & { post(path: string, items: readonly unknown[]): Promise<unknown> };

interface CurrentModel {
  readonly version: string;
  readonly rescoringTo: string | null;
}

/**
 * Waits until everything posted before is applied, and the accounts are rescored if a model was among it: a partition is one total order, so
 * a touch of a new account in each shows when all before it is through.
 * @throws Error when that takes too long
 */
export async function settle(server: SettlingServer, partitions = TEST_PARTITIONS): Promise<void> {
  const round = randomUUID();
  const accountIds = oneInEachPartition(`settled-${round}`, partitions);
  await server.post(
    '/v1/touches',
    accountIds.map((accountId) => ({ id: accountId, accountId, kind: 'settled' })),
  );
  const deadline = Date.now() + SETTLED_WITHIN_MS;
  for (const accountId of accountIds) {
    await until(deadline, `${accountId} is applied`, async () => (await server.fetch(`/v1/accounts/${accountId}`)).status === 200);
  }
  await until(deadline, 'the accounts are rescored', async () => {
    const { rescoringTo } = await server.get<CurrentModel>('/v1/models/current');
    return rescoringTo === null;
  });
}

/** Polls until the condition holds. @throws Error after the deadline (epoch ms) */
export async function until(deadline: number, what: string, condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`it took too long until ${what}`);
    await sleep(10);
  }
}

function oneInEachPartition(prefix: string, partitions: number): string[] {
  const found = new Map<number, string>();
  for (let i = 0; found.size < partitions; i++) {
    const accountId = `${prefix}-${i}`;
    const partition = partitionOfKey(Buffer.from(accountId), partitions);
    if (!found.has(partition)) found.set(partition, accountId);
  }
  return [...found.values()];
}
