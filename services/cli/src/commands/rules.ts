import { Command } from 'commander';
import { isRecord } from '../api-client.ts';
import { figureOf, recordsOf, textOf } from '../answers.ts';
import { CliError } from '../cli-error.ts';
import { formatCount } from '../terminal/format.ts';
import { formatTable } from '../terminal/table.ts';
import { connect, withConnection, type ConnectionOptions } from './connection.ts';
import { readModel } from './read-model.ts';

const right = 'right' as const;

export function rulesCommand(): Command {
  const rules = new Command('rules')
    .summary('what alerts come from: list, test')
    .description('The rules that alerts come from: thresholds, qualification, stages, surge and watches of the scoring model.')
    .addHelpText('after', '\nExamples:\n  $ touchstone rules list\n  $ touchstone rules test model.json\n');

  withConnection(rules.command('list', { isDefault: true }))
    .summary('with their alerts of 30 days, and how useful these were')
    .description('Lists the rules in force with their alerts of the last 30 days. Precision is the share of those judged that were useful.')
    .option('--json', 'print the answer as JSON')
    .action(listRules);

  withConnection(rules.command('test'))
    .summary('how many accounts would be in, without publishing')
    .description(
      "Tries a model's rules on the accounts as they are now, scored by the model in force, and says how many would be in. Nothing is published.",
    )
    .argument('<file>', 'the model, JSON; - reads standard input')
    .option('--json', 'print the answer as JSON')
    .action(testRules);
  return rules;
}

async function listRules(flags: ConnectionOptions & { json?: boolean }): Promise<void> {
  const answer = await connect(flags).expect('GET', '/v1/alert-rules');
  if (flags.json === true) return print(JSON.stringify(answer, null, 2));
  const rules = recordsOf(answer);
  if (rules.length === 0) return print('The model in force has no rules that alerts come from.');
  const rows = rules.map((rule) => [
    textOf(rule['ruleId']),
    textOf(rule['kind']) || 'not in the model',
    figureOf(rule['told'], 0),
    figureOf(rule['heldBack'], 0),
    figureOf(rule['acked'], 0),
    figureOf(rule['useful'], 0),
    figureOf(rule['notUseful'], 0),
    typeof rule['precision'] === 'number' ? `${figureOf(rule['precision'] * 100, 0)} %` : '',
  ]);
  const counts = ['alerts', 'held back', 'acked', 'useful', 'not useful', 'precision'].map((title) => ({ title, align: right }));
  print(...formatTable([{ title: 'rule' }, { title: 'kind' }, ...counts], rows));
}

async function testRules(file: string, flags: ConnectionOptions & { json?: boolean }): Promise<void> {
  const model = await readModel(file);
  const answer = await connect(flags).expect('POST', '/v1/alert-rules/test', {
    contentType: 'application/json',
    text: JSON.stringify(model),
  });
  if (flags.json === true) return print(JSON.stringify(answer, null, 2));
  if (!isRecord(answer)) throw new CliError('The answer is no outcome of a test. Is this a Touchstone server?');
  const rules = recordsOf(answer);
  const accounts = typeof answer['accounts'] === 'number' ? answer['accounts'] : 0;
  print(`${file} on ${formatCount(accounts)} accounts, scored by model ${textOf(answer['modelVersion'])}:`, '');
  if (rules.length === 0) return print('It has no rules that alerts come from.');
  const rows = rules.map((rule) => [
    [rule['ruleId'], rule['stage']].map(textOf).filter(Boolean).join(': '),
    textOf(rule['kind']),
    figureOf(rule['accountsIn'], 0),
    figureOf(rule['enter'], 0),
    figureOf(rule['leave'], 0),
    Array.isArray(rule['examples']) ? rule['examples'].map(textOf).join(' ') : '',
  ]);
  const columns = [
    { title: 'rule' },
    { title: 'kind' },
    { title: 'would be in', align: right },
    { title: 'newly', align: right },
    { title: 'no longer', align: right },
    { title: 'such as' },
  ];
  print(...formatTable(columns, rows));
}

function print(...lines: readonly string[]): void {
  process.stdout.write(`${lines.join('\n')}\n`);
}
