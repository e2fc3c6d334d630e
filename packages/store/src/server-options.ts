import { readFileSync } from 'node:fs';
import { CLUSTER_NAME } from './cluster.ts';
import type { Compression, LaneOptions } from './server-lane.ts';
import { StoreError } from './store-error.ts';

export interface ServerOptions {
  readonly url: string;
  readonly username: string;
  readonly password: string;
  readonly database: string;
  /** A statement without a whole answer by then has failed; what it did is not known. */
  readonly requestTimeoutMs: number;
  /** The same for a page of a restore, and for what runs on every server of a cluster. At least 30 s when not given. */
  readonly pageTimeoutMs?: number | undefined;
  /** Path of a PEM file with the authority that signed the server's certificate; default: those that Node trusts. */
  readonly caFile?: string | undefined;
  /** Of rows both ways; default none: it costs more time than it saves between machines that are near. */
  readonly compression?: Compression | undefined;
  /** Name of a cluster as the server's configuration has it: every server of it is to hold every table. */
  readonly cluster?: string | undefined;
}

const PAGE_TIMEOUT_MS = 30_000;

export function pageTimeoutMsOf({ pageTimeoutMs, requestTimeoutMs }: ServerOptions): number {
  return pageTimeoutMs ?? Math.max(PAGE_TIMEOUT_MS, requestTimeoutMs);
}

/** @throws StoreError `rejected` when it is no name: it goes into statements as it is */
export function clusterOf({ cluster }: ServerOptions): string | undefined {
  if (cluster !== undefined && !CLUSTER_NAME.test(cluster)) throw new StoreError('rejected', `${cluster} is no name of a cluster`);
  return cluster;
}

/** @throws StoreError `rejected` when the CA file can not be read */
export function laneOptionsOf(options: ServerOptions, socketsMax: number): LaneOptions {
  const { caFile, compression = 'none', database, password, requestTimeoutMs, url, username } = options;
  const timeoutMs = Math.max(requestTimeoutMs, pageTimeoutMsOf(options));
  return { url, username, password, database, compression, ca: authorityOf(caFile), timeoutMs, socketsMax };
}

function authorityOf(path: string | undefined): Buffer | undefined {
  if (path === undefined) return undefined;
  try {
    return readFileSync(path);
  } catch (cause) {
    throw new StoreError('rejected', `The CA file can not be read: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}
