import { Command, Option } from 'commander';
import { CliError, EXIT } from '../cli-error.ts';
import { TARGETS, type Target } from '../import/field-kinds.ts';
import { describeSummary, type ImportSummary } from '../import/import-summary.ts';
import { openSource } from '../import/open-source.ts';
import { FORMATS, planImport, type Format } from '../import/plan-import.ts';
import { runImport, type Destination } from '../import/run-import.ts';
import { createProgress } from '../terminal/progress.ts';
import { connect, withConnection, type ConnectionOptions } from './connection.ts';
import { collect, integerBetween } from './option-values.ts';

interface ImportFlags extends ConnectionOptions {
  readonly format?: Format;
  readonly as: Target;
  readonly map?: readonly string[];
  readonly set?: readonly string[];
  readonly mapping?: string;
  readonly zone: string;
  readonly logStart?: string;
  readonly shiftToNow?: boolean;
  readonly state?: string;
  readonly rejected?: string;
  readonly restart?: boolean;
  readonly concurrency: number;
  readonly batch: number;
  readonly dryRun?: boolean;
  readonly output?: string;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

export function importCommand(): Command {
  const command = new Command('import')
    .summary('send a web server log, a CSV table or NDJSON to the server')
    .description(
      'Sends a file of touches or facts to the server. A file that was stopped half-way goes on where it stopped; a line imported twice counts once.',
    )
    .argument('<file>', 'the file, plain or gzip; - reads standard input')
    .optionsGroup('Reading:')
    .addOption(new Option('--format <format>', 'guessed from the first line when left out').choices(FORMATS))
    .addOption(new Option('--as <target>', 'what the rows are').choices(TARGETS).default('touches'))
    .option('--map <field=column,...>', 'CSV: which column a field comes from; a+b joins two columns', collect)
    .option('--set <field=value,...>', 'CSV: a field with the same value in all rows', collect)
    .option('--mapping <file>', 'CSV: all of this from a file, or one that is shipped: crm-accounts, crm-opportunities')
    .option('--zone <offset>', 'zone of times that do not say theirs, such as -0400', 'Z')
    .option('--log-start <date>', 'access log: date of the first line, when the log has only days of the month')
    .option('--shift-to-now', 'move all times so that the newest line is now')
    .optionsGroup('Sending:')
    .option('--concurrency <n>', 'requests at a time; the order within an account is kept', integerBetween(1, 64), 4)
    .option('--batch <n>', 'lines in a request', integerBetween(1, 10_000), 1000)
    .option('--state <file>', 'where the import keeps how far it is (default: FILE.touchstone-import.json)')
    .option('--rejected <file>', 'where rejected lines go, with their reasons (default: FILE.rejected.ndjson)')
    .option('--restart', 'begin anew, whatever was done before')
    .option('--dry-run', 'read and count, but send nothing')
    .option('--output <file>', 'write what would be sent as NDJSON instead; - is standard output')
    .optionsGroup('Output:')
    .option('--json', 'print the summary as JSON')
    .option('--quiet', 'no progress')
    .addHelpText('after', EXAMPLES)
    .action(runImportCommand);
  return withConnection(command);
}

async function runImportCommand(file: string, flags: ImportFlags): Promise<void> {
  if (flags.dryRun === true && flags.output !== undefined)
    throw new CliError('--dry-run writes nothing: leave out --output, or --dry-run.', { exitCode: EXIT.usage });
  const source = openSource(file);
  const plan = await planImport(source, flags);
  const destination = destinationOf(flags);
  const isSent = destination.kind === 'server';
  const stop = new AbortController();
  const interrupt = (): void => {
    // A second Ctrl-C ends the process at once, as without this handler.
    process.removeListener('SIGINT', interrupt);
    stop.abort();
  };
  process.on('SIGINT', interrupt);
  try {
    const summary = await runImport({
      source,
      plan,
      destination,
      statePath: isSent && source.path !== null ? (flags.state ?? `${source.path}.touchstone-import.json`) : null,
      rejectedPath: flags.rejected ?? (isSent ? `${source.path ?? 'stdin'}.rejected.ndjson` : null),
      isRestart: flags.restart === true,
      progress: createProgress(process.stderr, { isQuiet: flags.quiet === true }),
      signal: stop.signal,
      clock: Date.now,
    });
    printSummary(summary, flags);
    if (summary.outcome === 'stopped') process.exitCode = EXIT.interrupted;
  } finally {
    process.removeListener('SIGINT', interrupt);
  }
}

function destinationOf(flags: ImportFlags): Destination {
  if (flags.dryRun === true) return { kind: 'nowhere' };
  if (flags.output !== undefined) return { kind: 'file', path: flags.output };
  return { kind: 'server', client: connect(flags), concurrency: flags.concurrency, batchItems: flags.batch };
}

/** Items on standard output leave the summary to standard error. */
function printSummary(summary: ImportSummary, { json, output }: ImportFlags): void {
  const text = json === true ? JSON.stringify(summary, null, 2) : describeSummary(summary).join('\n');
  (output === '-' ? process.stderr : process.stdout).write(`${text}\n`);
}

const EXAMPLES = `
In an access log the account is the host's registrable domain and the contact is the host. Addresses without a name stay
unresolved: they are sent and counted, but belong to no account. Images, styles, scripts and failed requests are no visits.

Examples:
  $ touchstone import access.log.gz
  $ touchstone import epa-http.txt.gz --log-start 1995-08-29 --zone -0400 --dry-run
  $ touchstone import epa-http.txt.gz --shift-to-now
  $ touchstone import meetings.csv --map accountId=company,contactId=email,occurredAt=date --set kind=meeting
  $ touchstone import crm.csv --as accounts --map id=account,name=account,industry=sector
  $ touchstone import sales_pipeline.csv --mapping crm-opportunities
  $ zcat touches.ndjson.gz | touchstone import -
`;
