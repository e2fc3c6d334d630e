import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { fileURLToPath } from 'node:url';
import { NEWER_TOUCH_FILE, newerTouchSchema } from './newer-touch-schema.ts';

/**
 * Loaded into a server before it starts, this makes it the next version of itself: one whose schemas/ has the newer touch too. Nothing else
 * that it reads is changed.
 */
const schemas = fileURLToPath(new URL('../../schemas/', import.meta.url));
const { readdirSync, readFileSync } = fs;
const pathOf = (path: unknown): string => (path instanceof URL ? fileURLToPath(path) : String(path));

function readdirWithNewer(...args: Parameters<typeof readdirSync>): unknown {
  const names = readdirSync(...args);
  return pathOf(args[0]) === schemas ? [...names, NEWER_TOUCH_FILE] : names;
}

function readFileWithNewer(...args: Parameters<typeof readFileSync>): unknown {
  return pathOf(args[0]) === `${schemas}${NEWER_TOUCH_FILE}` ? newerTouchSchema() : readFileSync(...args);
}

Object.assign(fs, { readdirSync: readdirWithNewer, readFileSync: readFileWithNewer });
syncBuiltinESMExports();
