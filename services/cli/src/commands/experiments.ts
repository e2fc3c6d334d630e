import { Command, Option } from 'commander';
import { readFileSync } from 'node:fs';
import { isRecord } from '../api-client.ts';
import { figureOf, recordsOf, textOf, timeOf } from '../answers.ts';
import { CliError, EXIT } from '../cli-error.ts';
import { formatTable, printable } from '../terminal/table.ts';
import { connect, withConnection, type ConnectionOptions } from './connection.ts';
import { integerBetween } from './option-values.ts';

const right = 'right' as const;

type JsonFlags = ConnectionOptions & { readonly json?: boolean };
type StepFlags = ConnectionOptions & { readonly reason?: string; readonly revision?: number };

export function experimentsCommand(): Command {
  const experiments = new Command('experiments')
    .summary('creatives compared by account: create, start, results, swap, undo, stop')
    .description(
      'Experiments with the creatives of a campaign: which one each account sees, how they do, and what was swapped on what evidence.',
    )
    .addHelpText(
      'after',
      '\nExamples:\n  $ touchstone experiments create hero.json\n  $ touchstone experiments start hero\n  $ touchstone experiments results hero\n' +
        '  $ touchstone experiments swap hero hero-b --reason "wrong price"\n  $ touchstone experiments undo hero\n',
    );

  withConnection(experiments.command('list', { isDefault: true }))
    .summary('all, the newest first')
    .description('Lists experiments, the newest first.')
    .addOption(new Option('--status <status>', 'only these').choices(['draft', 'running', 'stopped']))
    .option('--limit <n>', 'how many', integerBetween(1, 500), 50)
    .option('--json', 'print the answer as JSON')
    .action(listExperiments);

  withConnection(experiments.command('create'))
    .summary('make one, as a draft')
    .description('Makes an experiment of a JSON document. Needs a key with the scope admin, as do all steps.')
    .argument('<file>', 'the experiment, JSON; - reads standard input')
    .action(createExperiment);

  for (const [name, summary] of [
    ['start', 'let it run: touches count, decisions follow it'],
    ['stop', 'end it for good: everybody gets the control'],
    ['undo', 'bring back the creative that was swapped out last'],
  ] as const) {
    step(experiments, name, summary).action((id: string, flags: StepFlags) => takeStep(id, name, {}, flags));
  }
  step(experiments, 'swap', 'take a creative out')
    .argument('<creative>', 'id of the creative')
    .action((id: string, creativeId: string, flags: StepFlags) => takeStep(id, 'swap', { creativeId }, flags));

  withConnection(experiments.command('results'))
    .summary('what the evidence comes to')
    .description('Shows the creatives of an experiment by account, with intervals that may be looked at at any time.')
    .argument('<id>', 'id of the experiment')
    .option('--json', 'print the answer as JSON')
    .action(showResults);

  withConnection(experiments.command('history'))
    .summary('what happened, when, by whom and why')
    .description('Lists the steps of an experiment, the newest first. With --json the evidence of each is there too.')
    .argument('<id>', 'id of the experiment')
    .option('--json', 'print the answer as JSON')
    .action(showHistory);
  return experiments;
}

function step(experiments: Command, name: string, summary: string): Command {
  return withConnection(experiments.command(name))
    .summary(summary)
    .description(`For an experiment: ${summary}.`)
    .argument('<id>', 'id of the experiment')
    .option('--reason <text>', 'for people: why')
    .option('--revision <n>', 'only if no other step has come since this revision', integerBetween(1, 2_147_483_647));
}

async function listExperiments({ json, limit, status, ...flags }: JsonFlags & { limit: number; status?: string }): Promise<void> {
  const query = new URLSearchParams({ limit: String(limit), ...(status !== undefined && { status }) });
  const answer = await connect(flags).expect('GET', `/v1/experiments?${query.toString()}`);
  if (json === true) return print(JSON.stringify(answer, null, 2));
  const rows = recordsOf(answer).map((experiment) => [
    textOf(experiment['id']),
    textOf(experiment['status']),
    textOf(experiment['mode']),
    textOf(experiment['metric']),
    textOf(experiment['campaignId']),
    armsOf(experiment),
    timeOf(experiment['startedAt']),
  ]);
  if (rows.length === 0) return print('There are no such experiments.');
  print(
    ...formatTable(
      ['experiment', 'status', 'mode', 'metric', 'campaign', 'creatives', 'started'].map((title) => ({ title })),
      rows,
    ),
  );
}

