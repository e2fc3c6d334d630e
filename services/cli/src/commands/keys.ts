import { Command } from 'commander';
import { isRecord } from '../api-client.ts';
import { CliError, EXIT } from '../cli-error.ts';
import { formatTable } from '../terminal/table.ts';
import { textOf, timeOf, recordsOf } from '../answers.ts';
import { connect, withConnection, type ConnectionOptions } from './connection.ts';
import { collect } from './option-values.ts';

const SCOPES = ['ingest', 'read', 'admin', 'privacy'];

interface CreateFlags extends ConnectionOptions {
  readonly name: string;
  readonly scope?: readonly string[];
  readonly writeKey?: boolean;
}

export function keysCommand(): Command {
  const keys = new Command('keys')
    .summary('make, list and revoke API keys')
    .description('API keys of the server. All of these need a key with the scope admin.');

  withConnection(keys.command('create'))
    .summary('make a key; it is shown once')
    .description('Makes an API key and prints it. The server keeps only its hash, so it can not be shown again.')
    .requiredOption('--name <name>', 'what the key is for')
    .option('--scope <scope>', `what it may do: ${SCOPES.join(', ')}; may be given several times`, collect)
    .option('--write-key', 'a key for browsers, which may only send touches')
    .addHelpText(
      'after',
      '\nExamples:\n  $ touchstone keys create --name importer --scope ingest --scope read\n  $ touchstone keys create --name website --write-key\n',
    )
    .action(createKey);

  withConnection(keys.command('list'))
    .summary('all keys, without their secrets')
    .description('Lists all keys, without their secrets.')
    .action(listKeys);

  withConnection(keys.command('revoke'))
    .summary('end a key at once')
    .description('Ends a key at once. Its id is in `keys list`.')
    .argument('<id>', 'id of the key')
    .action(revokeKey);
  return keys;
}

async function createKey(flags: CreateFlags): Promise<void> {
  const isWriteKey = flags.writeKey === true;
  const scopes = [...new Set((flags.scope ?? []).flatMap((scope) => scope.split(',')))];
  const unknown = scopes.filter((scope) => !SCOPES.includes(scope));
  if (unknown.length > 0) throw usage(`There is no scope '${unknown[0]}'. Scopes are: ${SCOPES.join(', ')}.`);
  if (isWriteKey && scopes.some((scope) => scope !== 'ingest')) throw usage('A write key may only send touches: leave --scope out.');
  if (!isWriteKey && scopes.length === 0) throw usage('Say what the key may do, as in --scope ingest --scope read.');

  const request = { name: flags.name, kind: isWriteKey ? 'write' : 'secret', scopes };
  const made = await connect(flags).expect('POST', '/v1/keys', { contentType: 'application/json', text: JSON.stringify(request) });
  const fields = isRecord(made) ? made : {};
  process.stderr.write(`Key '${textOf(fields['name'])}' (id ${textOf(fields['id'])}). Keep it now: it is not shown again.\n`);
  process.stdout.write(`${textOf(fields['key'])}\n`);
}

async function listKeys(flags: ConnectionOptions): Promise<void> {
  const keys = recordsOf(await connect(flags).expect('GET', '/v1/keys'));
  const rows = keys.map((key) => [
    textOf(key['id']),
    textOf(key['name']),
    Array.isArray(key['scopes']) ? key['scopes'].join(' ') : '',
    timeOf(key['createdAt']),
    key['revokedAt'] == null ? '' : timeOf(key['revokedAt']),
  ]);
  const columns = [{ title: 'id' }, { title: 'name' }, { title: 'scopes' }, { title: 'created' }, { title: 'revoked' }];
  process.stdout.write(`${formatTable(columns, rows).join('\n')}\n`);
}

async function revokeKey(id: string, flags: ConnectionOptions): Promise<void> {
  await connect(flags).expect('DELETE', `/v1/keys/${encodeURIComponent(id)}`);
  process.stdout.write(`Key ${id} is revoked.\n`);
}

function usage(message: string): CliError {
  return new CliError(message, { exitCode: EXIT.usage });
}
