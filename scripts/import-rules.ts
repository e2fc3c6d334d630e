import { posix } from 'node:path';
import type { Import } from './read-imports.ts';
import { isTestFile } from './source-files.ts';

/**
 * Which part may import which. Dependencies point one way, services -> packages -> engine, so that the engine can be tested and replayed without
 * anything around it, and an adapter replaced without anything beside it.
 */

/** The parts there are, by folder name. */
export interface Workspace {
  readonly packages: readonly string[];
  readonly services: readonly string[];
}

interface Part {
  readonly kind: 'package' | 'service' | 'test' | 'scripts';
  readonly name: string;
  /** Folder that relative imports stay in. */
  readonly folder: string;
}

const SCOPE = '@touchstone/';
const ENGINE = 'engine';
/** Pure like the engine, and of no use to it: what a KPI is, which the store measures and the service tells. */
const KPIS = 'kpis';
const TESTKIT = 'testkit';
/** Packages whose `open...` functions take hold of a directory, a connection or a lock. */
const ADAPTERS = new Set(['event-log', 'store']);
const OPENS = /^open[A-Z]/;
/** The one package that stands between others: restoring ledgers takes the log's extents and the store's rows. It may name their types. */
const RECOVERY = 'recovery';

/** Why an import is wrong and where the code belongs; null when it is right. `file` is relative to the root, with forward slashes. */
export function judgeImport(file: string, imported: Import, workspace: Workspace): string | null {
  const part = partOf(file);
  if (imported.specifier.startsWith('.')) return judgeRelative(file, part, imported.specifier);
  if (isForTests(file, part)) return null;
  if ((part.name === ENGINE || part.name === KPIS) && imported.specifier.startsWith('node:') && !isHashAlone(imported))
    return ENGINE_IS_PURE;
  if (!imported.specifier.startsWith(SCOPE)) return null;

  const target = imported.specifier.slice(SCOPE.length).split('/')[0]!;
  if (target === part.name) return 'a part does not import itself by name: import the file, relatively.';
  return judgeDirection(part, target, imported, workspace) ?? judgeAdapter(file, target, imported);
}

const ENGINE_IS_PURE =
  'the engine is a function of the log alone: no I/O, clock or randomness of its own. ' +
  'Pass what it needs as an argument from the service that has it.';

/** A hash is a function of its argument; all else of the module is not. */
function isHashAlone({ specifier, values, whole }: Import): boolean {
  return specifier === 'node:crypto' && !whole && values.every((value) => value === 'hash');
}

function judgeRelative(file: string, part: Part, specifier: string): string | null {
  const target = posix.join(posix.dirname(file), specifier);
  if (target.startsWith(`${part.folder}/`)) {
    if (!isTestFile(target) || isForTests(file, part)) return null;
    return 'it is for tests: what the running system needs does not belong there. Move it to a file with a name of its own.';
  }
  return (
    `it leaves ${part.folder}/. What another part offers is in its index.ts: export it there and import ${SCOPE}NAME; ` +
    'what both need belongs in the one that the other may import.'
  );
}

function judgeDirection(part: Part, target: string, imported: Import, { packages, services }: Workspace): string | null {
  if (target === TESTKIT)
    return 'testkit is for tests: what the running system needs does not belong there. Move it to the part that uses it.';
  if (part.name === KPIS) {
    return 'what a KPI is needs nothing of ours: it is arithmetic and the calendar. Pass in what it needs.';
  }
  if (part.name === ENGINE) {
    return 'the engine imports nothing of ours, so that a replay needs nothing but it. Move the type or function into the engine, or the code out of it.';
  }
  if (part.kind === 'package' && services.includes(target)) {
    return 'packages know nothing of services. Move what both need into a package, or let the service pass it in.';
  }
  const namesTypesOnly = imported.values.length === 0 && !imported.whole;
  if (part.name === RECOVERY && namesTypesOnly) return null;
  if (part.kind === 'package' && target !== ENGINE && target !== KPIS && packages.includes(target)) {
    return 'packages import none but the engine and kpis, so that each adapter can be replaced alone. Put the two together in a service, or move a shared type into the engine.';
  }
  if (part.kind === 'service' && part.name !== 'standalone' && services.includes(target)) {
    return 'services run as processes of their own and meet only on the log and in the store. Move what both need into a package; only standalone puts services together.';
  }
  return null;
}

function judgeAdapter(file: string, target: string, { values, whole }: Import): string | null {
  if (!ADAPTERS.has(target) || posix.basename(file) === 'main.ts') return null;
  const opener = values.find((name) => OPENS.test(name));
  if (opener !== undefined)
    return `only main.ts calls ${opener}: take the opened port as an argument, so that tests and standalone choose what stands behind it.`;
  return whole ? 'name what is imported: with the whole adapter at hand this check can not see that only main.ts opens it.' : null;
}

function partOf(file: string): Part {
  const [top = '', name = ''] = file.split('/');
  if (top === 'packages') return { kind: 'package', name, folder: `packages/${name}` };
  if (top === 'services') return { kind: 'service', name, folder: `services/${name}` };
  return { kind: top === 'test' ? 'test' : 'scripts', name: top, folder: top };
}

/** Tests, the testkit and our scripts may import anything: nothing of the running system imports them. */
function isForTests(file: string, part: Part): boolean {
  return part.kind === 'test' || part.kind === 'scripts' || part.name === TESTKIT || isTestFile(file);
}