/** Creatives; those that are swapped out in brackets. */
function armsOf(experiment: Record<string, unknown>): string {
  const arms = Array.isArray(experiment['arms']) ? experiment['arms'].filter(isRecord) : [];
  return arms.map((arm) => (arm['isOut'] === true ? `(${textOf(arm['creativeId'])})` : textOf(arm['creativeId']))).join(' ');
}

async function createExperiment(file: string, flags: ConnectionOptions): Promise<void> {
  let text: string;
  try {
    text = readFileSync(file === '-' ? 0 : file, 'utf8');
  } catch (cause) {
    throw new CliError(`Can not read ${file}: there is no such file, or it may not be read.`, { exitCode: EXIT.usage, cause });
  }
  const answer = await connect(flags).expect('POST', '/v1/experiments', { contentType: 'application/json', text });
  print(printable(`${isRecord(answer) ? textOf(answer['id']) : file}: is a draft. \`touchstone experiments start\` lets it run.`));
}

async function takeStep(id: string, name: string, body: object, { reason, revision, ...flags }: StepFlags): Promise<void> {
  const path = `/v1/experiments/${encodeURIComponent(id)}/${name}`;
  const text = JSON.stringify({ ...body, reason, revision });
  const answer = await connect(flags).expect('POST', path, { contentType: 'application/json', text });
  const said = isRecord(answer)
    ? `is ${textOf(answer['status'])}, revision ${textOf(answer['revision'])}, creatives ${armsOf(answer)}`
    : 'done';
  print(printable(`${id}: ${said}.`));
}

async function showResults(id: string, { json, ...flags }: JsonFlags): Promise<void> {
  const answer = await connect(flags).expect('GET', `/v1/experiments/${encodeURIComponent(id)}/results`);
  if (json === true) return print(JSON.stringify(answer, null, 2));
  if (!isRecord(answer)) throw new CliError('The answer has no results in it. Is this a Touchstone server?');
  if (answer['isComplete'] !== true) return print('There are no figures: it does not run, or its evidence is still being read.');
  const arms = Array.isArray(answer['arms']) ? answer['arms'].filter(isRecord) : [];
  const rows = arms.map((arm) => [
    arm['isOut'] === true ? `(${textOf(arm['creativeId'])})` : textOf(arm['creativeId']),
    figureOf(arm['exposed'], 0),
    figureOf(arm['accounts'], 0),
    figureOf(arm['contaminated'], 0),
    figureOf(arm['impressions'], 0),
    figureOf(arm['clicks'], 0),
    numberText(arm['value']),
    isRecord(arm['interval']) ? `${numberText(arm['interval']['low'])} to ${numberText(arm['interval']['high'])}` : '',
  ]);
  const counts = ['saw it first', 'compared', 'saw others', 'impressions', 'clicks', textOf(answer['metric']), 'interval'];
  print(...formatTable([{ title: 'creative' }, ...counts.map((title) => ({ title, align: right }))], rows));
  const recommendation = isRecord(answer['recommendation'])
    ? `; mode auto would swap out ${textOf(answer['recommendation']['swapOut'])}`
    : '';
  print('', printable(`${textOf(answer['verdict'])}: ${textOf(answer['reason']).replaceAll('_', ' ')}${recommendation}.`));
}

async function showHistory(id: string, { json, ...flags }: JsonFlags): Promise<void> {
  const answer = await connect(flags).expect('GET', `/v1/experiments/${encodeURIComponent(id)}/history?limit=500`);
  if (json === true) return print(JSON.stringify(answer, null, 2));
  const rows = recordsOf(answer).map((one) => [
    figureOf(one['revision'], 0),
    timeOf(one['at']),
    textOf(one['action']),
    textOf(one['creativeId']),
    textOf(one['by']),
    textOf(one['reason']),
  ]);
  print(
    ...formatTable([{ title: 'revision', align: right }, ...['when', 'step', 'creative', 'by', 'why'].map((title) => ({ title }))], rows),
  );
}

function numberText(value: unknown): string {
  return typeof value === 'number' ? value.toPrecision(3) : '';
}

function print(...lines: readonly string[]): void {
  process.stdout.write(`${lines.join('\n')}\n`);
}
