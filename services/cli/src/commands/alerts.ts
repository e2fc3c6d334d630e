import { Command, Option } from 'commander';
import { isRecord, type ApiClient } from '../api-client.ts';
import { recordsOf, textOf, timeOf } from '../answers.ts';
import { CliError, EXIT } from '../cli-error.ts';
import { followEvents } from '../follow-events.ts';
import { formatTable, printable } from '../terminal/table.ts';
import { alertWords, reasonsOf } from './alert-words.ts';
import { connect, withConnection, type ConnectionOptions } from './connection.ts';
import { integerBetween } from './option-values.ts';

const PAGE = 500;

/** Filters of the list, by their names in the API. */
const FILTERS = {
  account: 'accountId',
  type: 'type',
  rule: 'ruleId',
  owner: 'owner',
  direction: 'direction',
  cause: 'cause',
  since: 'from',
} as const;

type ListFlags = ConnectionOptions & { readonly [Flag in keyof typeof FILTERS]?: string } & {
  readonly state?: string;
  readonly limit: number;
  readonly json?: boolean;
};

export function alertsCommand(): Command {
  const alerts = new Command('alerts')
    .summary('what became of accounts: list, follow, acknowledge')
    .description('Crossings of thresholds, qualified accounts, changes of stage, surges, and what became of buying committees.')
    .addHelpText(
      'after',
      '\nExamples:\n  $ touchstone alerts list --owner eve --state open\n  $ touchstone alerts follow\n' +
        '  $ touchstone alerts ack alr_3f... --by eve --note "called them"\n  $ touchstone alerts snooze alr_3f... --for 7d\n',
    );

  withConnection(alerts.command('list', { isDefault: true }))
    .summary('those that were told, newest first')
    .description('Lists the alerts that were told, newest first.')
    .option('--account <id>', 'only of this account')
    .option('--type <type>', 'only of this type, as in account.mqa.entered')
    .option('--rule <id>', 'only of this rule: a threshold or watch, qualification, stages or surge')
    .option('--owner <name>', "only of this owner's accounts")
    .addOption(new Option('--direction <direction>', 'only entries, or only ends').choices(['up', 'down']))
    .option('--cause <cause>', 'only of this cause, as in touch or decay')
    .option('--since <time>', 'only from then on, as in 2026-03-01T09:00:00Z')
    .addOption(new Option('--state <state>', 'by what was done about it').choices(['open', 'acked', 'snoozed']))
    .option('--limit <n>', 'how many', integerBetween(1, 100_000), 20)
    .option('--json', 'print the answer as JSON')
    .action(listAlerts);

  withConnection(alerts.command('follow'))
    .summary('each as it comes, until Ctrl-C')
    .description('Prints each alert as it comes, until Ctrl-C. A connection that breaks is opened again where it broke: none is left out.')
    .option('--account <id>', 'only of this account')
    .option('--owner <name>', "only of this owner's accounts")
    .option('--json', 'print each as a line of JSON')
    .action(followAlerts);

  act(alerts, 'ack', 'say that somebody takes care of it', 'is acknowledged');
  act(alerts, 'useful', 'say that it was useful', 'counts as useful');
  act(alerts, 'not-useful', 'say that it was not', 'counts as not useful');
  const snooze = act(alerts, 'snooze', 'put it off', 'is put off');
  snooze.option('--for <duration>', 'for how long: 30m, 12h, 7d').option('--until <time>', 'until then, as in 2026-03-01T09:00:00Z');
  return alerts;
}

function act(alerts: Command, name: string, summary: string, done: string): Command {
  return withConnection(alerts.command(name))
    .summary(summary)
    .description(`For an alert: ${summary}. Needs a key with the scope admin.`)
    .argument('<id>', 'id of the alert, as in alr_3f...')
    .option('--by <name>', 'who says so; by default the id of the API key')
    .option('--note <text>', 'for people')
    .action((id: string, flags: ActFlags) => actOn(name, id, done, flags));
}

interface ActFlags extends ConnectionOptions {
  readonly by?: string;
  readonly note?: string;
  readonly for?: string;
  readonly until?: string;
}

