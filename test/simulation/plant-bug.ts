import { readFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { fileURLToPath } from 'node:url';
import { PLANTED_BUGS, type BugName, type PlantedBug } from './planted-bugs.ts';

const ROOT = new URL('../../', import.meta.url);

export function bugNamed(name: string): BugName {
  if (Object.hasOwn(PLANTED_BUGS, name)) return name as BugName;
  throw new RangeError(`there is no planted bug ${name}, but there are ${Object.keys(PLANTED_BUGS).join(', ')}`);
}

/** The file's text with the bug in it. @throws Error when the code to change does not stand there exactly once: then it was rewritten */
export function withBug(name: BugName): string {
  const { becomes, code, file }: PlantedBug = PLANTED_BUGS[name];
  const parts = readFileSync(fileURLToPath(new URL(file, ROOT)), 'utf8').split(code);
  if (parts.length !== 2)
    throw new Error(`the bug ${name} does not fit any more: ${file} holds its code ${parts.length - 1} times, not once`);
  return parts.join(becomes);
}

/** From now on the file is loaded with the bug in it. To be called before anything that imports the file. */
export function plantBug(name: BugName): void {
  const source = withBug(name);
  const url = new URL(PLANTED_BUGS[name].file, ROOT).href;
  registerHooks({
    load: (loaded, context, nextLoad) =>
      loaded === url ? { format: 'module-typescript', source, shortCircuit: true } : nextLoad(loaded, context),
  });
}
