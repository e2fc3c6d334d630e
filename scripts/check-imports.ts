import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { judgeImport, type Workspace } from './import-rules.ts';
import { readImports } from './read-imports.ts';
import { sourceFiles } from './source-files.ts';

/** Checks the direction of every import below `root`: one line for each that is wrong, empty when all are right. */
export function checkImports(root: string): { readonly files: number; readonly violations: readonly string[] } {
  const workspace: Workspace = { packages: foldersIn(join(root, 'packages')), services: foldersIn(join(root, 'services')) };
  const files = sourceFiles(root);
  const violations = files.flatMap((file) =>
    readImports(readFileSync(join(root, file), 'utf8')).flatMap((imported) => {
      const why = judgeImport(file, imported, workspace);
      return why === null ? [] : [`${file}:${imported.line} imports ${imported.specifier}: ${why}`];
    }),
  );
  return { files: files.length, violations };
}

function foldersIn(folder: string): string[] {
  const entries = readdirSync(folder, { withFileTypes: true });
  return entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
}

if (import.meta.main) {
  const { files, violations } = checkImports(resolve(import.meta.dirname, '..'));
  for (const violation of violations) console.error(`${violation}\n`);
  console.log(`${files} files, ${violations.length} wrong imports`);
  process.exitCode = violations.length === 0 ? 0 : 1;
}
