import { Command } from 'commander';
import { isRecord } from '../api-client.ts';
import { CliError } from '../cli-error.ts';
import { formatTable } from '../terminal/table.ts';
import { describeAccount } from './account-view.ts';
import { figureOf, textOf, timeOf } from '../answers.ts';
import { topAccounts } from '../top-accounts.ts';
import { connect, withConnection, type ConnectionOptions } from './connection.ts';
import { integerBetween } from './option-values.ts';

export function accountsCommand(): Command {
  const command = new Command('accounts')
    .summary('the accounts with the highest scores')
    .description('Lists the accounts with the highest scores now.')
    .option('--limit <n>', 'how many', integerBetween(1, 1000), 10)
    .option('--json', 'print the answer as JSON')
    .action(listAccounts);
  return withConnection(command);
}

export function accountCommand(): Command {
  const command = new Command('account')
    .summary('one account: score, windows, reach')
    .description('Shows one account as it is now: its score, what happened in the last day, week, month and quarter, and who was reached.')
    .argument('<id>', 'id of the account; for access logs its domain, as in epa.gov')
    .option('--json', 'print the answer as JSON')
    .action(showAccount);
  return withConnection(command);
}

async function listAccounts(flags: ConnectionOptions & { limit: number; json?: boolean }): Promise<void> {
  const accounts = await topAccounts(connect(flags), flags.limit);
  if (flags.json === true) {
    process.stdout.write(`${JSON.stringify(accounts, null, 2)}\n`);
    return;
  }
  if (accounts.length === 0) {
    process.stdout.write('No accounts yet. Send touches with `touchstone import FILE`, or make some up with `touchstone simulate`.\n');
    return;
  }
  const hasNames = accounts.some((account) => textOf(account['name']) !== '');
  const rows = accounts.map((account, at) => [
    String(at + 1),
    textOf(account['accountId']),
    ...(hasNames ? [textOf(account['name'])] : []),
    figureOf(account['score']),
    figureOf(account['points']),
    account['engaged'] === true ? 'yes' : '',
    timeOf(account['lastTouchAt']),
  ]);
  const right = 'right' as const;
  const columns = [
    { title: '#', align: right },
    { title: 'account' },
    ...(hasNames ? [{ title: 'name' }] : []),
    { title: 'score', align: right },
    { title: 'points', align: right },
    { title: 'engaged' },
    { title: 'last touch' },
  ];
  process.stdout.write(`${formatTable(columns, rows).join('\n')}\n`);
}

async function showAccount(id: string, flags: ConnectionOptions & { json?: boolean }): Promise<void> {
  const answer = await connect(flags).expect('GET', `/v1/accounts/${encodeURIComponent(id)}`);
  if (!isRecord(answer)) throw new CliError('The answer is no account. Is this a Touchstone server?');
  const lines = flags.json === true ? [JSON.stringify(answer, null, 2)] : describeAccount(answer);
  process.stdout.write(`${lines.join('\n')}\n`);
}
