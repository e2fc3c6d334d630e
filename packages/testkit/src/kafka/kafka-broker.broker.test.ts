import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { isBrokerReady } from './is-broker-ready.ts';
import { sharedBroker } from './shared-broker.ts';
import { startOwnBroker } from './start-kafka-broker.ts';

const { brokers, missing } = sharedBroker();

function isReady(address: string): Promise<boolean> {
  const [host, port] = address.split(':');
  return isBrokerReady(host!, Number(port));
}

describe.skipIf(missing !== null)('brokers for tests', () => {
  it('shares one that answers', async () => {
    expect(await isReady(brokers.split(',')[0]!)).toBe(true);
  });

  it('starts one of its own that comes back at the same place after a stop and a kill, and leaves nothing behind', async () => {
    const broker = (await startOwnBroker())!;
    try {
      const first = broker.brokers;
      for (const end of [broker.stop, broker.kill]) {
        expect(await isReady(first)).toBe(true);
        await end();
        expect(await isReady(first)).toBe(false);
        await broker.start();
      }
      expect(broker.brokers).toBe(first);
      expect(await isReady(first)).toBe(true);
    } finally {
      await broker.close();
    }
    expect(await isReady(broker.brokers)).toBe(false);
    if (broker.dataDirectory !== null) expect(existsSync(broker.dataDirectory)).toBe(false);
  });
});
