import { execFile, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { freePort } from '../free-port.ts';
import { guardChild, guardDirectory } from '../guard.ts';
import { brokerProperties, formatProperties, TEST_PROPERTIES } from './broker-properties.ts';
import { fetchJars } from './fetch-jars.ts';
import { isBrokerReady } from './is-broker-ready.ts';
import type { BrokerOptions, OwnBroker } from './kafka-broker.ts';

const HOST = '127.0.0.1';
const READY_WITHIN_MS = 60_000;
const OUTPUT_KEPT = 20_000;
/** Compiling well costs more than a broker that lives for minutes gets back, and one collector thread is enough for its heap. */
const JVM = ['-Xmx512m', '-Xss512k', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-Xshare:auto'];
const LOGGING = ['-Dorg.slf4j.simpleLogger.defaultLogLevel=warn'];
const run = promisify(execFile);

/** Kafka in a Java process of its own, in KRaft mode, on free ports of 127.0.0.1 and in a directory of its own. */
export async function startJavaBroker(options: BrokerOptions = {}): Promise<OwnBroker> {
  const jars = await fetchJars();
  const directory = mkdtempSync(join(tmpdir(), 'touchstone-kafka-'));
  const forgetDirectory = guardDirectory(directory);
  const dataDirectory = join(directory, 'data');
  const port = await freePort();
  const { advertisedPort } = options;
  const proxied = advertisedPort === undefined ? null : { port: await freePort(), advertisedPort };
  const settings = {
    ...brokerProperties({ client: port, controller: await freePort(), proxied }, HOST, HOST),
    ...TEST_PROPERTIES,
    ...options.properties,
    'log.dirs': dataDirectory,
  };
  const file = join(directory, 'server.properties');
  writeFileSync(file, formatProperties(settings));
  const java = ['-cp', join(jars, '*'), ...LOGGING, ...JVM];
  const clusterId = randomBytes(16).toString('base64url');
  // One argument: an id may begin with a dash.
  await run('java', [...java, 'kafka.tools.StorageTool', 'format', `--cluster-id=${clusterId}`, '--config', file]);

  let child: ChildProcess | null = null;
  let output = '';

  async function start(): Promise<void> {
    if (child !== null) return;
    const started = spawn('java', [...java, 'kafka.Kafka', file], { stdio: ['ignore', 'pipe', 'pipe'] });
    child = started;
    guardChild(started);
    output = '';
    const keep = (text: string): void => void (output = (output + text).slice(-OUTPUT_KEPT));
    for (const stream of [started.stdout, started.stderr]) stream.setEncoding('utf8').on('data', keep);
    started.once('exit', () => {
      if (child === started) child = null;
    });
    const deadline = Date.now() + READY_WITHIN_MS;
    while (!(await isBrokerReady(HOST, port))) {
      if (child !== started) throw new Error(`the broker ended before it was ready:\n${output}`);
      if (Date.now() > deadline) throw new Error(`the broker is not ready after ${READY_WITHIN_MS} ms:\n${output}`);
      await sleep(50);
    }
  }

  async function end(signal: NodeJS.Signals): Promise<void> {
    const ending = child;
    if (ending === null) return;
    const ended = once(ending, 'exit');
    ending.kill(signal);
    await ended;
  }

  async function close(): Promise<void> {
    await end('SIGKILL');
    rmSync(directory, { recursive: true, force: true });
    forgetDirectory();
  }

  try {
    await start();
  } catch (error) {
    await close();
    throw error;
  }
  return {
    kind: 'java',
    controllable: true,
    brokers: `${HOST}:${port}`,
    behindProxy: proxied === null ? null : { host: HOST, port: proxied.port },
    get pid() {
      return child?.pid ?? null;
    },
    dataDirectory,
    stop: () => end('SIGTERM'),
    kill: () => end('SIGKILL'),
    start,
    close,
  };
}
