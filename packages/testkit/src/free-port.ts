import { once } from 'node:events';
import { createServer } from 'node:net';

/** Below those that systems give to whoever asks for any port and to outgoing connections: 32768 on Linux, 49152 elsewhere. */
const FIRST = 12_000;
const END = 32_000;
/** So many for a process at once; then it begins again. */
const SLOT = 40;

// Test processes that run side by side are numbered by vitest, and another run of it, in another checkout, is another parent; others have to do with their pid.
const pool = process.env['VITEST_POOL_ID'];
const slot = (pool === undefined ? process.pid : 37 * process.ppid + Number(pool)) % Math.floor((END - FIRST) / SLOT);
let next = Math.floor(Math.random() * SLOT);

/**
 * A port of 127.0.0.1 that nothing listens on. It stays free while a process that is to listen on it starts, or starts again: nobody is given it
 * by the system, and no other test process of the same run by this function.
 */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < SLOT; tries++) {
    const port = FIRST + slot * SLOT + (next++ % SLOT);
    if (await isFree(port)) return port;
  }
  throw new Error(`of ${SLOT} ports from ${FIRST + slot * SLOT} none is free`);
}

async function isFree(port: number): Promise<boolean> {
  const probe = createServer();
  try {
    await once(probe.listen(port, '127.0.0.1'), 'listening');
  } catch {
    return false;
  }
  probe.close();
  await once(probe, 'close');
  return true;
}
