import { createWriteStream, mkdirSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createZstdDecompress, gzipSync, zstdCompressSync } from 'node:zlib';
import { Session } from 'chdb';

/**
 * chDB behind as much of ClickHouse's HTTP interface as its Node client speaks: so the store's server side is tried against the real engine
 * where there is no server. A program of its own, because a process can have one chDB directory; see `startChdbHttpFront`.
 *
 * Left out: sessions, roles, progress headers, array parameters with quotes in them.
 */
export interface FrontOptions {
  readonly directory: string;
  readonly port: number;
  readonly username: string;
  readonly password: string;
}

interface Statement {
  readonly session: Session;
  readonly text: string;
  readonly params: Record<string, string | null>;
}

/** URL parameters that are no settings of the engine. */
const NOT_SETTINGS = new Set(['query', 'database', 'query_id', 'session_id', 'role', 'default_format', 'wait_end_of_query']);
const INSERT_OF_BYTES = /^\s*INSERT\s+INTO\s+(\S+)\s*\(([^)]*)\)\s*(.*?)\s*FORMAT\s+(\w+)\s*$/is;
const AUTHENTICATION_FAILED = 516;

let spooled = 0;

async function serve(options: FrontOptions): Promise<void> {
  const engine = join(options.directory, 'clickhouse');
  mkdirSync(engine, { recursive: true });
  // Kept open: the engine unloads everything when its last session ends.
  const keeper = new Session(engine);
  const server = createServer((request, response) => {
    void answer(request, response, options, engine);
  });
  server.listen(options.port, '127.0.0.1', () => {
    process.stdout.write(`${JSON.stringify({ port: (server.address() as AddressInfo).port })}\n`);
  });
  const stop = (): void => {
    server.close(() => {
      keeper.close();
      process.stdin.destroy();
    });
    server.closeAllConnections();
  };
  process.once('SIGTERM', stop);
  // The other end is the process that started this one: when that is gone, so is the need.
  process.stdin.once('end', () => process.kill(process.pid, 'SIGKILL')).resume();
}

async function answer(request: IncomingMessage, response: ServerResponse, options: FrontOptions, engine: string): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://127.0.0.1');
  if (url.pathname === '/ping') {
    response.end('Ok.\n');
    return;
  }
  response.setHeader('X-ClickHouse-Query-Id', url.searchParams.get('query_id') ?? '');
  const session = new Session(engine);
  try {
    if (!isAllowed(request, options))
      throw new Error(`Code: ${AUTHENTICATION_FAILED}. DB::Exception: Wrong user or password. (AUTHENTICATION_FAILED)`);
    const query = url.searchParams.get('query');
    const body = plainBody(request);
    const statement = { session, text: query ?? (await text(body)), params: paramsOf(url) };
    await session.queryAsync(`${settingsOf(url)}SELECT 1`);
    const insert = query === null ? null : INSERT_OF_BYTES.exec(query);
    const bytes = insert === null ? await run(statement, url) : await insertBody(statement, insert, body, options.directory);
    sendBytes(request, response, url, bytes);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const code = /Code: (\d+)/.exec(message)?.[1] ?? '1002';
    response.writeHead(Number(code) === AUTHENTICATION_FAILED ? 403 : 500, { 'X-ClickHouse-Exception-Code': code }).end(message);
  } finally {
    session.close();
  }
}

/** As compressed as the client asks, when it also sets that the server may. */
function sendBytes(request: IncomingMessage, response: ServerResponse, url: URL, bytes: Uint8Array): void {
  const codec = url.searchParams.get('enable_http_compression') === '1' ? request.headers['accept-encoding'] : undefined;
  response.setHeader('X-ClickHouse-Summary', '{}');
  if (codec === 'gzip' || codec === 'zstd') response.setHeader('Content-Encoding', codec);
  if (codec === 'gzip') response.end(gzipSync(bytes));
  else response.end(codec === 'zstd' ? zstdCompressSync(bytes) : bytes);
}

/** An unfinished body ends in an error either way: a decoder misses its end mark. */
function plainBody(request: IncomingMessage): Readable {
  const codec = request.headers['content-encoding'];
  const decoder = codec === 'gzip' ? createGunzip() : codec === 'zstd' ? createZstdDecompress() : null;
  if (decoder === null) return request;
  request.once('error', (error) => decoder.destroy(error)).pipe(decoder);
  return decoder;
}

async function run({ session, text, params }: Statement, url: URL): Promise<Uint8Array> {
  const format = url.searchParams.get('default_format') ?? 'TabSeparated';
  const result = await (Object.keys(params).length > 0
    ? session.queryBindAsync(text, params, { format })
    : session.queryAsync(text, { format }));
  return result.bytes();
}

/** The engine takes statements as text, so the bytes of an insert go by way of a file; of a body that is cut short nothing is inserted. */
async function insertBody({ session }: Statement, insert: RegExpExecArray, body: Readable, directory: string): Promise<Uint8Array> {
  const [, table, columns, settings, format] = insert;
  const file = join(directory, `body-${++spooled}`);
  try {
    await pipeline(body, createWriteStream(file));
    const names = columns!.split(',').map((name) => name.trim());
    const types = await session.queryBindAsync(
      'SELECT name, type FROM system.columns WHERE database = currentDatabase() AND table = {table:String}',
      { table },
      { format: 'JSONCompactEachRow' },
    );
    const typeOf = new Map(
      types
        .text()
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as [string, string]),
    );
    const structure = names.map((name) => `${name} ${typeOf.get(name)}`).join(', ');
    await session.queryBindAsync(
      `INSERT INTO ${table} (${columns}) ${settings} SELECT ${columns} FROM file({file:String}, {format:String}, {structure:String})`,
      { file, format, structure },
    );
    return new Uint8Array(0);
  } finally {
    await rm(file, { force: true });
  }
}

function isAllowed(request: IncomingMessage, { username, password }: FrontOptions): boolean {
  return request.headers.authorization === `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}

function settingsOf(url: URL): string {
  const database = url.searchParams.get('database');
  const settings = [...url.searchParams].filter(([name]) => !NOT_SETTINGS.has(name) && !name.startsWith('param_'));
  return [
    ...(database === null ? [] : [`USE \`${database.replaceAll('`', '``')}\``]),
    ...settings.map(([name, value]) => `SET ${name} = '${value.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`),
    '',
  ].join('; ');
}

/** Values come escaped as in tab-separated text, and chDB's binding escapes them again. */
function paramsOf(url: URL): Record<string, string | null> {
  const params = [...url.searchParams].filter(([name]) => name.startsWith('param_'));
  return Object.fromEntries(params.map(([name, value]) => [name.slice('param_'.length), unescape(value)]));
}

const ESCAPES: Readonly<Record<string, string>> = { '0': '\0', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' };

function unescape(value: string): string | null {
  if (value === String.raw`\N`) return null;
  return value.replaceAll(/\\(.)/gs, (_, escaped: string) => ESCAPES[escaped] ?? escaped);
}

if (import.meta.main) await serve(JSON.parse(process.argv[2]!) as FrontOptions);
