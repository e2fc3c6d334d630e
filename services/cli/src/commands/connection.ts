import { Option, type Command } from 'commander';
import { createApiClient, type ApiClient } from '../api-client.ts';

export interface ConnectionOptions {
  readonly url: string;
  readonly key?: string;
}

/** --url and --key, which every command that talks to a server takes. */
export function withConnection(command: Command): Command {
  return command
    .addOption(new Option('--url <url>', 'where the server is').default('http://127.0.0.1:8080').env('TOUCHSTONE_URL').helpGroup('Server:'))
    .addOption(new Option('--key <key>', 'API key; TOUCHSTONE_ADMIN_KEY will do too').env('TOUCHSTONE_KEY').helpGroup('Server:'));
}

export function connect({ url, key }: ConnectionOptions): ApiClient {
  const given = key ?? process.env['TOUCHSTONE_ADMIN_KEY'];
  return createApiClient({ url, key: given === undefined || given.trim() === '' ? undefined : given.trim() });
}
