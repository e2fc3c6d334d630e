import { createReadStream, statSync, type ReadStream } from 'node:fs';
import { basename, resolve } from 'node:path';
import { pipeline, Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { CliError, EXIT } from '../cli-error.ts';
import { readLines } from './read-lines.ts';

/** What is imported: a file, plain or gzip, or standard input. */
export interface Source {
  readonly name: string;
  /** Null for standard input, which can be read only once. */
  readonly path: string | null;
  /** Bytes as stored, compressed if they are; null for standard input. */
  readonly size: number | null;
  /** Of the stored bytes, how many the reading under way has taken. */
  readonly bytesRead: number;
  /** The first line that is not blank; null when there is none. */
  firstLine(): Promise<string | null>;
  /** The content from its beginning, decompressed. */
  chunks(): AsyncIterable<Buffer>;
}

const CHUNK_BYTES = 256 * 1024;

export function openSource(file: string): Source {
  return file === '-' ? openStandardInput(process.stdin) : openFile(file);
}

function openFile(file: string): Source {
  let stat;
  try {
    stat = statSync(file);
  } catch (cause) {
    throw new CliError(`Can not read ${file}: there is no such file.`, { exitCode: EXIT.usage, cause });
  }
  if (!stat.isFile()) throw new CliError(`Can not read ${file}: it is not a file.`, { exitCode: EXIT.usage });
  let stream: ReadStream | null = null;

  function chunks(): AsyncIterable<Buffer> {
    stream = createReadStream(file, { highWaterMark: CHUNK_BYTES });
    return inflated(stream, file);
  }
  return {
    name: basename(file),
    path: resolve(file),
    size: stat.size,
    get bytesRead() {
      return stream?.bytesRead ?? 0;
    },
    firstLine: () => firstLineOf(chunks()),
    chunks,
  };
}

function openStandardInput(input: AsyncIterable<Buffer>): Source {
  let bytesRead = 0;
  const taken: Buffer[] = [];
  let iterator: AsyncIterator<Buffer> | null = null;
  let isUsed = false;

  async function* rest(): AsyncGenerator<Buffer> {
    iterator ??= inflated(input, 'standard input')[Symbol.asyncIterator]();
    for (const chunk of taken.splice(0)) yield chunk;
    for (let step = await iterator.next(); step.done !== true; step = await iterator.next()) {
      bytesRead += step.value.length;
      yield step.value;
    }
  }

  /** Looks ahead without taking anything away from `chunks`. */
  async function* ahead(): AsyncGenerator<Buffer> {
    const seen: Buffer[] = [];
    try {
      for await (const chunk of rest()) {
        seen.push(chunk);
        yield chunk;
      }
    } finally {
      taken.push(...seen);
    }
  }

  return {
    name: 'standard input',
    path: null,
    size: null,
    get bytesRead() {
      return bytesRead;
    },
    firstLine: () => firstLineOf(ahead()),
    chunks() {
      if (isUsed) throw new CliError('Standard input can be read only once; save it to a file first.', { exitCode: EXIT.usage });
      isUsed = true;
      return rest();
    },
  };
}

async function firstLineOf(chunks: AsyncIterable<Buffer>): Promise<string | null> {
  for await (const lines of readLines(chunks)) {
    const line = lines.find(({ text }) => text.trim() !== '');
    if (line !== undefined) return line.text;
  }
  return null;
}

/** Told by its first two bytes, as file names lie. */
async function* inflated(chunks: AsyncIterable<Buffer>, name: string): AsyncGenerator<Buffer> {
  const iterator = chunks[Symbol.asyncIterator]();
  let isDone = false;
  async function* all(first: Buffer): AsyncGenerator<Buffer> {
    yield first;
    for (let step = await iterator.next(); step.done !== true; step = await iterator.next()) yield step.value;
  }
  try {
    let start: Buffer = Buffer.alloc(0);
    while (start.length < 2) {
      const step = await iterator.next();
      if (step.done === true) break;
      start = start.length === 0 ? step.value : Buffer.concat([start, step.value]);
    }
    if (start[0] === 0x1f && start[1] === 0x8b) {
      const gunzip = createGunzip({ chunkSize: CHUNK_BYTES });
      // The error of either stream reaches the reader through gunzip.
      pipeline(Readable.from(all(start), { objectMode: false }), gunzip, () => undefined);
      yield* gunzip;
    } else if (start.length > 0) {
      yield* all(start);
    }
    isDone = true;
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
    const said = cause instanceof Error ? cause.message : String(cause);
    const what = code === 'Z_BUF_ERROR' ? 'its gzip data ends early' : code.startsWith('Z_') ? 'its gzip data is damaged' : said;
    throw new CliError(`Can not read ${name} to its end: ${what}.`, { cause });
  } finally {
    if (!isDone) await iterator.return?.();
  }
}
