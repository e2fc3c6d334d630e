import { OpenFeature as Server } from '@openfeature/server-sdk';
import { OpenFeature as Web, ProviderEvents, type Provider } from '@openfeature/web-sdk';
import { OFREPProvider } from '@openfeature/ofrep-provider';
import { OFREPWebProvider } from '@openfeature/ofrep-web-provider';
import { EventSource } from 'eventsource';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { KEY } from '../support/start-server.ts';
import { eventually, openTemporaryServer, type TemporaryServer } from './temporary-server.ts';

/** OpenFeature's own providers, as they come from the registry: what they understand is what we serve. */

let running: TemporaryServer;
beforeAll(async () => {
  running = await openTemporaryServer();
  await post('/v1/experiments', {
    id: 'hero',
    campaignId: 'spring',
    arms: [{ creativeId: 'plain' }, { creativeId: 'bold' }],
    targeting: { bands: ['hot'] },
    holdout: 0,
  });
  await post('/v1/experiments/hero/start', {});
  await visit('acme');
  await visit('globex');
});
afterAll(async () => {
  await Promise.all([Server.close(), Web.close()]);
  await running.close();
});

async function post(path: string, body: object): Promise<void> {
  const response = await running.server.fetch(path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  expect(response.ok, await response.text()).toBe(true);
}
async function visit(accountId: string): Promise<void> {
  await running.server.post('/v1/touches', [{ accountId, kind: 'web_visit' }]);
  await eventually(
    () => running.server.fetch(`/v1/accounts/${accountId}`),
    ({ status }) => status === 200,
  );
}
const meet = (accountId: string): Promise<unknown> =>
  running.server.post(
    '/v1/touches',
    Array.from({ length: 8 }, (_, index) => ({ accountId, contactId: `c${index}`, kind: 'meeting', minutes: 60 })),
  );
const headers = { authorization: `Bearer ${KEY}` };

describe("OpenFeature's provider for servers", () => {
  it('gets decisions with reason, variant and metadata, and others after a crossing', async () => {
    await Server.setProviderAndWait(new OFREPProvider({ baseUrl: running.server.url, headers: Object.entries(headers) }));
    const client = Server.getClient();
    const ask = (targetingKey: string) => client.getStringDetails('hero', 'fallback', { targetingKey });
    expect(await ask('acme')).toMatchObject({
      value: 'plain',
      variant: 'plain',
      reason: 'STATIC',
      flagMetadata: { band: 'cold', experiment: 'hero', cause: 'not_targeted' },
    });
    expect(await ask('unheard-of')).toMatchObject({ value: 'plain', reason: 'UNKNOWN' });
    expect(await client.getStringDetails('none', 'fallback', { targetingKey: 'acme' })).toMatchObject({
      value: 'fallback',
      errorCode: 'FLAG_NOT_FOUND',
    });
    expect(await client.getStringDetails('hero', 'fallback', {})).toMatchObject({ value: 'fallback', errorCode: 'TARGETING_KEY_MISSING' });
    await meet('acme');
    const crossed = await eventually(
      () => ask('acme'),
      ({ reason }) => reason === 'SPLIT',
    );
    expect(crossed.flagMetadata).toMatchObject({ band: 'hot', cause: 'assigned' });
  });
});

describe("OpenFeature's provider for pages", () => {
  it('is told by the stream that its account has crossed a band, and asks again', async () => {
    Object.assign(globalThis, { EventSource });
    await Web.setContext({ targetingKey: 'globex' });
    const provider = new OFREPWebProvider({ baseUrl: running.server.url, changeDetection: 'sse', headers: Object.entries(headers) });
    // Its types are not made for exactOptionalPropertyTypes.
    await Web.setProviderAndWait(provider as unknown as Provider);
    const client = Web.getClient();
    expect(client.getStringDetails('hero', 'fallback')).toMatchObject({ reason: 'STATIC', flagMetadata: { band: 'cold' } });
    const changed = new Promise<void>((resolve) =>
      client.addHandler(ProviderEvents.ConfigurationChanged, () => {
        if (client.getStringDetails('hero', 'fallback').flagMetadata['band'] === 'hot') resolve();
      }),
    );
    await meet('globex');
    await changed;
    expect(client.getStringDetails('hero', 'fallback')).toMatchObject({ reason: 'SPLIT', flagMetadata: { band: 'hot' } });
  });
});
