import { globSync } from 'node:fs';
import { sep } from 'node:path';

const PLACES = ['packages/*/src/**/*.ts', 'services/*/src/**/*.ts', 'test/**/*.ts', 'scripts/**/*.ts'];

/** Every TypeScript file of ours below `root`, relative to it, with forward slashes, sorted. */
export function sourceFiles(root: string): string[] {
  const found = globSync(PLACES, { cwd: root, exclude: (name) => name.split(sep).includes('node_modules') });
  return found.map((file) => file.replaceAll(sep, '/')).toSorted();
}

/**
 * Tests (`x.test.ts`), what they share (`test-x.ts`), contract suites, benchmarks and the programs that tests start (`x.child.ts`): nothing of
 * the running system imports them.
 */
export function isTestFile(file: string): boolean {
  return /\.(test|contract|bench|child)\.ts$|(^|\/)test-[^/]+\.ts$/.test(file);
}