async function listAlerts(flags: ListFlags): Promise<void> {
  const alerts = await readList(connect(flags), flags);
  if (flags.json === true) return print(JSON.stringify(alerts, null, 2));
  if (alerts.length === 0)
    return print('There are no such alerts. Rules are a part of the scoring model: `touchstone rules list` shows them.');
  const rows = alerts.map((alert) => [
    timeOf(alert['at']),
    textOf(alert['accountId']),
    alertWords(alert),
    textOf(alert['ruleId']),
    textOf(alert['cause']),
    textOf(alert['owner']),
    textOf(alert['state']),
    textOf(alert['id']),
  ]);
  print(
    ...formatTable(
      ['when', 'account', 'what', 'rule', 'cause', 'owner', 'state', 'id'].map((title) => ({ title })),
      rows,
    ),
  );
}

async function readList(client: ApiClient, flags: ListFlags): Promise<Record<string, unknown>[]> {
  const alerts: Record<string, unknown>[] = [];
  const query = new URLSearchParams();
  for (const [flag, field] of Object.entries(FILTERS) as [keyof typeof FILTERS, string][]) {
    const value = flags[flag];
    if (value !== undefined) query.set(field, value);
  }
  if (flags.state !== undefined) query.set('state', flags.state);
  for (;;) {
    query.set('limit', String(Math.min(PAGE, flags.limit - alerts.length)));
    const page = await client.expect('GET', `/v1/alerts?${query.toString()}`);
    alerts.push(...recordsOf(page));
    const next = isRecord(page) ? page['nextCursor'] : null;
    if (typeof next !== 'string' || alerts.length >= flags.limit) return alerts;
    query.set('cursor', next);
  }
}

async function followAlerts(flags: ConnectionOptions & { account?: string; owner?: string; json?: boolean }): Promise<void> {
  const query = new URLSearchParams({ events: 'alert,stage' });
  if (flags.account !== undefined) query.set('accountId', flags.account);
  if (flags.owner !== undefined) query.set('owner', flags.owner);
  await followEvents(connect(flags), `/v1/stream?${query.toString()}`, {
    onEvent({ data, event }) {
      if (event === 'gap') tell('Some alerts are not kept for the stream any more: `touchstone alerts list` has them.');
      if (event !== 'alert' && event !== 'stage') return;
      print(flags.json === true ? data : lineOf(JSON.parse(data) as Record<string, unknown>));
    },
    onPause: (reason) => tell(`No stream right now (${reason}); it goes on where it broke.`),
  });
}

function lineOf(alert: Record<string, unknown>): string {
  const reasons = reasonsOf(alert);
  const owner = textOf(alert['owner']);
  const parts = [
    timeOf(alert['at']),
    textOf(alert['accountId']),
    alertWords(alert),
    ...(reasons === '' ? [] : [`by ${reasons}`]),
    ...(owner === '' ? [] : [`owner ${owner}`]),
    textOf(alert['id']),
  ];
  return printable(parts.join('  '));
}

async function actOn(name: string, id: string, done: string, { by, for: duration, note, until, ...flags }: ActFlags): Promise<void> {
  if (name === 'snooze' && (duration === undefined) === (until === undefined)) {
    throw new CliError('Say how long: either --for 7d or --until 2026-03-01T09:00:00Z.', { exitCode: EXIT.usage });
  }
  const body = { by, note, for: duration, until };
  const path = `/v1/alerts/${encodeURIComponent(id)}/${name}`;
  const alert = await connect(flags).expect('POST', path, { contentType: 'application/json', text: JSON.stringify(body) });
  const said = isRecord(alert) ? `${textOf(alert['accountId'])}, ${alertWords(alert)}` : id;
  const end = name === 'snooze' && isRecord(alert) ? ` until ${timeOf(alert['snoozedUntil'])}` : '';
  print(printable(`${said}: ${done}${end}.`));
}

function print(...lines: readonly string[]): void {
  process.stdout.write(`${lines.join('\n')}\n`);
}

function tell(line: string): void {
  process.stderr.write(`${line}\n`);
}
