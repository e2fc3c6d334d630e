import { z } from 'zod';
import { CLUSTER_NAME } from './cluster.ts';
import type { StoreOptions } from './open-store.ts';

/** The longest statements are pages of a replay; a server that takes longer is asked again. */
const REQUEST_TIMEOUT_MS = 30_000;

/** Where the ClickHouse server is, as environment variables. */
export const storeSettings = {
  CLICKHOUSE_URL: z.url({
    protocol: /^https?$/,
    error: ({ input }) =>
      input === undefined ? 'is needed: processes share one server' : 'must be a URL that begins with http:// or https://',
  }),
  /** As a server comes. */
  CLICKHOUSE_USER: z.string().default('default'),
  CLICKHOUSE_PASSWORD: z.string().default(''),
  /** Made at the first start when it is not there. */
  CLICKHOUSE_DATABASE: z
    .string()
    .regex(/^\w{1,64}$/, 'must be 1 to 64 letters, digits and underscores')
    .default('default'),
  /** PEM file with the authority that signed the server's certificate; those that Node knows, when not given. */
  CLICKHOUSE_CA_FILE: z.string().optional(),
  /** Of rows on the wire. It costs more time than it saves between machines that are near. */
  CLICKHOUSE_COMPRESSION: z.enum(['none', 'gzip', 'zstd']).default('none'),
  /** A cluster as the server's configuration names it: tables are replicated over all of it then. Not to be changed once tables are made. */
  CLICKHOUSE_CLUSTER: z.string().regex(CLUSTER_NAME, 'must be the name of a cluster, or a macro such as {cluster}').optional(),
};

/** Settings that a file may hold instead. */
export const STORE_SECRETS = ['CLICKHOUSE_PASSWORD'] as const;

export type StoreSettings = z.output<z.ZodObject<typeof storeSettings>>;

/** What `openStore` needs to reach the server of the settings. */
export function storeOptionsOf(config: StoreSettings): StoreOptions {
  return {
    kind: 'server',
    url: config.CLICKHOUSE_URL,
    username: config.CLICKHOUSE_USER,
    password: config.CLICKHOUSE_PASSWORD,
    database: config.CLICKHOUSE_DATABASE,
    requestTimeoutMs: REQUEST_TIMEOUT_MS,
    caFile: config.CLICKHOUSE_CA_FILE,
    compression: config.CLICKHOUSE_COMPRESSION,
    cluster: config.CLICKHOUSE_CLUSTER,
  };
}
