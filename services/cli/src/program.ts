import { Command, CommanderError } from 'commander';
import { CliError, EXIT, type ExitCode } from './cli-error.ts';
import { accountCommand, accountsCommand } from './commands/accounts.ts';
import { alertsCommand } from './commands/alerts.ts';
import { creativesCommand } from './commands/creatives.ts';
import { deadLettersCommand } from './commands/dead-letters.ts';
import { experimentsCommand } from './commands/experiments.ts';
import { explainCommand } from './commands/explain.ts';
import { importCommand } from './commands/import.ts';
import { keysCommand } from './commands/keys.ts';
import { kpisCommand } from './commands/kpis.ts';
import { modelCommand } from './commands/model.ts';
import { attributionCommand, influenceCommand, journeyCommand, lvrCommand } from './commands/revenue.ts';
import { rulesCommand } from './commands/rules.ts';
import { simulateCommand } from './commands/simulate.ts';

const EXAMPLES = `
Examples:
  $ touchstone simulate --backfill-days 30        made-up companies, to see it work
  $ touchstone import access.log.gz               a web server's log
  $ touchstone accounts                           who is hot now
  $ touchstone account acme.example               one account: windows, reach, committee
  $ touchstone explain acme.example               who and what brought its points, and what is missing
  $ touchstone kpis                               what it costs and brings: CAC, ROMI, churn, and what is missing to tell
  $ touchstone alerts follow                      what becomes of accounts, as it happens

The server is found by --url or TOUCHSTONE_URL, and wants a key: --key, TOUCHSTONE_KEY or TOUCHSTONE_ADMIN_KEY.
Exit codes: 0 done, 1 failed, 2 wrong command line or key, 130 stopped by Ctrl-C.
`;

function createProgram(): Command {
  const program = new Command('touchstone')
    .description('Sends touches and facts to a Touchstone server, and shows the scores of accounts and what becomes of them.')
    .helpCommand(false)
    .showHelpAfterError('(--help says more)')
    .addHelpText('after', EXAMPLES);
  program.commandsGroup('Data:');
  program.addCommand(importCommand());
  program.addCommand(simulateCommand());
  program.commandsGroup('Scores and alerts:');
  program.addCommand(accountsCommand());
  program.addCommand(accountCommand());
  program.addCommand(explainCommand());
  program.addCommand(alertsCommand());
  program.addCommand(rulesCommand());
  program.addCommand(creativesCommand());
  program.addCommand(experimentsCommand());
  program.addCommand(kpisCommand());
  program.addCommand(lvrCommand());
  program.addCommand(journeyCommand());
  program.addCommand(influenceCommand());
  program.addCommand(attributionCommand());
  program.commandsGroup('Administration:');
  program.addCommand(modelCommand());
  program.addCommand(keysCommand());
  program.addCommand(deadLettersCommand());
  for (const command of everyCommand(program)) command.exitOverride();
  return program;
}

function* everyCommand(command: Command): Generator<Command> {
  yield command;
  for (const inner of command.commands) yield* everyCommand(inner);
}

/** Runs a command line (without node and script) and gives its exit code. Failures are told in words, without a stack. */
export async function runProgram(args: readonly string[], tellError: (message: string) => void): Promise<ExitCode> {
  try {
    await createProgram().parseAsync(args, { from: 'user' });
    return EXIT.done;
  } catch (error) {
    // commander has told its own errors, and shown help where that was asked for.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage;
    if (error instanceof CliError) {
      tellError(error.message);
      return error.exitCode;
    }
    const isDebug = process.env['TOUCHSTONE_DEBUG'] !== undefined;
    const said = error instanceof Error ? error.message : String(error);
    tellError(
      isDebug && error instanceof Error
        ? (error.stack ?? said)
        : `${said}\nThis is a fault of the program. With TOUCHSTONE_DEBUG=1 it tells where.`,
    );
    return EXIT.failed;
  }
}
