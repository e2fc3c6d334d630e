import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { expect, it } from 'vitest';
import { isTestFile, sourceFiles } from './source-files.ts';

/**
 * Some code passes the type checker and fails to load: Node strips types but does not rewrite decorators, and finds no `./x.js` where there is
 * `x.ts`. Vitest transforms what it loads, so this goes through a plain Node.
 */
function failuresOf(root: string, files: readonly string[]): unknown {
  const program = join(import.meta.dirname, 'import-modules.ts');
  const { stdout, stderr } = spawnSync(process.execPath, [program], { encoding: 'utf8', input: JSON.stringify({ root, files }) });
  const last = stdout.trimEnd().split('\n').at(-1) ?? '';
  if (!last.startsWith('{')) throw new Error(`importing ${last} ended the process: ${stderr}`);
  return JSON.parse(last);
}

/** main.ts starts a service by being imported, as does a program that a test starts; tests and contract suites need vitest around them. */
function isModule(file: string): boolean {
  return basename(file) !== 'main.ts' && !isTestFile(file);
}

it('Node imports every source module', () => {
  const root = resolve(import.meta.dirname, '..');
  const files = sourceFiles(root).filter(isModule);
  expect(files).toContain('packages/engine/src/index.ts');
  expect(failuresOf(root, files)).toEqual({});
});

it('what only the type checker accepts is found', () => {
  const root = mkdtempSync(join(tmpdir(), 'import-every-module-'));
  try {
    writeFileSync(join(root, 'fine.ts'), 'export const fine: number = 1;\n');
    writeFileSync(join(root, 'specifier.ts'), "export { fine } from './fine.js';\n");
    writeFileSync(join(root, 'decorator.ts'), 'const mark = (value: unknown): unknown => value;\n@mark\nexport class Marked {}\n');
    writeFileSync(join(root, 'enum.ts'), 'export enum Colour { red }\n');
    writeFileSync(join(root, 'exit.ts'), 'process.exit(0);\n');
    expect(failuresOf(root, ['fine.ts', 'specifier.ts', 'decorator.ts', 'enum.ts'])).toEqual({
      'specifier.ts': expect.stringContaining('fine.js'),
      'decorator.ts': expect.stringContaining('SyntaxError'),
      'enum.ts': expect.stringContaining('enum'),
    });
    expect(() => failuresOf(root, ['fine.ts', 'exit.ts'])).toThrow('importing exit.ts ended the process');
  } finally {
    rmSync(root, { recursive: true });
  }
});
