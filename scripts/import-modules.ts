import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

/**
 * A program: imports modules as Node does, one after another. It reads `{root, files}` as JSON from its input, prints each file before it is
 * imported, so that the last line tells which one ended the process, and at the end what failed, by file, as JSON.
 */
async function importModules(root: string, files: readonly string[]): Promise<Record<string, string>> {
  const failures: Record<string, string> = {};
  for (const file of files) {
    console.log(file);
    try {
      await import(pathToFileURL(join(root, file)).href);
    } catch (cause) {
      failures[file] = String(cause);
    }
  }
  return failures;
}

if (import.meta.main) {
  const { root, files } = JSON.parse(readFileSync(0, 'utf8')) as { root: string; files: string[] };
  // No await at the top level: this file is among those imported, and would wait for itself.
  void importModules(root, files).then((failures) => {
    console.log(JSON.stringify(failures));
    // A module that keeps the process busy once it is imported must not keep the test waiting.
    process.exit();
  });
}
