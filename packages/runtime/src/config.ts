import { readFileSync } from 'node:fs';
import type { z } from 'zod';

export type Environment = Readonly<Record<string, string | undefined>>;

type ParsedConfig<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly problems: readonly string[] };

/**
 * Reads a service's settings from environment variables; the schema's keys are their names. An empty variable counts as absent. For each
 * name in `secrets`, `NAME_FILE` may give the path of a file that holds the value; one line end at its end is dropped.
 */
export function parseConfig<Schema extends z.ZodObject>(
  schema: Schema,
  environment: Environment,
  secrets: readonly (keyof Schema['shape'] & string)[] = [],
): ParsedConfig<z.output<Schema>> {
  const problems: string[] = [];
  // A secret with a problem of its own would be reported once more, as missing.
  const reported = new Set<string>();
  const given: Record<string, string> = {};
  for (const name of Object.keys(schema.shape)) {
    const value = environment[name];
    if (value !== undefined && value !== '') given[name] = value;
  }
  for (const name of secrets) {
    const path = environment[`${name}_FILE`];
    if (path === undefined || path === '') continue;
    if (name in given) {
      problems.push(`${name} and ${name}_FILE are both set: keep one`);
      reported.add(name);
      continue;
    }
    try {
      given[name] = readFileSync(path, 'utf8').replace(/\r?\n$/, '');
    } catch (cause) {
      problems.push(`${name}_FILE: ${cause instanceof Error ? cause.message : String(cause)}`);
      reported.add(name);
    }
  }
  const parsed = schema.safeParse(given);
  if (!parsed.success) {
    for (const issue of parsed.error.issues) {
      const name = issue.path.join('.');
      if (!reported.has(name)) problems.push(name === '' ? issue.message : `${name}: ${issue.message}`);
    }
  }
  return parsed.success && problems.length === 0 ? { ok: true, value: parsed.data } : { ok: false, problems };
}

/** As `parseConfig`, for `main.ts`: prints every problem at once and leaves with exit code 2. */
export function loadConfig<Schema extends z.ZodObject>(
  schema: Schema,
  secrets: readonly (keyof Schema['shape'] & string)[] = [],
  environment: Environment = process.env,
): z.output<Schema> {
  const config = parseConfig(schema, environment, secrets);
  if (config.ok) return config.value;
  const lines = config.problems.map((problem) => `  - ${problem}`);
  process.stderr.write(`The settings are not right:\n${lines.join('\n')}\n`);
  return process.exit(2);
}
