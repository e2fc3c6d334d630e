import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { LinkFault } from './link-fault.ts';

/** Bytes that may wait in one direction before its source is no longer read. */
const WAITING_BYTES_MAX = 1024 * 1024;
const SLICES_PER_SECOND = 20;

export interface RelayOptions {
  readonly from: Socket;
  readonly to: Socket;
  readonly fault: () => LinkFault;
  /** Resolves when the fault in force is no longer `hold`, or the connection is gone. */
  readonly released: () => Promise<void>;
  /** Pieces to hand over for a piece that came in. */
  readonly transform: (bytes: Buffer) => readonly Buffer[];
  readonly onFault: (fault: LinkFault) => void;
  /** Bytes were swallowed: the connection can't go on once the fault ends. */
  readonly onLost: () => void;
}

/** One direction of a connection: hands bytes over in order, in the way that the fault in force allows. */
export function relay({ from, to, fault, released, transform, onFault, onLost }: RelayOptions): void {
  let waiting = 0;
  let last: Promise<void> = Promise.resolve();

  async function handOver(bytes: Buffer, cameAt: number): Promise<void> {
    let current = fault();
    while (current.kind === 'hold' && !to.destroyed) {
      onFault(current);
      await released();
      current = fault();
    }
    if (to.destroyed) return;
    if (current.kind !== 'pass') onFault(current);
    if (current.kind === 'blackhole') {
      onLost();
      return;
    }
    if (current.kind === 'latency') {
      const wait = cameAt + current.ms + Math.random() * current.jitterMs - performance.now();
      if (wait > 0) await sleep(wait);
    }
    for (const piece of transform(bytes)) {
      if (current.kind === 'slow') await trickle(piece, to, current.bytesPerSecond, fault);
      else await write(to, piece);
    }
  }

  from.on('data', (bytes: Buffer) => {
    waiting += bytes.length;
    if (waiting > WAITING_BYTES_MAX) from.pause();
    const cameAt = performance.now();
    last = last
      .then(() => handOver(bytes, cameAt))
      .then(() => {
        waiting -= bytes.length;
        if (waiting <= WAITING_BYTES_MAX) from.resume();
      });
  });
  // An end of one side is passed on after what came before it.
  from.on('end', () => void last.then(() => to.end()));
}

async function trickle(bytes: Buffer, to: Socket, bytesPerSecond: number, fault: () => LinkFault): Promise<void> {
  const slice = Math.max(1, Math.floor(bytesPerSecond / SLICES_PER_SECOND));
  for (let at = 0; at < bytes.length && !to.destroyed;) {
    if (fault().kind !== 'slow') return write(to, bytes.subarray(at));
    await write(to, bytes.subarray(at, at + slice));
    at += slice;
    await sleep(1000 / SLICES_PER_SECOND);
  }
}

async function write(to: Socket, bytes: Buffer): Promise<void> {
  if (to.destroyed || to.writableEnded || to.write(bytes)) return;
  await new Promise<void>((resolve) => {
    const done = (): void => {
      to.off('drain', done).off('close', done);
      resolve();
    };
    to.on('drain', done).on('close', done);
  });
}
