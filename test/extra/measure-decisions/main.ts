import { mkdtempSync, rmSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { openStream } from '../../api/open-stream.ts';
import { KEY, startServer } from '../../support/start-server.ts';

/** Prints how many decisions a second one process answers, and how long after its touch an account's decision is another one, under load. */

const ACCOUNTS = 2000;
const TOUCHES_A_SECOND = 2000;
const BATCH = 100;
const CROSSINGS = 150;
const DECIDING_MS = 8000;
const LANES = 16;

const agent = new Agent({ keepAlive: true, maxSockets: 128 });
const data = mkdtempSync(join(tmpdir(), 'touchstone-decisions-'));
const server = await startServer({ data });
const { hostname, port } = new URL(server.url);

function post(path: string, body: object): Promise<string> {
  const text = JSON.stringify(body);
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${KEY}`, 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) };
    const sent = request({ agent, hostname, port, path, method: 'POST', headers }, (response) => {
      let answer = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (answer += chunk));
      response.on('end', () =>
        response.statusCode! < 300 ? resolve(answer) : reject(new Error(`${path}: ${response.statusCode} ${answer}`)),
      );
    });
    sent.on('error', reject).end(text);
  });
}
const ask = async (accountId: string): Promise<{ value?: string }> =>
  JSON.parse(await post('/ofrep/v1/evaluate/flags/hero', { context: { targetingKey: accountId } })) as { value?: string };
const meet = (accountId: string): object[] =>
  Array.from({ length: 8 }, (_, index) => ({ accountId, contactId: `c${index}`, kind: 'meeting', minutes: 60 }));

function percentiles(name: string, ms: readonly number[]): string {
  const sorted = ms.toSorted((a, b) => a - b);
  const at = (share: number): string => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]!.toFixed(1);
  return `${name}: p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, max ${at(1)} ms (${sorted.length})`;
}

function impressions(from: number): object[] {
  return Array.from({ length: BATCH }, (_, index) => {
    const accountId = `load-${(from + index) % ACCOUNTS}`;
    const shown = { campaignId: 'spring', creativeId: index % 2 === 0 ? 'plain' : 'bold' };
    return { accountId, contactId: `${accountId}-${index % 5}`, kind: 'ad_impression', ...shown };
  });
}

async function load(until: () => boolean): Promise<number> {
  const began = performance.now();
  let sent = 0;
  const open = new Set<Promise<unknown>>();
  while (!until()) {
    const due = Math.floor(((performance.now() - began) / 1000) * TOUCHES_A_SECOND) - sent;
    for (let left = due; left >= BATCH; left -= BATCH) {
      const touches = impressions(sent);
      sent += BATCH;
      const one: Promise<unknown> = post('/v1/touches', touches).finally(() => open.delete(one));
      open.add(one);
    }
    await sleep(10);
  }
  await Promise.all(open);
  return sent / ((performance.now() - began) / 1000);
}

try {
  const arms = [
    { creativeId: 'plain', weight: 0.1 },
    { creativeId: 'bold', weight: 999.9 },
  ];
  await post('/v1/experiments', { id: 'hero', campaignId: 'spring', arms, targeting: { bands: ['hot'] } });
  await post('/v1/experiments/hero/start', {});
  for (let at = 0; at < ACCOUNTS; at += 500) {
    await post(
      '/v1/touches',
      Array.from({ length: 500 }, (_, index) => ({ accountId: `load-${at + index}`, kind: 'web_visit' })),
    );
  }
  const watched = Array.from({ length: CROSSINGS }, (_, index) => `crossing-${index}`);
  await post(
    '/v1/touches',
    watched.map((accountId) => ({ accountId, kind: 'web_visit' })),
  );
  await sleep(1000);

  const took: number[] = [];
  const ends = performance.now() + DECIDING_MS;
  const lane = async (number: number): Promise<void> => {
    for (let count = number; performance.now() < ends; count += LANES) {
      const began = performance.now();
      await ask(`load-${count % ACCOUNTS}`);
      took.push(performance.now() - began);
    }
  };
  await Promise.all(Array.from({ length: LANES }, (_, number) => lane(number)));
  console.log(`decisions: ${Math.round(took.length / (DECIDING_MS / 1000))}/s over HTTP, one server process, ${LANES} connections`);
  console.log(percentiles('a decision', took));

  let isOver = false;
  const loading = load(() => isOver);
  const [told, answered]: [number[], number[]] = [[], []];
  for (const accountId of watched) {
    const bulk = JSON.parse(await post('/ofrep/v1/evaluate/flags', { context: { targetingKey: accountId } })) as {
      eventStreams: { endpoint: { requestUri: string } }[];
    };
    const stream = await openStream(server.url + bulk.eventStreams[0]!.endpoint.requestUri, {});
    await stream.take(1);
    const began = performance.now();
    const isTold = stream.take(1).then(() => told.push(performance.now() - began));
    const posted = post('/v1/touches', meet(accountId));
    while ((await ask(accountId)).value !== 'bold') await sleep(1);
    answered.push(performance.now() - began);
    await Promise.all([isTold, posted]);
    stream.close();
    await sleep(50);
  }
  isOver = true;
  console.log(`under ${Math.round(await loading)} touches/s:`);
  console.log(percentiles('touch sent to changed answer', answered));
  console.log(percentiles('touch sent to refetchEvaluation', told));
} finally {
  await server.kill();
  rmSync(data, { recursive: true });
  agent.destroy();
}
