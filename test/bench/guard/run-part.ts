import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pairDecode } from './pair-decode.ts';
import { pairEngine } from './pair-engine.ts';
import { pairIngest } from './pair-ingest.ts';
import { pairLog } from './pair-log.ts';
import { pairStore } from './pair-store.ts';
import { compare, type Pair } from './pair.ts';

/** Each gets an empty directory. */
const PAIRS = {
  engine: pairEngine,
  decode: pairDecode,
  log: pairLog,
  store: pairStore,
  ingest: pairIngest,
} satisfies Readonly<Record<string, (directory: string) => Promise<Pair> | Pair>>;

export type PartName = keyof typeof PAIRS;

export interface PartArgs {
  readonly name: PartName;
  readonly slowness: number;
}

/** Our speed in one part, beside its yardstick. */
export async function runPart({ name, slowness }: PartArgs): Promise<number> {
  const directory = mkdtempSync(join(tmpdir(), 'touchstone-guard-'));
  // This process also ends when the one that waits for it is interrupted.
  process.once('exit', () => rmSync(directory, { recursive: true, force: true, maxRetries: 5 }));
  const pair = await PAIRS[name](directory);
  const ratio = await compare(pair, slowness);
  await pair.close?.();
  return ratio;
}
