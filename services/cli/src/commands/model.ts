import { readFileSync } from 'node:fs';
import type { ScoringModel } from '@touchstone/engine';
import { Command } from 'commander';
import { isRecord } from '../api-client.ts';
import { CliError, EXIT } from '../cli-error.ts';
import { textOf } from '../answers.ts';
import { connect, withConnection, type ConnectionOptions } from './connection.ts';

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

/** @throws CliError with every problem on a line of its own */
async function readModel(file: string): Promise<ScoringModel> {
  let text: string;
  try {
    text = readFileSync(file === '-' ? 0 : file, 'utf8');
  } catch (cause) {
    throw new CliError(`Can not read ${file}: there is no such file, or it may not be read.`, { exitCode: EXIT.usage, cause });
  }
  let document: unknown;
  try {
    document = JSON.parse(text.replace(/^\ufeff/, ''));
  } catch (error) {
    throw new CliError(`${file} is no JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
  // The engine takes a moment to load, which the other commands need not wait for.
  const { scoringModelSchema } = await import('@touchstone/engine');
  const parsed = scoringModelSchema.safeParse(document);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.flatMap(describeIssue);
  throw new CliError(`${file} is no valid model:\n${problems.map((problem) => `  ${problem}`).join('\n')}`);
}

interface Issue {
  readonly code?: string;
  readonly path: readonly PropertyKey[];
  readonly message: string;
  readonly keys?: readonly string[];
}

/** Unknown fields come as one issue of their parent; each gets its own line and pointer. */
function describeIssue(issue: Issue): string[] {
  if (issue.code === 'unrecognized_keys' && issue.keys !== undefined) {
    return issue.keys.map((key) => `${pointerOf([...issue.path, key])}: there is no such field`);
  }
  return [`${pointerOf(issue.path)}: ${issue.message}`];
}

/** RFC 6901; the whole document shows as (document). */
function pointerOf(path: readonly PropertyKey[]): string {
  if (path.length === 0) return '(document)';
  return path.map((part) => `/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}
