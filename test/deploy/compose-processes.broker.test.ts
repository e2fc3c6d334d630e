import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  freePort,
  guardChild,
  guardDirectory,
  sharedBroker,
  startChdbHttpFront,
  startOwnBroker,
  type ChdbHttpFront,
  type OwnBroker,
} from '@touchstone/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readCompose, readText, ROOT, SECRETS } from './compose-file.ts';
import { proxyRoute } from './proxy-route.ts';

/**
 * docker-compose.yml without Docker: its services as processes, by exactly the commands, variables and health checks of the file. Only
 * addresses, ports and directories differ, and ClickHouse is chDB behind HTTP.
 */

const HEALTHY_WITHIN_MS = 60_000;
const OURS = ['ingest', 'aggregator', 'query', 'notifier'] as const;
const compose = readCompose(SECRETS);
const { missing } = sharedBroker();

interface Running {
  readonly service: string;
  readonly url: string;
  readonly child: ChildProcess;
  readonly environment: Readonly<Record<string, string>>;
  readonly output: () => string;
}

describe.skipIf(missing !== null)('the services of docker-compose.yml', () => {
  const directory = mkdtempSync(join(tmpdir(), 'touchstone-compose-'));
  const forget = guardDirectory(directory);
  const running: Running[] = [];
  let broker: OwnBroker;
  let store: ChdbHttpFront;

  beforeAll(async () => {
    const started = await startOwnBroker({ properties: brokerSettings() });
    if (started === null) throw new Error('there is a broker for other tests, but none of our own can be started');
    broker = started;
    const environment = environmentOf('aggregator');
    store = await startChdbHttpFront({
      directory: join(directory, 'store'),
      username: environment['CLICKHOUSE_USER']!,
      password: environment['CLICKHOUSE_PASSWORD']!,
    });
    for (const service of OURS) {
      for (let replica = 0; replica < (compose.services[service]!.deploy?.replicas ?? 1); replica++) {
        running.push(await startService(service));
      }
    }
  });

  afterAll(async () => {
    await Promise.all(running.map(({ child }) => end(child, 'SIGKILL')));
    await store?.kill();
    await broker?.close();
    rmSync(directory, { recursive: true, force: true });
    forget();
  });

  function environmentOf(service: string): Readonly<Record<string, string>> {
    return compose.services[service]!.environment ?? {};
  }

  /** With nothing from this process' environment but the path to Node: what the file does not set is not set. */
  async function startService(service: string): Promise<Running> {
    const port = await freePort();
    const environment: Record<string, string> = {
      PATH: `${dirname(process.execPath)}${delimiter}${process.env['PATH'] ?? ''}`,
      ...environmentOf(service),
      HOST: '127.0.0.1',
      PORT: String(port),
      KAFKA_BROKERS: broker.brokers,
      CLICKHOUSE_URL: store.url,
    };
    const [program, ...args] = compose.services[service]!.command!;
    const child = spawn(program!, args, { cwd: ROOT, env: environment, stdio: ['ignore', 'pipe', 'pipe'] });
    guardChild(child);
    const written: string[] = [];
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => written.push(text));
    return { service, url: `http://127.0.0.1:${port}`, child, environment, output: () => written.join('') };
  }

  /** Runs the check as Docker would, with the variables of the service. */
  async function isHealthy({ service, environment }: Running): Promise<boolean> {
    const [kind, program, ...args] = compose.services[service]!.healthcheck!.test;
    expect(kind).toBe('CMD');
    const check = spawn(program!, args, { cwd: ROOT, env: environment, stdio: 'ignore' });
    const [code] = (await once(check, 'exit')) as [number | null];
    return code === 0;
  }

  async function becomesHealthy(one: Running): Promise<void> {
    const deadline = Date.now() + HEALTHY_WITHIN_MS;
    while (!(await isHealthy(one))) {
      const { child, service, output } = one;
      if (child.exitCode !== null || child.signalCode !== null) throw new Error(`${service} ended before it was healthy:\n${output()}`);
      if (Date.now() > deadline) throw new Error(`${service} is not healthy after ${HEALTHY_WITHIN_MS} ms:\n${output()}`);
      await sleep(200);
    }
  }

  function urlOf(service: string): string {
    return running.find((one) => one.service === service)!.url;
  }

  /** As through the proxy: the request goes where its configuration sends it. */
  function send(method: string, path: string, body?: unknown): Promise<Response> {
    return fetch(urlOf(proxyRoute(method, path)) + path, {
      method,
      headers: {
        authorization: `Bearer ${SECRETS.TOUCHSTONE_ADMIN_KEY}`,
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
  }

  it('become healthy by the health checks of the file', async () => {
    expect(running.map(({ service }) => service)).toEqual(['ingest', 'aggregator', 'aggregator', 'query', 'notifier']);
    await Promise.all(running.map(becomesHealthy));
  });

  it('take a touch and serve the account', async () => {
    const touches = [
      { id: 't-1', accountId: 'acme.example', contactId: 'ada', kind: 'meeting', minutes: 30 },
      { id: 't-2', accountId: 'acme.example', contactId: 'bo', kind: 'web_visit', minutes: 4 },
    ];
    const answer = await send('POST', '/v1/touches', touches);
    expect({ status: answer.status, body: await answer.json() }).toEqual({ status: 202, body: { accepted: 2, rejected: [] } });
    const deadline = Date.now() + 30_000;
    for (;;) {
      const account = await send('GET', '/v1/accounts/acme.example');
      const body = (await account.json()) as { points?: number; windows?: Record<string, { touches: number; contacts: number }> };
      if (account.status === 200 && body.windows?.['24h']?.touches === 2) {
        expect(body.windows['24h']).toMatchObject({ touches: 2, contacts: 2 });
        expect(body.points).toBeCloseTo(50, 1);
        break;
      }
      if (Date.now() > deadline) throw new Error(`the account is not served: ${account.status} ${JSON.stringify(body)}`);
      await sleep(50);
    }
  });

  it('are reached through the proxy at every route they document, and the key only opens the right ones', async () => {
    const documented = new Map<string, string[]>();
    for (const service of ['ingest', 'query', 'notifier']) {
      const { paths } = (await (await fetch(`${urlOf(service)}/openapi.json`)).json()) as {
        paths: Record<string, Record<string, unknown>>;
      };
      for (const [path, methods] of Object.entries(paths)) {
        for (const method of Object.keys(methods)) {
          const operation = `${method.toUpperCase()} ${path}`;
          documented.set(operation, [...(documented.get(operation) ?? []), service]);
        }
      }
    }
    const lost = [...documented].filter(([operation, services]) => {
      const [method, path] = operation.split(' ') as [string, string];
      return !services.includes(proxyRoute(method, path.replaceAll(/\{\w+\}/g, 'x')));
    });
    expect(lost).toEqual([]);
    expect(documented.get('POST /v1/touches')).toEqual(['ingest']);
    expect(documented.get('POST /v1/endpoints')).toEqual(['notifier']);
    expect(documented.get('GET /v1/accounts/{accountId}') ?? documented.get('GET /v1/accounts/{id}')).toEqual(['query']);
    expect((await fetch(`${urlOf('query')}/v1/accounts`)).status).toBe(401);
  });

  it('tell Prometheus of every partition, each held once', async () => {
    const aggregators = running.filter(({ service }) => service === 'aggregator');
    const partitions = Number(environmentOf('aggregator')['PARTITIONS']);
    // They may be sharing them out still.
    const deadline = Date.now() + 30_000;
    for (;;) {
      const texts = await Promise.all(aggregators.map(async ({ url }) => (await fetch(`${url}/metrics`)).text()));
      const held = texts.map((text) => Number(/^touchstone_partitions_held (\d+)$/m.exec(text)?.[1]));
      if (held.every((count) => count > 0) && held.reduce((sum, count) => sum + count, 0) === partitions) break;
      if (Date.now() > deadline) throw new Error(`of ${partitions} partitions the aggregators hold ${held.join(' and ')}`);
      await sleep(100);
    }
  });

  it('stop within the time that compose gives them', async () => {
    const codes = await Promise.all(running.map(({ child }) => end(child, 'SIGTERM')));
    expect(codes, running.map(({ service, output }) => `${service}: ${output()}`).join('\n')).toEqual([0, 0, 0, 0, 0]);
  });
});

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
  const ended = once(child, 'exit');
  child.kill(signal);
  await ended;
  return child.exitCode;
}

/** The settings of compose's broker, without the addresses and directories, which are its container's. */
function brokerSettings(): Record<string, string> {
  const settings: Record<string, string> = {};
  for (const line of readText('deploy/kafka/server.properties').split('\n')) {
    const [, name, value] = /^([\w.]+)=(.*)$/.exec(line) ?? [];
    if (name !== undefined && !/listener|voters|^log\.dirs$|^process\.roles$|^node\.id$/.test(name)) settings[name] = value!;
  }
  return settings;
}
