import { defineConfig } from 'vitest/config';
import { hasClickHouseServer } from './packages/testkit/src/start-click-house-server.ts';

const needsClickHouse = '**/click-house-server.broker.test.ts';
if (!hasClickHouseServer()) process.stderr.write(`Left out: ${needsClickHouse}, because there is no CLICKHOUSE_URL and no Docker.\n`);

/**
 * What needs a real Kafka broker: KAFKA_BROKERS, Docker, or Java with Maven. `packages/testkit/src/kafka/shared-broker.ts` says how to write
 * such a test. `vitest run --config vitest.broker.config.ts` runs all, a path after it some.
 */
export default defineConfig({
  test: {
    include: ['packages/*/src/**/*.broker.test.ts', 'services/*/src/**/*.broker.test.ts', 'test/**/*.broker.test.ts'],
    exclude: ['**/node_modules/**', ...(hasClickHouseServer() ? [] : [needsClickHouse])],
    globalSetup: ['packages/testkit/src/kafka/share-broker.setup.ts'],
    pool: 'forks',
    // They share one broker and the machine; two at once would take each other's time.
    fileParallelism: false,
    // What a test waits for comes in milliseconds or never: only how busy the machine is decides the rest.
    expect: { poll: { timeout: 20_000, interval: 10 } },
    testTimeout: 5 * 60_000,
    hookTimeout: 2 * 60_000,
    passWithNoTests: true,
  },
});
