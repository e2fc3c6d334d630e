import { Command, InvalidArgumentError, Option } from 'commander';
import { isRecord, type ApiClient } from '../api-client.ts';
import { recordsOf, textOf, timeOf } from '../answers.ts';
import { CliError, EXIT } from '../cli-error.ts';
import { formatCount } from '../terminal/format.ts';
import { formatTable, printable } from '../terminal/table.ts';
import { connect, withConnection, type ConnectionOptions } from './connection.ts';
import { integerBetween } from './option-values.ts';

interface Filter extends ConnectionOptions {
  readonly reason?: string;
  readonly partition?: number;
}

interface Place {
  readonly partition: number;
  readonly offset: number;
}

/** Of an answer, and of a call. */
const PAGE = 200;
const REPLAYS_PER_CALL = 1000;
/** Enough to tell one record from another. */
const SAID_MAX = 60;

export function deadLettersCommand(): Command {
  const deadLetters = new Command('dead-letters')
    .summary('records that could not be read or applied; replay them')
    .description(
      'Records that could not be read or applied were set aside, each with its place on the log and the reason. Once the cause is mended, ' +
        'replay puts them on the log again. All of these need a key with the scope admin.',
    )
    .addHelpText(
      'after',
      '\nExamples:\n  $ touchstone dead-letters list --reason in_the_future\n  $ touchstone dead-letters show 3/1742\n' +
        '  $ touchstone dead-letters replay 3/1742 3/1750\n  $ touchstone dead-letters replay --reason unknown_schema\n',
    );

  withFilter(withConnection(deadLetters.command('list')))
    .summary('what was set aside, newest first')
    .description('Lists what was set aside, newest first.')
    .addOption(new Option('--state <state>', 'never replayed, replayed, or both').choices(['open', 'replayed', 'all']).default('open'))
    .option('--limit <n>', 'how many', integerBetween(1, 100_000), 50)
    .option('--json', 'print the answer as JSON')
    .action(listDeadLetters);

  withConnection(deadLetters.command('show'))
    .summary('one of them, whole')
    .description('Shows one of them: why it was set aside, and what it says, if that can be read.')
    .argument('<place>', 'partition and offset, as in 3/1742', readPlace)
    .option('--json', 'print the answer as JSON, with the bytes in base64')
    .action(showDeadLetter);

  withFilter(withConnection(deadLetters.command('replay')))
    .summary('put some on the log again')
    .description(
      'Puts records on the log again, as they were, to be applied as if they came now. A record whose cause is not mended is set aside ' +
        'again, at its new place. A touch counts once, also if its replay is repeated while its id is remembered, 48 hours by default.',
    )
    .argument('[places...]', 'partition and offset of each, as in 3/1742', collectPlaces)
    .option('--all', 'all that were never replayed')
    .option('--force', 'with places: also those that were replayed before')
    .option('--json', 'print the outcome as JSON')
    .action(replayDeadLetters);
  return deadLetters;
}

function withFilter(command: Command): Command {
  return command
    .option('--reason <reason>', 'only those set aside for this reason, as in in_the_future')
    .option('--partition <n>', 'only those of this partition', integerBetween(0, 65_535));
}

function readPlace(text: string): Place {
  const [, partition, offset] = /^(\d{1,5})\/(\d{1,15})$/.exec(text) ?? [];
  if (partition === undefined) throw new InvalidArgumentError('It must be partition and offset, as in 3/1742.');
  return { partition: Number(partition), offset: Number(offset) };
}

function collectPlaces(text: string, former: readonly Place[] = []): Place[] {
  return [...former, readPlace(text)];
}

async function listDeadLetters(flags: Filter & { state: string; limit: number; json?: boolean }): Promise<void> {
  const letters = await readList(connect(flags), flags);
  if (flags.json === true) return print(JSON.stringify(letters, null, 2));
  if (letters.length === 0) return print(flags.state === 'open' ? 'No dead letters are open.' : 'There are no such dead letters.');
  const rows = letters.map((letter) => [
    placeOf(letter),
    timeOf(letter['appendedAt']),
    textOf(letter['reason']),
    textOf(letter['key']).slice(0, SAID_MAX),
    saidBy(letter).slice(0, SAID_MAX),
    ...(flags.state === 'open' ? [] : [timeOf(letter['replayedAt'])]),
  ]);
  const titles = ['place', 'taken by the log', 'reason', 'key', 'record', ...(flags.state === 'open' ? [] : ['replayed'])];
  print(
    ...formatTable(
      titles.map((title) => ({ title })),
      rows,
    ),
  );
}

async function readList(client: ApiClient, flags: Filter & { state: string; limit: number }): Promise<Record<string, unknown>[]> {
  const letters: Record<string, unknown>[] = [];
  const query = new URLSearchParams({ state: flags.state });
  if (flags.reason !== undefined) query.set('reason', flags.reason);
  if (flags.partition !== undefined) query.set('partition', String(flags.partition));
  for (;;) {
    query.set('limit', String(Math.min(PAGE, flags.limit - letters.length)));
    const page = await client.expect('GET', `/v1/dead-letters?${query.toString()}`);
    letters.push(...recordsOf(page));
    const next = isRecord(page) ? page['nextCursor'] : null;
    if (typeof next !== 'string' || letters.length >= flags.limit) return letters;
    query.set('cursor', next);
  }
}

