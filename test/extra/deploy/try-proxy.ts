import { deepStrictEqual, match, strictEqual } from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort, guardChild } from '@touchstone/testkit';
import { readText } from '../../deploy/compose-file.ts';

const STARTS_WITHIN_MS = 10_000;
const LARGE = 16 * 1024 * 1024;

/**
 * Runs nginx with the configuration of compose, in which only addresses and directories are replaced, before servers that answer with what
 * reached them.
 * @throws Error at the first thing that does not come through as it was sent
 */
export async function tryProxy(nginx: string, directory: string): Promise<void> {
  const services = { ingest: await startEcho('ingest'), query: await startEcho('query'), notifier: await startEcho('notifier') };
  const port = await freePort();
  const file = join(directory, 'nginx.conf');
  const configuration = readText('deploy/proxy/nginx.conf')
    .replaceAll('/tmp/', `${join(directory, 'tmp')}/`)
    .replace('listen 8080;', `listen 127.0.0.1:${port};`)
    .replace('query:8081', `127.0.0.1:${portOf(services.query)}`)
    .replace('ingest:8080', `127.0.0.1:${portOf(services.ingest)}`)
    .replace('notifier:8083', `127.0.0.1:${portOf(services.notifier)}`);
  writeFileSync(file, configuration);
  const child = spawn(nginx, ['-c', file, '-e', 'stderr', '-g', 'daemon off;'], { stdio: ['ignore', 'inherit', 'inherit'] });
  guardChild(child);
  const url = `http://127.0.0.1:${port}`;
  try {
    await answers(url);
    await passesOn(url);
    await streams(url);
    services.query.closeAllConnections();
    services.query.close();
    await saysWhoIsAway(url);
    console.log('the proxy passes on what it should');
  } finally {
    const ended = once(child, 'exit');
    child.kill('SIGTERM');
    await ended;
    for (const server of Object.values(services)) {
      server.closeAllConnections();
      server.close();
    }
  }
}

/** Answers with who it is and what came; at /v1/stream it sends one event and keeps the answer open. */
async function startEcho(name: string): Promise<Server> {
  const server = createServer((request, response) => {
    if (request.url === '/v1/stream') {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write('data: first\n\n');
      return;
    }
    void text(request).then((body) => {
      const { method, url, headers } = request;
      response.end(JSON.stringify({ name, method, url, host: headers.host, authorization: headers.authorization, bytes: body.length }));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

const portOf = (server: Server): number => (server.address() as AddressInfo).port;

async function answers(url: string): Promise<void> {
  const deadline = Date.now() + STARTS_WITHIN_MS;
  while (!(await fetch(url).catch(() => null))?.ok) {
    if (Date.now() > deadline) throw new Error('the proxy does not answer');
    await sleep(50);
  }
}

async function passesOn(url: string): Promise<void> {
  const cases: readonly (readonly [method: string, path: string, service: string])[] = [
    ['POST', '/v1/touches', 'ingest'],
    ['OPTIONS', '/v1/touches', 'ingest'],
    ['POST', '/v1/subscriptions?x=1', 'ingest'],
    ['POST', '/v1/models', 'ingest'],
    ['POST', '/v1/dead-letters/replay', 'ingest'],
    ['GET', '/v1/models/current', 'query'],
    ['GET', '/v1/dead-letters', 'query'],
    ['GET', '/v1/accounts?limit=2&sort=-points', 'query'],
    ['POST', '/v1/keys', 'query'],
    ['PATCH', '/v1/endpoints/ep_1', 'notifier'],
    ['GET', '/v1/endpoints?x=1', 'notifier'],
    ['POST', '/v1/alerts/alr_1/resend', 'notifier'],
    ['GET', '/v1/alerts', 'query'],
    // What an id may hold reaches the service as it was sent.
    ['GET', '/v1/accounts/a%2Fb%20c%3F%2e%2e%2F', 'query'],
    ['DELETE', '/v1/keys/k', 'query'],
  ];
  for (const [method, path, service] of cases) {
    const answer = await fetch(url + path, { method, headers: { authorization: 'Bearer sk_x' } });
    const { name, ...request } = (await answer.json()) as { name: string; method: string; url: string };
    deepStrictEqual(
      { name, ...request },
      { name: service, method, url: path, host: url.replace('http://', ''), authorization: 'Bearer sk_x', bytes: 0 },
    );
  }
  const large = await fetch(`${url}/v1/touches`, { method: 'POST', body: 'x'.repeat(LARGE) });
  strictEqual(((await large.json()) as { bytes: number }).bytes, LARGE);
}

/** The first event comes while the answer goes on. */
async function streams(url: string): Promise<void> {
  const answer = await fetch(`${url}/v1/stream`, { signal: AbortSignal.timeout(5_000) });
  const reader = answer.body!.getReader();
  const { value } = (await reader.read()) as { value: Uint8Array };
  match(new TextDecoder().decode(value), /^data: first/);
  await reader.cancel();
}

async function saysWhoIsAway(url: string): Promise<void> {
  const answer = await fetch(`${url}/v1/accounts`);
  strictEqual(answer.status, 503);
  strictEqual(answer.headers.get('content-type'), 'application/problem+json');
  strictEqual(answer.headers.get('retry-after'), '2');
  strictEqual(((await answer.json()) as { code: string }).code, 'unavailable');
  strictEqual((await fetch(`${url}/v1/touches`, { method: 'POST' })).status, 200);
}
