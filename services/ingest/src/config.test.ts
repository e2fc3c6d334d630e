import { parseConfig, type Environment } from '@touchstone/runtime';
import { describe, expect, it } from 'vitest';
import { configSchema, SECRETS } from './config.ts';

const WHOLE: Environment = {
  KAFKA_BROKERS: 'one:9092, two:9092',
  CLICKHOUSE_URL: 'http://127.0.0.1:8123',
  TOUCHSTONE_ADMIN_KEY: 'sk_admin',
};

const problemsOf = (environment: Environment): readonly string[] => {
  const config = parseConfig(configSchema, environment, SECRETS);
  return config.ok ? [] : config.problems;
};

describe('the settings of ingest', () => {
  it('need the log, the store and a first key, and have a default for everything else', () => {
    expect(parseConfig(configSchema, WHOLE, SECRETS)).toMatchObject({
      ok: true,
      value: {
        HOST: '127.0.0.1',
        PORT: 8080,
        LOG_LEVEL: 'info',
        PARTITIONS: 8,
        KAFKA_BROKERS: ['one:9092', 'two:9092'],
        CLICKHOUSE_DATABASE: 'default',
      },
    });
  });

  it('name all that is missing at once', () => {
    expect(problemsOf({})).toEqual([
      'TOUCHSTONE_ADMIN_KEY: is needed: processes share no first key that one of them could make; TOUCHSTONE_ADMIN_KEY_FILE works too',
      expect.stringMatching(/^KAFKA_BROKERS: /),
      'CLICKHOUSE_URL: is needed: processes share one server',
    ]);
  });

  it.each([
    ['no number as the port', { PORT: '80a' }, 'PORT: must be a whole number from 0 to 65535'],
    ['a port there is none of', { PORT: '65536' }, 'PORT: must be a whole number from 0 to 65535'],
    ['another protocol', { CLICKHOUSE_URL: 'tcp://db:9000' }, 'CLICKHOUSE_URL: must be a URL that begins with http:// or https://'],
    [
      'a database with a strange name',
      { CLICKHOUSE_DATABASE: 'a;b' },
      'CLICKHOUSE_DATABASE: must be 1 to 64 letters, digits and underscores',
    ],
    [
      'a write key as the admin key',
      { TOUCHSTONE_ADMIN_KEY: 'wk_page' },
      'TOUCHSTONE_ADMIN_KEY: begins with wk_, as the public keys of web pages do',
    ],
    ['a broker without a port', { KAFKA_BROKERS: 'one' }, 'KAFKA_BROKERS: must be host:port, several separated by commas'],
    ['a user without a mechanism', { KAFKA_SASL_USERNAME: 'ingest' }, expect.stringContaining('KAFKA_SASL_MECHANISM')],
    [
      'a key file that is not there',
      { TOUCHSTONE_ADMIN_KEY: '', TOUCHSTONE_ADMIN_KEY_FILE: '/nowhere' },
      expect.stringMatching(/^TOUCHSTONE_ADMIN_KEY_FILE: ENOENT/),
    ],
  ])('%s is told', (_description, changes, problem) => {
    expect(problemsOf({ ...WHOLE, ...changes })).toEqual([problem]);
  });
});
