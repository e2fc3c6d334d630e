import { randomBytes, randomInt } from 'node:crypto';
import { Command, InvalidArgumentError } from 'commander';
import { runAdPlatform } from '../simulate/run-ad-platform.ts';
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
  readonly ads?: boolean;
  readonly clickRates: readonly number[];
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
    .optionsGroup('Ad platform:')
    .option('--ads', 'be an ad platform instead: ask for decisions, report impressions and clicks, until a creative is swapped out')
    .option(
      '--click-rates <list>',
      'probability of a click by creative, the truth that the experiment has to find',
      clickRates,
      [0.05, 0.12],
    )
    .addHelpText(
      'after',
      '\nNeeds a key with the scope ingest; with the scope read as well, a leaderboard is shown. --ads needs ingest, read and admin.\n\nExamples:\n  $ touchstone simulate\n  $ touchstone simulate --accounts 500 --backfill-days 30 --rate 50 --seed demo\n  $ touchstone simulate --ads --accounts 4000 --rate 100 --click-rates 0.05,0.12\n',
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
  if (flags.ads === true) {
    try {
      await beAdPlatform(flags, stop.signal);
    } finally {
      process.removeListener('SIGINT', interrupt);
    }
    return;
  }
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

const AD_SECONDS = 120;

async function beAdPlatform(flags: SimulateFlags, signal: AbortSignal): Promise<void> {
  const began = performance.now();
  await runAdPlatform({
    client: connect(flags),
    seed: flags.seed ?? String(randomInt(1_000_000)),
    accounts: flags.accounts,
    rate: flags.rate,
    seconds: flags.seconds ?? AD_SECONDS,
    clickRates: flags.clickRates,
    run: `${Date.now().toString(36)}${randomBytes(3).toString('hex')}`,
    signal,
    tell: (line) => process.stdout.write(`${((performance.now() - began) / 1000).toFixed(1).padStart(6)} s  ${line}\n`),
  });
}

/** One for each creative; there are two at least. */
function clickRates(text: string): readonly number[] {
  const rates = text.split(',').map(Number);
  if (rates.length < 2 || rates.length > 10 || rates.some((rate) => !(rate >= 0 && rate <= 1))) {
    throw new InvalidArgumentError('They must be 2 to 10 numbers from 0 to 1, separated by commas.');
  }
  return rates;
}
