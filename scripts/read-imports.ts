/** An import as it is written: what it names, and where. */
export interface Import {
  readonly specifier: string;
  /** Names imported as values, before any `as`; a default import is `default`. Empty when only types are named. */
  readonly values: readonly string[];
  /** The whole module is at hand: `import * as`, `export *` or `import()`. */
  readonly whole: boolean;
  /** Counted from 1. */
  readonly line: number;
}

const FROM = /^[ \t]*(?:import|export)\s+(?<type>type\s+)?(?<clause>[^'"`;]*?)\s*\bfrom\s*['"](?<specifier>[^'"]+)['"]/gm;
const FOR_EFFECT = /^[ \t]*import\s*['"](?<specifier>[^'"]+)['"]/gm;
const DYNAMIC = /\bimport\(\s*['"`](?<specifier>[^'"`]+)['"`]\s*[,)]/g;

/**
 * The imports and re-exports of a module. It reads text, not syntax: our formatter puts each import at the start of a line, which is all it relies on, and
 * TypeScript 7 has no parser to call.
 */
export function readImports(source: string): Import[] {
  const lineOf = (index: number): number => source.slice(0, index).split('\n').length;
  const imports: Import[] = [];
  for (const { groups, index, 0: text } of source.matchAll(FROM)) {
    const { type, clause = '', specifier = '' } = groups!;
    const line = lineOf(index + text.search(/\S/));
    imports.push({
      specifier,
      values: type === undefined ? valuesOf(clause) : [],
      whole: type === undefined && clause.includes('*'),
      line,
    });
  }
  for (const { groups, index, 0: text } of source.matchAll(FOR_EFFECT)) {
    imports.push({ specifier: groups!['specifier']!, values: [], whole: false, line: lineOf(index + text.search(/\S/)) });
  }
  for (const { groups, index } of source.matchAll(DYNAMIC)) {
    imports.push({ specifier: groups!['specifier']!, values: [], whole: true, line: lineOf(index) });
  }
  return imports.toSorted((one, other) => one.line - other.line);
}

/** `x, { a, type B, c as d }` has the values default, a and c. */
function valuesOf(clause: string): string[] {
  const named = /\{(?<names>[^}]*)\}/.exec(clause)?.groups?.['names'] ?? '';
  const names = named
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '' && !name.startsWith('type '));
  const before = clause.split('{')[0]!.split(',')[0]!.trim();
  const values = names.map((name) => name.split(/\s+as\s+/)[0]!);
  return before === '' || before.startsWith('*') ? values : ['default', ...values];
}
