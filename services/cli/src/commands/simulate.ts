import { randomBytes, randomInt } from 'node:crypto';
import { Command } from 'commander';
import { runSimulation } from '../simulate/run-simulation.ts';
import { createSimulationView, describeFigures } from '../simulate/simulation-view.ts';
import { connect, withConnection, type ConnectionOptions } from './connection.ts';
import { integerBetween, numberBetween } from './option-values.ts';

interface SimulateFlags extends ConnectionOptions {
  readonly accounts: number;
  readonly rate: number;
  readonly seconds?: number;
  readonly seed?: string;
  readonly backfillDays: number;
}

export function simulateCommand(): Command {
  const command = new Command('simulate')
    .summary('send made-up live traffic, for whoever has no data yet')
    .description(
      'Makes up companies with the people who decide there, and sends the touches of campaigns, visits and meetings as they happen. A few accounts heat up and climb. Nothing in it is real; the same seed makes the same companies and the same sequence.',
    )
    .optionsGroup('Traffic:')
    .option('--accounts <n>', 'how many companies', integerBetween(1, 100_000), 200)
    .option('--rate <n>', 'touches per second', numberBetween(0.1, 50_000), 20)
    .option('--seconds <n>', 'stop after so long (default: until Ctrl-C)', numberBetween(0, 1e7))
    .option('--seed <text>', 'decides who there is and what they do (default: chosen at random, and printed)')
    .option('--backfill-days <n>', 'begin with a history of so many days', numberBetween(0, 365), 0)
    .addHelpText(
      'after',
      '\nNeeds a key with the scope ingest; with the scope read as well, a leaderboard is shown.\n\nExamples:\n  $ touchstone simulate\n  $ touchstone simulate --accounts 500 --backfill-days 30 --rate 50 --seed demo\n',
    )
    .action(runSimulateCommand);
  return withConnection(command);
}

async function runSimulateCommand(flags: SimulateFlags): Promise<void> {
  const stop = new AbortController();
  const interrupt = (): void => {
    process.removeListener('SIGINT', interrupt);
    stop.abort();
  };
  process.on('SIGINT', interrupt);
  const view = createSimulationView(process.stdout);
  try {
    const figures = await runSimulation({
      client: connect(flags),
      seed: flags.seed ?? String(randomInt(1_000_000)),
      accounts: flags.accounts,
      rate: flags.rate,
      seconds: flags.seconds ?? null,
      backfillDays: flags.backfillDays,
      run: `${Date.now().toString(36)}${randomBytes(3).toString('hex')}`,
      clock: Date.now,
      signal: stop.signal,
      view,
    });
    view.end();
    process.stdout.write(`Done: ${describeFigures(figures)}.\n`);
  } finally {
    view.end();
    process.removeListener('SIGINT', interrupt);
  }
}
