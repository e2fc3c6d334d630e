import { isDeepStrictEqual } from 'node:util';

export interface OpenApiDocument {
  paths?: unknown;
  components?: { schemas?: Record<string, unknown> };
}

const REF = '#/components/schemas/';
const INPUT = 'Input';

/**
 * The type provider emits every schema that has an id twice, as it is read (`TouchInput`) and as it is written (`Touch`), whether or not
 * anything refers to it. This keeps what is referred to, and gives the plain name to what has only one form.
 */
export function tidyComponents(document: OpenApiDocument): OpenApiDocument {
  const schemas = document.components?.schemas ?? {};
  const used = reachable(document.paths, schemas);
  const renamed = new Map<string, string>();
  for (const name of used) {
    if (!name.endsWith(INPUT)) continue;
    const plain = name.slice(0, -INPUT.length);
    if (!used.has(plain) || isSame(schemas[name], schemas[plain])) renamed.set(name, plain);
  }
  const kept = [...used].map((name) => [renamed.get(name) ?? name, schemas[name]] as const).sort(([a], [b]) => (a < b ? -1 : 1));
  const tidied = { ...document, components: { ...document.components, schemas: Object.fromEntries(kept) } };
  return JSON.parse(JSON.stringify(tidied), (key, value: unknown) => {
    if (key !== '$ref' || typeof value !== 'string' || !value.startsWith(REF)) return value;
    const name = value.slice(REF.length);
    return REF + (renamed.get(name) ?? name);
  }) as OpenApiDocument;
}

/** Two forms are the same when they differ at most in which form of another schema they refer to. */
function isSame(input: unknown, output: unknown): boolean {
  return isDeepStrictEqual(withPlainNames(input), withPlainNames(output));
}

function withPlainNames(schema: unknown): unknown {
  return JSON.parse(JSON.stringify(schema).replaceAll(new RegExp(`(${REF}\\w+?)${INPUT}"`, 'g'), '$1"'));
}

function reachable(root: unknown, schemas: Readonly<Record<string, unknown>>): Set<string> {
  const found = new Set<string>();
  const open: unknown[] = [root];
  while (open.length > 0) {
    const next = open.pop();
    if (typeof next !== 'object' || next === null) continue;
    for (const [key, value] of Object.entries(next)) {
      if (key !== '$ref' || typeof value !== 'string' || !value.startsWith(REF)) {
        open.push(value);
        continue;
      }
      const name = value.slice(REF.length);
      if (found.has(name) || !Object.hasOwn(schemas, name)) continue;
      found.add(name);
      open.push(schemas[name]);
    }
  }
  return found;
}
