import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { checkImports } from './check-imports.ts';
import { readImports } from './read-imports.ts';

let root = '';
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'check-imports-'));
  for (const part of ['packages/engine', 'packages/codec', 'packages/event-log', 'packages/store', 'packages/testkit'])
    plant(`${part}/src/index.ts`);
  for (const part of ['services/ingest', 'services/query', 'services/standalone']) plant(`${part}/src/index.ts`);
});
afterEach(() => rmSync(root, { recursive: true }));

function plant(file: string, ...lines: string[]): void {
  mkdirSync(dirname(join(root, file)), { recursive: true });
  writeFileSync(join(root, file), `${lines.join('\n')}\nexport {};\n`);
}

describe('an edge that is wrong is named with its place, the reason and the way out', () => {
  const rows: [description: string, file: string, line: string, expected: RegExp][] = [
    [
      'engine imports a value',
      'packages/engine/src/a.ts',
      "import { x } from '@touchstone/codec';",
      /the engine imports nothing of ours.*Move/,
    ],
    [
      'engine imports a type',
      'packages/engine/src/a.ts',
      "import type { X } from '@touchstone/store';",
      /the engine imports nothing of ours/,
    ],
    [
      'engine draws lots',
      'packages/engine/src/a.ts',
      "import { hash, randomUUID } from 'node:crypto';",
      /function of the log alone.*argument/,
    ],
    ['engine does I/O', 'packages/engine/src/a.ts', "import { readFileSync } from 'node:fs';", /function of the log alone.*argument/],
    [
      'experiments draw lots',
      'packages/experiments/src/a.ts',
      "import { randomInt } from 'node:crypto';",
      /no I\/O, clock or randomness but a seed.*argument/,
    ],
    [
      'adapter imports adapter',
      'packages/store/src/a.ts',
      "import { x } from '@touchstone/event-log';",
      /import none but the engine.*service/,
    ],
    [
      'adapter imports a type of another',
      'packages/codec/src/a.ts',
      "import type { X } from '@touchstone/store';",
      /import none but the engine/,
    ],
    ['adapter re-exports another', 'packages/codec/src/a.ts', "export { x } from '@touchstone/store';", /import none but the engine/],
    ['package imports service', 'packages/store/src/a.ts', "import { x } from '@touchstone/query';", /packages know nothing of services/],
    ['service imports service', 'services/query/src/a.ts', "import { x } from '@touchstone/ingest';", /meet only on the log.*package/],
    ['a deep path of a service', 'services/query/src/a.ts', "import { x } from '@touchstone/ingest/src/b.ts';", /meet only on the log/],
    ['a part imports itself by name', 'packages/store/src/a.ts', "import { x } from '@touchstone/store';", /relatively/],
    ['source imports testkit', 'services/query/src/a.ts', "import { x } from '@touchstone/testkit';", /testkit is for tests/],
    ['main.ts imports testkit', 'services/query/src/main.ts', "import { x } from '@touchstone/testkit';", /testkit is for tests/],
    [
      'an adapter is opened aside',
      'services/query/src/a.ts',
      "import { openStore } from '@touchstone/store';",
      /only main\.ts calls openStore/,
    ],
    [
      'also under another name',
      'services/query/src/a.ts',
      "import { type X, openEmbeddedLog as log } from '@touchstone/event-log';",
      /openEmbeddedLog/,
    ],
    ['the opener is passed on', 'services/query/src/a.ts', "export { openStore } from '@touchstone/store';", /only main\.ts/],
    ['a whole adapter', 'services/standalone/src/a.ts', "import * as store from '@touchstone/store';", /name what is imported/],
    ['a whole adapter, later', 'services/query/src/a.ts', "  const store = await import('@touchstone/store');", /name what is imported/],
    [
      'relative into another package',
      'packages/codec/src/a.ts',
      "import { x } from '../../engine/src/index.ts';",
      /leaves packages\/codec\/.*index\.ts/,
    ],
    ['source imports what is for tests', 'services/query/src/a.ts', "import { x } from './test-app.ts';", /is for tests.*Move/],
    ['source imports a contract suite', 'services/query/src/a.ts', "import { x } from './b/c.contract.ts';", /is for tests/],
    ['also in a test', 'services/query/src/a.test.ts', "import { x } from '../../ingest/src/index.ts';", /leaves services\/query\//],
    ['also under test/', 'test/integrity/a.test.ts', "import '../../packages/codec/src/index.ts';", /leaves test\//],
  ];
  it.each(rows)('%s', (_description, file, line, expected) => {
    plant(file, "import type { Y } from 'zod';", line);
    const { violations } = checkImports(root);
    expect(violations).toHaveLength(1);
    expect(violations[0]).toMatch(new RegExp(`^${file}:2 imports `));
    expect(violations[0]).toMatch(expected);
  });
});

describe('an edge that is right says nothing', () => {
  const rows: [description: string, file: string, line: string][] = [
    ['engine imports a hash', 'packages/engine/src/a.ts', "import { hash } from 'node:crypto';"],
    ['engine imports a library and its own', 'packages/engine/src/a.ts', "import { z } from 'zod';\nimport { x } from './b/c.ts';"],
    ['adapter imports engine and node', 'packages/store/src/a.ts', "import { x } from '@touchstone/engine';\nimport { y } from 'node:fs';"],
    ['service imports packages', 'services/query/src/a.ts', "import { StoreError, type Store } from '@touchstone/store';"],
    ['a type whose name begins like an opener', 'services/query/src/a.ts', "import type { openStore } from '@touchstone/store';"],
    ['main.ts opens', 'services/query/src/main.ts', "import { openStore } from '@touchstone/store';"],
    ['standalone imports services', 'services/standalone/src/a.ts', "import { x } from '@touchstone/query';"],
    ['a test imports anything', 'packages/engine/src/a.test.ts', "import { openStore } from '@touchstone/store';"],
    ['what tests share too', 'services/query/src/test-app.ts', "import { openStore } from '@touchstone/store';\nimport './test-b.ts';"],
    ['a contract suite too', 'packages/event-log/src/log.contract.ts', "import { x } from '@touchstone/testkit';"],
    ['testkit imports anything', 'packages/testkit/src/a.ts', "import { openStore } from '@touchstone/store';"],
    ['test/ imports anything', 'test/integrity/a.ts', "import { x } from '@touchstone/query';\nimport { y } from '../support/b.ts';"],
    ['words in a comment', 'packages/engine/src/a.ts', " * import { x } from '@touchstone/store';"],
  ];
  it.each(rows)('%s', (_description, file, line) => {
    plant(file, line);
    expect(checkImports(root)).toEqual({ files: 9, violations: [] });
  });

  it('all of this repository', () => {
    expect(checkImports(resolve(import.meta.dirname, '..')).violations).toEqual([]);
  });
});

it('reads every way to write an import', () => {
  const source = [
    "import a from 'a';",
    "import b, { type B, c as d } from 'b';",
    "import type { E } from 'e';",
    "import * as f from 'f';",
    'import {',
    '  g,',
    '  h,',
    "} from 'g';",
    "import 'i';",
    "export * from 'j';",
    'export const k = 1;',
    "const l = await import('l');",
  ].join('\n');
  const read = readImports(source).map(({ specifier, values, whole, line }) => [specifier, values.join(), whole, line]);
  expect(read).toEqual([
    ['a', 'default', false, 1],
    ['b', 'default,c', false, 2],
    ['e', '', false, 3],
    ['f', '', true, 4],
    ['g', 'g,h', false, 5],
    ['i', '', false, 9],
    ['j', '', true, 10],
    ['l', '', true, 12],
  ]);
});
