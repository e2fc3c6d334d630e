import { parseConfig } from '@touchstone/runtime';
import { describe, expect, it } from 'vitest';
import { configSchema, SECRETS } from './config.ts';

describe('the settings of query', () => {
  it('need the log, the store and a first key, and have a default for everything else', () => {
    const environment = { KAFKA_BROKERS: 'one:9092', CLICKHOUSE_URL: 'https://db.example:8443', TOUCHSTONE_ADMIN_KEY: 'sk_admin' };
    expect(parseConfig(configSchema, environment, SECRETS)).toMatchObject({
      ok: true,
      value: { HOST: '127.0.0.1', PORT: 8081, DEDUPE_HORIZON_HOURS: 48, PARTITIONS: 8 },
    });
  });

  it('name all that is missing at once', () => {
    const config = parseConfig(configSchema, { DEDUPE_HORIZON_HOURS: '0' }, SECRETS);
    const names = config.ok ? [] : config.problems.map((problem) => problem.slice(0, problem.indexOf(':')));
    expect(names).toEqual(['TOUCHSTONE_ADMIN_KEY', 'DEDUPE_HORIZON_HOURS', 'KAFKA_BROKERS', 'CLICKHOUSE_URL']);
  });
});