async function showDeadLetter({ partition, offset }: Place, flags: ConnectionOptions & { json?: boolean }): Promise<void> {
  const letter = await connect(flags).expect('GET', `/v1/dead-letters/${partition}/${offset}`);
  if (!isRecord(letter)) throw new CliError('The answer is no dead letter. Is this a Touchstone server?');
  if (flags.json === true) return print(JSON.stringify(letter, null, 2));
  const { record } = letter;
  print(
    `dead letter ${placeOf(letter)}, taken by the log at ${timeOf(letter['appendedAt'])}`,
    `reason    ${printable(textOf(letter['reason']))}`,
    `detail    ${printable(textOf(letter['detail']))}`,
    `state     ${letter['replayedAt'] == null ? 'open' : `replayed at ${timeOf(letter['replayedAt'])}`}`,
    `key       ${letter['key'] == null ? '(none)' : printable(textOf(letter['key']))}`,
    `value     ${textOf(letter['valueBytes'])} bytes`,
    ...(isRecord(record) ? jsonLines(record) : [`begins    ${printable(textOf(letter['preview']))}`]),
  );
}

function jsonLines(record: Record<string, unknown>): string[] {
  return ['record', ...JSON.stringify(record, null, 2).split('\n')].map((line) => printable(line));
}

interface Outcome {
  readonly replayed: Record<string, unknown>[];
  readonly skipped: Record<string, unknown>[];
}

async function replayDeadLetters(
  places: readonly Place[],
  flags: Filter & { all?: boolean; force?: boolean; json?: boolean },
): Promise<void> {
  const isByFilter = flags.all === true || flags.reason !== undefined || flags.partition !== undefined;
  if (places.length === 0 && !isByFilter) throw usage('Say which: places such as 3/1742, --reason, --partition or --all.');
  if (places.length > 0 && isByFilter) throw usage('Give either places, or --reason, --partition or --all.');
  if (flags.force === true && isByFilter) throw usage('--force goes with places only.');

  const client = connect(flags);
  const { replayed, skipped } = isByFilter ? await replayOpen(client, flags) : await replayAt(client, places, flags.force === true);
  if (flags.json === true) print(JSON.stringify({ replayed, skipped }, null, 2));
  else print(`${counted(replayed.length)} on the log again.`);
  if (skipped.length === 0) return;
  const said = skipped.map((one) => `  ${placeOf(one)}: ${SKIPPED[textOf(one['code'])] ?? textOf(one['code'])}`);
  throw new CliError(`${counted(skipped.length)} left out:\n${said.join('\n')}`);
}

const SKIPPED: Readonly<Record<string, string>> = {
  not_found: 'there is no such dead letter',
  already_replayed: 'was replayed before; --force replays it again',
  too_large: 'is larger than the log takes from us',
};

async function replayAt(client: ApiClient, places: readonly Place[], force: boolean): Promise<Outcome> {
  const outcome: Outcome = { replayed: [], skipped: [] };
  for (let from = 0; from < places.length; from += REPLAYS_PER_CALL) {
    await call(client, { items: places.slice(from, from + REPLAYS_PER_CALL), force }, outcome);
  }
  return outcome;
}

/** A call takes a bounded number, and its answer tells the time by which what is set aside again meanwhile is left out. */
async function replayOpen(client: ApiClient, { partition, reason }: Filter): Promise<Outcome> {
  const outcome: Outcome = { replayed: [], skipped: [] };
  for (let before: unknown; ;) {
    const answer = await call(client, { open: { partition, reason, before } }, outcome);
    if (answer['remaining'] !== true) return outcome;
    before = answer['before'];
  }
}

async function call(client: ApiClient, body: object, { replayed, skipped }: Outcome): Promise<Record<string, unknown>> {
  const answer = await client.expect('POST', '/v1/dead-letters/replay', { contentType: 'application/json', text: JSON.stringify(body) });
  if (!isRecord(answer) || !Array.isArray(answer['replayed'])) throw new CliError('The answer is no outcome of a replay.');
  replayed.push(...answer['replayed'].filter(isRecord));
  if (Array.isArray(answer['skipped'])) skipped.push(...answer['skipped'].filter(isRecord));
  return answer;
}

function placeOf(letter: Record<string, unknown>): string {
  return `${textOf(letter['partition'])}/${textOf(letter['offset'])}`;
}

/** What it is, in a few words; of what can't be read, its first bytes. */
function saidBy({ preview, record }: Record<string, unknown>): string {
  if (!isRecord(record)) return textOf(preview);
  const model = isRecord(record['model']) ? textOf(record['model']['version']) : '';
  return [textOf(record['type']), textOf(record['kind']), textOf(record['id']), model].filter((word) => word !== '').join(' ');
}

function counted(letters: number): string {
  return letters === 1 ? '1 dead letter is' : `${formatCount(letters)} dead letters are`;
}

function print(...lines: readonly string[]): void {
  process.stdout.write(`${lines.join('\n')}\n`);
}

function usage(message: string): CliError {
  return new CliError(message, { exitCode: EXIT.usage });
}
