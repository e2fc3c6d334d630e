import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { CliError } from '../cli-error.ts';
import type { Item } from './outcome.ts';

/** Where items go: to the server by lanes, to a file, or nowhere. */
export interface ItemSink {
  /** Takes the item; a promise is given when the caller must wait before the next one. */
  push(item: Item): Promise<void> | undefined;
  /** Resolves when everything taken has arrived. */
  drain(): Promise<void>;
  /** Takes nothing more; resolves when what is under way has ended. Never rejects. */
  stop(): Promise<void>;
}

export const nowhere: ItemSink = { push: () => undefined, drain: () => Promise.resolve(), stop: () => Promise.resolve() };

/** Items as NDJSON in a file; '-' is standard output. */
export function createFileSink(path: string): ItemSink {
  const stream = path === '-' ? process.stdout : createWriteStream(path);
  let failure: CliError | null = null;
  stream.on('error', (cause: Error) => {
    failure = new CliError(`Can not write ${path === '-' ? 'to standard output' : path}: ${cause.message}`, { cause });
  });

  async function roomAgain(): Promise<void> {
    // `once` rejects with the stream's error, which the listener above has seen too.
    await once(stream, 'drain').catch(() => undefined);
    if (failure !== null) throw failure;
  }

  async function drain(): Promise<void> {
    await new Promise<void>((resolve) => {
      stream.once('error', () => resolve());
      if (stream === process.stdout) stream.write('', () => resolve());
      else stream.end(() => resolve());
    });
    if (failure !== null) throw failure;
  }

  return {
    push(item) {
      if (failure !== null) throw failure;
      return stream.write(`${item.body}\n`) ? undefined : roomAgain();
    },
    drain,
    stop: () => drain().catch(() => undefined),
  };
}
