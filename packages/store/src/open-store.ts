import { ChdbTransport } from './chdb-transport.ts';
import { ClickHouseStore } from './click-house-store.ts';
import { ServerTransport } from './server-transport.ts';
import type { ServerOptions } from './server-options.ts';
import type { Store } from './store.ts';

export type StoreOptions = { readonly kind: 'chdb'; readonly directory: string } | ({ readonly kind: 'server' } & ServerOptions);

/**
 * Opens ClickHouse in this process, under a directory that no other process has open, or a server's; `migrate()` comes next. A server is not
 * asked anything yet.
 * @throws StoreError `locked`, or `rejected` when chDB can not open the directory
 */
export async function openStore(options: StoreOptions): Promise<Store> {
  return new ClickHouseStore(options.kind === 'chdb' ? await ChdbTransport.open(options.directory) : new ServerTransport(options));
}
