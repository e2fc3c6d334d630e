import { Command } from 'commander';
import { isRecord } from '../api-client.ts';
import { textOf } from '../answers.ts';
import { connect, withConnection, type ConnectionOptions } from './connection.ts';
import { readModel } from './read-model.ts';

export function modelCommand(): Command {
  const model = new Command('model')
    .summary('show, check and publish the scoring model')
    .description('The scoring model: the rules that say what a touch is worth, as a JSON document with a version.')
    .addHelpText(
      'after',
      '\nExamples:\n  $ touchstone model show > model.json\n  $ touchstone model validate model.json\n  $ touchstone model publish model.json\n',
    );

  withConnection(model.command('show'))
    .summary('the model in force, as JSON')
    .description('Prints the model in force as JSON: edit it, give it a new version, publish it.')
    .action(showModel);
  model
    .command('validate')
    .summary('check a file; no server is needed')
    .description('Checks a model file and lists all its problems, each with its place in the file (JSON Pointer). No server is needed.')
    .argument('<file>', 'the model, JSON; - reads standard input')
    .action(validateModel);
  withConnection(model.command('publish'))
    .summary('put a model in force; all accounts are scored anew')
    .description(
      'Checks a model file and puts it in force. All accounts are scored anew while the old model goes on serving. Needs the scope admin.',
    )
    .argument('<file>', 'the model, JSON; - reads standard input')
    .action(publishModel);
  return model;
}

async function showModel(flags: ConnectionOptions): Promise<void> {
  const answer = await connect(flags).expect('GET', '/v1/models/current');
  const model = isRecord(answer) && isRecord(answer['model']) ? answer['model'] : answer;
  process.stdout.write(`${JSON.stringify(model, null, 2)}\n`);
}

async function validateModel(file: string): Promise<void> {
  const { version, rules } = await readModel(file);
  process.stdout.write(`${file}: model ${version} with ${rules.length} ${rules.length === 1 ? 'rule' : 'rules'} is valid.\n`);
}

async function publishModel(file: string, flags: ConnectionOptions): Promise<void> {
  const model = await readModel(file);
  const answer = await connect(flags).expect('POST', '/v1/models', { contentType: 'application/json', text: JSON.stringify(model) });
  const version = isRecord(answer) ? textOf(answer['version']) : '';
  process.stdout.write(`Model ${version || model.version} is published. Accounts are scored anew; until then the former model serves.\n`);
}
