import { readFileSync } from 'node:fs';
import type { ScoringModel } from '@touchstone/engine';
import { CliError, EXIT } from '../cli-error.ts';

/**
 * A scoring model from a file, or from standard input for `-`.
 * @throws CliError with every problem on a line of its own
 */
export async function readModel(file: string): Promise<ScoringModel> {
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
