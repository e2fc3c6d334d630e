import { setTimeout as sleep } from 'node:timers/promises';
import { CliError, EXIT } from './cli-error.ts';

/**
 * HTTP to a running server through Node's own fetch, which keeps connections alive. An answer of any status comes back as a value; only a
 * server that can't be reached, or that refuses the key, throws.
 */
export interface ApiClient {
  readonly url: string;
  /** @throws Unreachable when no answer came; CliError when the key is missing or refused */
  request(method: string, path: string, body?: RequestBody): Promise<ApiAnswer>;
  /** As `request`, for callers that need a 2xx: anything else is a CliError with the server's own words. */
  expect(method: string, path: string, body?: RequestBody): Promise<unknown>;
  /**
   * Opens a stream of server-sent events, after the one with `lastEventId`, and gives its bytes as they come; whatever is no stream is refused as
   * by `expect`.
   * @throws Unreachable when no answer came, or not for now; CliError for anything but a stream
   */
  stream(path: string, lastEventId: string | null): Promise<AsyncIterable<Uint8Array>>;
}

export interface RequestBody {
  readonly contentType: 'application/json' | 'application/x-ndjson';
  readonly text: string;
}

export interface ApiAnswer {
  readonly status: number;
  /** Parsed JSON; null when there was none. */
  readonly body: unknown;
  /** From Retry-After, milliseconds; null when not given. */
  readonly retryAfterMs: number | null;
}

/** No answer: the connection was refused or broke, or the time was up. The same request may be sent again. */
export class Unreachable extends Error {}

const ANSWER_WITHIN_MS = 60_000;
/** A server that restores its state can say "not ready" for a while. */
const READY_WITHIN_MS = 120_000;

export function createApiClient({ url, key }: { url: string; key: string | undefined }): ApiClient {
  const base = baseOf(url);

  function headersOf(accept: string): Record<string, string> {
    if (key === undefined)
      throw new CliError(`No API key. Give one with --key or TOUCHSTONE_KEY. ${WHERE_KEYS_COME_FROM}`, { exitCode: EXIT.usage });
    return { authorization: `Bearer ${key}`, accept };
  }

  async function request(method: string, path: string, body?: RequestBody): Promise<ApiAnswer> {
    const headers = headersOf('application/json');
    if (body !== undefined) headers['content-type'] = body.contentType;
    const answer = await send(`${base}${path}`, {
      method,
      headers,
      body: body?.text ?? null,
      signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
    });
    return allowed(answer);
  }

  /** @throws CliError when the key is refused */
  function allowed(answer: ApiAnswer): ApiAnswer {
    if (answer.status === 401) {
      throw new CliError(`${base} does not know this API key (401), or it was revoked. ${WHERE_KEYS_COME_FROM}`, { exitCode: EXIT.usage });
    }
    if (answer.status === 403) {
      const said = describeProblem(answer.body);
      throw new CliError(`This API key may not do that (403${said === '' ? '' : `: ${said}`}). Use one with the needed scope.`, {
        exitCode: EXIT.usage,
      });
    }
    return answer;
  }

  async function expect(method: string, path: string, body?: RequestBody): Promise<unknown> {
    let answer: ApiAnswer;
    try {
      answer = await request(method, path, body);
    } catch (error) {
      if (error instanceof Unreachable) throw notRunning(base, error);
      throw error;
    }
    if (answer.status >= 200 && answer.status < 300) return answer.body;
    throw refused(method, path, answer);
  }

  async function stream(path: string, lastEventId: string | null): Promise<AsyncIterable<Uint8Array>> {
    const headers = headersOf('text/event-stream');
    if (lastEventId !== null) headers['last-event-id'] = lastEventId;
    let response: Response;
    try {
      response = await fetch(`${base}${path}`, { headers });
    } catch (cause) {
      throw new Unreachable(reasonOf(cause), { cause });
    }
    if (response.status === 200 && response.body !== null) return response.body;
    const answer = allowed({ status: response.status, body: parseOrNull(await response.text()), retryAfterMs: null });
    if (answer.status === 503) throw new Unreachable(describeProblem(answer.body) || 'it is not ready');
    throw refused('GET', path, answer);
  }

  return { url: base, request, expect, stream };
}

function refused(method: string, path: string, { body, status }: ApiAnswer): CliError {
  return new CliError(`${method} ${path} was answered ${status}: ${describeProblem(body) || 'no reason given'}`);
}

const WHERE_KEYS_COME_FROM =
  'The server prints its first key once, at its first start (or takes it from TOUCHSTONE_ADMIN_KEY); `touchstone keys create` makes more.';

function baseOf(url: string): string {
  const parsed = URL.parse(url);
  if (parsed === null || !/^https?:$/.test(parsed.protocol)) {
    throw new CliError(`--url '${url}' is not an http or https address, such as http://127.0.0.1:8080`, { exitCode: EXIT.usage });
  }
  return parsed.href.replace(/\/+$/, '');
}

async function send(url: string, init: RequestInit): Promise<ApiAnswer> {
  let response: Response;
  let text: string;
  try {
    response = await fetch(url, init);
    text = await response.text();
  } catch (cause) {
    throw new Unreachable(reasonOf(cause), { cause });
  }
  return { status: response.status, body: parseOrNull(text), retryAfterMs: retryAfterMs(response.headers.get('retry-after')) };
}

/** fetch says only "fetch failed"; what happened is in its cause. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === 'TimeoutError') return `no answer within ${ANSWER_WITHIN_MS / 1000} s`;
  const cause = error.cause;
  if (!(cause instanceof Error)) return error.message;
  return cause.message !== '' ? cause.message : String('code' in cause ? cause.code : error.message);
}

export function notRunning(url: string, error: Unreachable): CliError {
  return new CliError(
    `No server answers at ${url} (${error.message}). Start one with \`npx pnpm@12 start\`, or say where it is with --url.`,
    {
      cause: error,
    },
  );
}

/** Resolves once the server says that its state is restored. A server without the route counts as ready. */
export async function waitUntilReady(client: ApiClient, tell: (line: string) => void): Promise<void> {
  const deadline = performance.now() + READY_WITHIN_MS;
  for (let told = false; ; told = true) {
    let answer: ApiAnswer;
    try {
      answer = await send(`${client.url}/readyz`, { signal: AbortSignal.timeout(10_000) });
    } catch (error) {
      if (error instanceof Unreachable) throw notRunning(client.url, error);
      throw error;
    }
    if (answer.status !== 503) return;
    if (performance.now() > deadline)
      throw new CliError(`The server at ${client.url} is still not ready. See its log, or ${client.url}/readyz.`);
    if (!told) tell('The server is restoring its state; waiting for it.');
    await sleep(500);
  }
}

function parseOrNull(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return null;
  }
}

/** Seconds, or an HTTP date. */
function retryAfterMs(header: string | null): number | null {
  if (header === null) return null;
  if (/^\d{1,6}$/.test(header)) return Number(header) * 1000;
  const at = Date.parse(header);
  return Number.isNaN(at) ? null : Math.max(0, at - Date.now());
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The words of an RFC 9457 problem; empty when the body is none. */
export function describeProblem(body: unknown): string {
  if (!isRecord(body)) return '';
  const parts = [body['title'], body['detail']].filter((part) => typeof part === 'string' && part !== '');
  return [...new Set(parts)].join(': ');
}
