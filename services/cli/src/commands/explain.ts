import { Command, Option } from 'commander';
import { isRecord } from '../api-client.ts';
import { CliError } from '../cli-error.ts';
import { connect, withConnection, type ConnectionOptions } from './connection.ts';
import { describeExplanation } from './explanation-view.ts';
import { integerBetween } from './option-values.ts';

interface ExplainFlags extends ConnectionOptions {
  readonly at?: string;
  readonly by?: string;
  readonly limit: number;
  readonly json?: boolean;
}

export function explainCommand(): Command {
  const command = new Command('explain')
    .summary('where the points of an account come from, and what is missing')
    .description('Shows who and what brought the points of an account, now or at any instant, and what is missing to the next threshold.')
    .argument('<id>', 'id of the account')
    .option('--at <time>', 'as known at an instant: RFC 3339, as in 2026-03-01T09:30:00Z, or epoch milliseconds')
    .addOption(new Option('--by <view>', 'add the parts up by one thing').choices(['contact', 'rule', 'campaign', 'kind', 'channel']))
    .option('--limit <n>', 'how many lines', integerBetween(1, 10_000), 20)
    .option('--json', 'print the answer as JSON')
    .action(explainAccount);
  return withConnection(command);
}

async function explainAccount(id: string, flags: ExplainFlags): Promise<void> {
  const { at, by, limit } = flags;
  const query = new URLSearchParams({ limit: String(limit), ...(at !== undefined && { at }), ...(by !== undefined && { groupBy: by }) });
  const answer = await connect(flags).expect('GET', `/v1/accounts/${encodeURIComponent(id)}/explain?${query.toString()}`);
  if (!isRecord(answer)) throw new CliError('The answer is no explanation. Is this a Touchstone server?');
  const lines = flags.json === true ? [JSON.stringify(answer, null, 2)] : describeExplanation(answer);
  process.stdout.write(`${lines.join('\n')}\n`);
}
