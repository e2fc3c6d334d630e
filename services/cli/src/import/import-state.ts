import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { CliError } from '../cli-error.ts';
import { isRecord } from '../api-client.ts';
import type { ImportSummary } from './import-summary.ts';

/**
 * Where an import stands, beside its file. Reading is repeatable and cheap next to sending, so a resumed import reads the file from its
 * beginning, comes to the same items in the same order, and passes over those that were answered. What was sent but not noted when the
 * process died is sent again; its ids are the same, so the server counts it once.
 */
export interface ImportState {
  readonly format: 1;
  /** All options that decide what is sent and where; another set of them is another import. */
  readonly options: string;
  /** Epoch milliseconds. */
  readonly startedAt: number;
  readonly shiftMs: number;
  /** By lane: how many of its first items the server has answered for. */
  readonly answered: readonly number[];
  readonly accepted: number;
  readonly rejectedByServer: Readonly<Record<string, number>>;
  /** Refused lines up to this one are in the file of rejected lines. */
  readonly refusedThrough: number;
  /** Length of the file of rejected lines; what is behind it was written after this state and will come again. */
  readonly rejectedBytes: number;
  /** How many lines were read, and the fingerprint of them: a file that has changed can not be gone on with. */
  readonly read: { readonly count: number; readonly head: string };
  /** Of the file, bytes as stored, when this was written: a finished import goes on when there is more. */
  readonly size: number | null;
  readonly seconds: number;
  /** Set once all is sent and answered. */
  readonly summary: ImportSummary | null;
}

/** Null when there is none. */
export function readState(path: string): ImportState | null {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw new CliError(`Can not read ${path}, which says where this import stands.`, { cause: error });
  }
  try {
    const state: unknown = JSON.parse(text);
    if (isState(state)) return state;
  } catch {
    // Not JSON: the same advice as for JSON of another shape.
  }
  throw new CliError(`${path} should say where this import stands, but can not be understood. Begin anew with --restart.`);
}

function isState(value: unknown): value is ImportState {
  if (!isRecord(value) || value['format'] !== 1 || !isRecord(value['read']) || !isRecord(value['rejectedByServer'])) return false;
  const { answered } = value;
  const counts = ['startedAt', 'shiftMs', 'accepted', 'refusedThrough', 'rejectedBytes', 'seconds'];
  return (
    typeof value['options'] === 'string' &&
    Array.isArray(answered) &&
    answered.length > 0 &&
    answered.every((count) => Number.isSafeInteger(count)) &&
    counts.every((name) => typeof value[name] === 'number')
  );
}

/** In one step: a reader sees the former state or this one, also when the process dies in between. */
export function writeState(path: string, state: ImportState): void {
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    writeFileSync(temporary, `${JSON.stringify(state)}\n`);
    renameSync(temporary, path);
  } catch (cause) {
    throw new CliError(`Can not write ${path}, which keeps where this import stands. Name another place with --state.`, { cause });
  }
}
