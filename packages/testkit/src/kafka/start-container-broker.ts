import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../free-port.ts';
import { brokerProperties, TEST_PROPERTIES } from './broker-properties.ts';
import { isBrokerReady } from './is-broker-ready.ts';
import type { BrokerOptions, OwnBroker } from './kafka-broker.ts';

const IMAGE = 'apache/kafka:4.1.0';
const CONTROLLER_PORT = 9093;
const READY_WITHIN_MS = 60_000;

/** Kafka in a container. Ports outside are the ones inside, so that what the broker advertises holds on both sides and over restarts. */
export async function startContainerBroker(options: BrokerOptions = {}): Promise<OwnBroker> {
  // Only here: it is slow to load, and most runs have no use for it.
  const { GenericContainer, getContainerRuntimeClient } = await import('testcontainers');
  const { container: docker, info } = await getContainerRuntimeClient();
  const { host } = info.containerRuntime;
  const port = await freePort();
  const { advertisedPort } = options;
  const proxied = advertisedPort === undefined ? null : { port: await freePort(), advertisedPort };
  const settings = {
    ...brokerProperties({ client: port, controller: CONTROLLER_PORT, proxied }, '0.0.0.0', host),
    ...TEST_PROPERTIES,
    ...options.properties,
  };
  const ports = [port, ...(proxied === null ? [] : [proxied.port])];
  const container = await new GenericContainer(IMAGE)
    .withEnvironment(Object.fromEntries(Object.entries(settings).map(([name, value]) => [variableOf(name), value])))
    .withExposedPorts(...ports.map((each) => ({ container: each, host: each })))
    .start();
  const handle = docker.getById(container.getId());

  async function becomesReady(): Promise<void> {
    const deadline = Date.now() + READY_WITHIN_MS;
    while (!(await isBrokerReady(host, port))) {
      if (Date.now() > deadline) throw new Error(`the broker in the container is not ready after ${READY_WITHIN_MS} ms`);
      await sleep(100);
    }
  }

  let closed = false;
  async function close(): Promise<void> {
    if (closed) return;
    closed = true;
    await handle.remove({ force: true, v: true });
  }

  try {
    await becomesReady();
  } catch (error) {
    await close();
    throw error;
  }
  return {
    kind: 'container',
    controllable: true,
    brokers: `${host}:${port}`,
    behindProxy: proxied === null ? null : { host, port: proxied.port },
    pid: null,
    dataDirectory: null,
    async stop() {
      await handle.stop();
    },
    async kill() {
      await handle.kill({ signal: 'SIGKILL' });
      await handle.wait();
    },
    async start() {
      await handle.start();
      await becomesReady();
    },
    close,
  };
}

/** How the image names settings: `log.dirs` is KAFKA_LOG_DIRS. */
function variableOf(setting: string): string {
  return `KAFKA_${setting.toUpperCase().replaceAll('.', '_')}`;
}
