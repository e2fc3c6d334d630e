import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openTemporaryServer, type TemporaryServer } from './temporary-server.ts';

/** Endpoints on a whole system in a process of its own, with a receiver on this machine, which only the settings let it reach. */
describe('endpoints of alerts', () => {
  let receiver: Server;
  let port: number;
  let running: TemporaryServer;
  let redirectTo: string | null = null;
  const received: { readonly headers: IncomingHttpHeaders; readonly body: string }[] = [];

  beforeAll(async () => {
    receiver = createServer((request, response) => {
      void text(request).then((body) => {
        received.push({ headers: request.headers, body });
        if (redirectTo === null) response.writeHead(204).end();
        else response.writeHead(307, { location: redirectTo }).end();
      });
    });
    receiver.listen(0, '127.0.0.1');
    await once(receiver, 'listening');
    ({ port } = receiver.address() as AddressInfo);
    running = await openTemporaryServer({
      NOTIFY_ALLOW_PRIVATE: '127.0.0.0/8',
      NOTIFY_ALLOW_HTTP: 'true',
      NOTIFY_PORTS: `443,${port}`,
      PUBLIC_URL: 'https://touchstone.example/',
    });
  });
  afterAll(async () => {
    await running?.close();
    receiver.closeAllConnections();
    receiver.close();
  });

  async function call(method: string, path: string, body?: unknown): Promise<{ status: number; answer: unknown }> {
    const response = await running.server.fetch(path, {
      method,
      ...(body !== undefined && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    });
    return { status: response.status, answer: response.status === 204 ? null : await response.json() };
  }

  it('are kept, tested with a signed message, and never show their secret again', async () => {
    const made = await call('POST', '/v1/endpoints', { name: 'CRM', url: `http://127.0.0.1:${port}/hook` });
    expect(made.status).toBe(201);
    const { id, secret } = made.answer as { id: string; secret: string };
    const tested = await call('POST', `/v1/endpoints/${id}/test`);
    expect(tested).toMatchObject({ status: 200, answer: { outcome: 'delivered', status: 204 } });
    const { body, headers } = received.at(-1)!;
    const key = Buffer.from(secret.replace('whsec_', ''), 'base64');
    const signed = `${String(headers['webhook-id'])}.${String(headers['webhook-timestamp'])}.${body}`;
    expect(headers['webhook-signature']).toBe(`v1,${createHmac('sha256', key).update(signed).digest('base64')}`);
    expect(JSON.parse(body)).toMatchObject({
      data: { explainUrl: expect.stringMatching(/^https:\/\/touchstone\.example\/v1\/accounts\//) },
    });

    redirectTo = `http://127.0.0.1:${port}/elsewhere`;
    const before = received.length;
    expect((await call('POST', `/v1/endpoints/${id}/test`)).answer).toMatchObject({ outcome: 'failed', status: 307 });
    expect(received).toHaveLength(before + 1);
    redirectTo = null;

    await running.restart();
    const { answer } = await call('GET', '/v1/endpoints');
    expect(answer).toMatchObject({ data: [{ id, secrets: 1, state: 'active' }] });
    const log = await call('GET', `/v1/endpoints/${id}/deliveries`);
    expect(log.answer).toMatchObject({
      data: [
        { kind: 'test', state: 'failed' },
        { kind: 'test', state: 'delivered' },
      ],
    });
    expect(JSON.stringify([answer, log, running.server.output()])).not.toContain(secret.replace('whsec_', ''));
    expect(await call('DELETE', `/v1/endpoints/${id}`)).toMatchObject({ status: 204 });
    expect((await call('GET', '/v1/endpoints')).answer).toEqual({ data: [] });
  });

  it('are refused where the settings do not let them go', async () => {
    for (const url of [`http://10.0.0.1:${port}/`, 'https://127.0.0.1:1/', 'https://[::1]/', 'http://169.254.169.254/latest/']) {
      expect((await call('POST', '/v1/endpoints', { name: 'x', url })).status, url).toBe(400);
    }
  });
});
