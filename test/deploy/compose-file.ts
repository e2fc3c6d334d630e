import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parse } from 'yaml';

export const ROOT = resolve(import.meta.dirname, '../..');

/** As much of a compose file as our tests look at. */
export interface ComposeFile {
  readonly services: Readonly<Record<string, ComposeService>>;
  readonly networks: Readonly<Record<string, { readonly internal?: boolean }>>;
  readonly volumes: Readonly<Record<string, unknown>>;
}

export interface ComposeService {
  readonly image: string;
  readonly build?: string;
  readonly user?: string;
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly networks?: readonly string[];
  readonly read_only?: boolean;
  readonly cap_drop?: readonly string[];
  readonly cap_add?: readonly string[];
  readonly privileged?: boolean;
  readonly security_opt?: readonly string[];
  readonly healthcheck?: { readonly test: readonly string[] };
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly deploy?: {
    readonly replicas?: number;
    readonly resources?: { readonly limits?: { readonly cpus?: string; readonly memory?: string; readonly pids?: number } };
  };
}

/** The text of docker-compose.yml as compose would see it with these variables. @throws Error for a variable that must be set */
export function readCompose(variables: Readonly<Record<string, string>>): ComposeFile {
  // `<<` is how compose merges, though YAML has dropped it since.
  return parse(interpolate(readText('docker-compose.yml'), variables), { merge: true }) as ComposeFile;
}

export function readText(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8');
}

/** Compose's interpolation: `${A}`, `${A:-default}`, `${A:?message}`, and `$$` for a dollar. Others are refused, so that none is missed. */
export function interpolate(text: string, variables: Readonly<Record<string, string>>): string {
  return text.replaceAll(/\$(?:\$|\{(\w+)(?:(:[-?])([^}]*))?\}|)/g, (found, name?: string, operator?: string, rest = '') => {
    if (found === '$$') return '$';
    if (name === undefined) throw new Error('a lone $ in docker-compose.yml: write $$, or ${NAME}');
    const value = variables[name] ?? '';
    if (value !== '') return value;
    if (operator === ':-') return rest;
    throw new Error(`${name} must be set: ${rest}`);
  });
}

/** Names of the variables that the file asks for, and whether a start without them must fail: it must, unless there is a default in some place. */
export function variablesOf(text: string): ReadonlyMap<string, { readonly required: boolean }> {
  const found = new Map<string, { required: boolean }>();
  for (const [, name, operator] of text.matchAll(/\$\{(\w+)(:[-?])?/g)) {
    found.set(name!, { required: (found.get(name!)?.required ?? true) && operator !== ':-' });
  }
  return found;
}

/** What a .env must hold. */
export const SECRETS = {
  TOUCHSTONE_ADMIN_KEY: 'sk_of-compose-tests',
  CLICKHOUSE_PASSWORD: 'of-compose-tests',
  GRAFANA_ADMIN_PASSWORD: 'of-compose-tests',
};
