import { expect, it } from 'vitest';
import { z } from 'zod';
import { storeOptionsOf, storeSettings } from './store-settings.ts';

const schema = z.object(storeSettings);

it('gives a server with nothing special', () => {
  expect(storeOptionsOf(schema.parse({ CLICKHOUSE_URL: 'http://db:8123' }))).toEqual({
    kind: 'server',
    url: 'http://db:8123',
    username: 'default',
    password: '',
    database: 'default',
    requestTimeoutMs: 30_000,
    caFile: undefined,
    compression: 'none',
    cluster: undefined,
  });
});

it('passes on how the server is reached and where its tables are', () => {
  const settings = {
    CLICKHOUSE_URL: 'https://db:8443',
    CLICKHOUSE_CA_FILE: '/ca.pem',
    CLICKHOUSE_COMPRESSION: 'zstd',
    CLICKHOUSE_CLUSTER: 'main',
  };
  expect(storeOptionsOf(schema.parse(settings))).toMatchObject({
    url: 'https://db:8443',
    caFile: '/ca.pem',
    compression: 'zstd',
    cluster: 'main',
  });
});

it.each([
  ['no URL', {}, 'processes share one server'],
  ['the URL of something else', { CLICKHOUSE_URL: 'tcp://db:9000' }, 'must be a URL'],
  ['a database that is no name', { CLICKHOUSE_DATABASE: 'a b' }, 'letters, digits and underscores'],
  ['a compression nobody knows', { CLICKHOUSE_COMPRESSION: 'rar' }, 'none'],
  ['a cluster that is no name', { CLICKHOUSE_CLUSTER: "x' y" }, 'must be the name of a cluster'],
])('says what is wrong with %s', (what, changes, message) => {
  const given = what === 'no URL' ? {} : { CLICKHOUSE_URL: 'http://db:8123', ...changes };
  expect(schema.safeParse(given).error?.issues[0]?.message).toContain(message);
});
