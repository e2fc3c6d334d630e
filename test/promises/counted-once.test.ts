import { freePort } from '@touchstone/testkit';
import { expect, test } from 'vitest';
import { createRandom } from '../support/random.ts';
import { readEvents } from '../support/read-events.ts';
import { pathOf, takeSnapshot, wrongIn, type ServedAccount } from '../support/served-accounts.ts';
import { settle } from '../support/settle.ts';
import type { Server } from '../support/start-server.ts';
import { testServers } from '../support/test-servers.ts';

const servers = testServers();
const ACCOUNTS = 12;
const TOUCHES = 1500;
const SENDERS = 5;

/** All senders send all touches, in an order and in batches of their own; one of them has other fields under the same ids. */
test('a touch counts once, whoever else sends its id: at once, after a stop, after kill -9', { timeout: 120_000 }, async () => {
  const data = servers.directory();
  const port = await freePort();
  const now = Date.now();
  const ids = Array.from({ length: TOUCHES }, (_, i) => i);
  const touchOf = (i: number, sender: number) => ({
    id: `touch-${i}`,
    accountId: `account-${i % ACCOUNTS}`,
    contactId: `contact-${i % 5}`,
    kind: sender === 0 ? 'meeting' : 'web_visit',
    minutes: sender,
    occurredAt: now - i * 60_000,
  });

  async function sendAll(server: Server, sender: number): Promise<void> {
    const random = createRandom(sender);
    const order = random.shuffle(ids);
    while (order.length > 0) {
      const batch = order.splice(0, random.whole(1, 120)).map((i) => touchOf(i, sender));
      // The same id within one request is no other case.
      await server.post('/v1/touches', [...batch, ...batch.slice(0, 2)]);
    }
  }

  const senders = Array.from({ length: SENDERS }, (_, sender) => sender);
  let server = await servers.start({ data, port });
  await Promise.all(senders.map((sender) => sendAll(server, sender)));
  expect(await server.stop()).toBe(0);
  server = await servers.start({ data, port });
  await Promise.all(senders.map((sender) => sendAll(server, sender)));
  await server.kill();
  server = await servers.start({ data, port });
  await Promise.all(senders.map((sender) => sendAll(server, sender)));
  await settle(server);

  for (let account = 0; account < ACCOUNTS; account++) {
    const { windows } = await server.get<ServedAccount>(pathOf(`account-${account}`));
    expect(windows['90d']!.touches).toBe(TOUCHES / ACCOUNTS);
  }
  const snapshot = await takeSnapshot(server, 500);
  await server.kill();
  expect(wrongIn(snapshot, await readEvents(data))).toEqual([]);
});
