import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';

export interface ClickHouseServer {
  readonly url: string;
  readonly username: string;
  readonly password: string;
  stop(): Promise<void>;
}

/** As docker-compose.yml has it. */
const IMAGE = 'clickhouse/clickhouse-server:26.8.10.6';
const HTTP_PORT = 8123;

/** Whether there is one to be had; where there is none, the HTTP front to chDB stands in for it in every run. */
export function hasClickHouseServer(): boolean {
  const { CLICKHOUSE_URL: url = '', DOCKER_HOST } = process.env;
  return url !== '' || DOCKER_HOST !== undefined || existsSync('/var/run/docker.sock');
}

/** A ClickHouse server for tests: that of CLICKHOUSE_URL, with CLICKHOUSE_USER and CLICKHOUSE_PASSWORD, else one in a container. */
export async function startClickHouseServer(): Promise<ClickHouseServer> {
  const { CLICKHOUSE_URL: url = '', CLICKHOUSE_USER = 'default', CLICKHOUSE_PASSWORD = '' } = process.env;
  if (url !== '') return { url, username: CLICKHOUSE_USER, password: CLICKHOUSE_PASSWORD, stop: () => Promise.resolve() };
  return startContainer();
}

async function startContainer(): Promise<ClickHouseServer> {
  // Only here: it is slow to load, and most runs have no use for it.
  const { GenericContainer, Wait } = await import('testcontainers');
  const username = 'touchstone';
  const password = randomUUID();
  const container = await new GenericContainer(IMAGE)
    .withEnvironment({ CLICKHOUSE_USER: username, CLICKHOUSE_PASSWORD: password, CLICKHOUSE_DEFAULT_ACCESS_MANAGEMENT: '1' })
    .withExposedPorts(HTTP_PORT)
    .withUlimits({ nofile: { soft: 262_144, hard: 262_144 } })
    .withWaitStrategy(Wait.forHttp('/ping', HTTP_PORT).withStartupTimeout(120_000))
    .start();
  return {
    url: `http://${container.getHost()}:${container.getMappedPort(HTTP_PORT)}`,
    username,
    password,
    async stop() {
      await container.stop();
    },
  };
}
