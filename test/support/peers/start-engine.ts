import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { guardChild } from '@touchstone/testkit';

const ENTRY = fileURLToPath(new URL('../../bench/peers-entry.ts', import.meta.url));
const FIRST_RECORD = /^FIRST_RECORD \d+$/m;
const RECOVERED = 'recovered from the stored touches';
const OUTPUT_SHOWN = 4000;

/** Our engine of the comparison, as a process of its own with the environment that the comparison gives. */
export interface PeersEngine {
  readonly stateDirectory: string;
  /** Whether it has told that reading has begun. */
  readonly hasBegun: boolean;
  /** Stored touches that it began with. */
  readonly recovered: number;
  /** @throws Error when it has ended without being told to, with what it wrote */
  assertAlive(): void;
  /** kill -9; resolves when it is gone. */
  kill(): Promise<void>;
  /** SIGTERM; resolves to how it ended: the code, or else the signal. */
  stop(): Promise<number | NodeJS.Signals | null>;
}

export function startEngine(stateDirectory: string, env: Readonly<Record<string, string>>): PeersEngine {
  mkdirSync(stateDirectory, { recursive: true });
  const child = spawn(process.execPath, [ENTRY], {
    cwd: stateDirectory,
    env: { ...process.env, STATE_DIR: stateDirectory, GUARANTEE: 'eos', LOG_LEVEL: 'info', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  guardChild(child);
  let output = '';
  const keep = (text: string): void => {
    output += text;
  };
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', keep);
  let isEnded = false;
  const ended = once(child, 'close').then(() => {
    isEnded = true;
    return child.exitCode ?? child.signalCode;
  });
  return {
    stateDirectory,
    get hasBegun() {
      return FIRST_RECORD.test(output);
    },
    get recovered() {
      const lines = output.split('\n').filter((line) => line.includes(RECOVERED));
      return lines.reduce((records, line) => records + (JSON.parse(line) as { records: number }).records, 0);
    },
    assertAlive() {
      if (isEnded) throw new Error(`the engine ended by itself (${child.exitCode ?? child.signalCode}):\n${output.slice(-OUTPUT_SHOWN)}`);
    },
    async kill() {
      child.kill('SIGKILL');
      await ended;
    },
    stop() {
      child.kill('SIGTERM');
      return ended;
    },
  };
}
