import { setTimeout as sleep } from 'node:timers/promises';
import { describeProblem, isRecord, notRunning, Unreachable, type ApiAnswer, type ApiClient } from './api-client.ts';
import { CliError } from './cli-error.ts';

/** What the server said of one item it did not take. */
export interface ServerRejection {
  readonly index: number;
  readonly code: string;
  readonly message: string;
}

export interface BatchResult {
  readonly accepted: number;
  readonly rejected: readonly ServerRejection[];
}

export interface SendOptions {
  readonly client: ApiClient;
  /** Such as /v1/touches. */
  readonly path: string;
  /** Told once for each wait, in words for the user. */
  readonly onWait?: (message: string) => void;
  /** Gives up after this long without an answer that counts, milliseconds. */
  readonly patienceMs?: number;
  readonly signal?: AbortSignal;
}

const PATIENCE_MS = 5 * 60_000;
const FIRST_WAIT_MS = 250;
const WAIT_MAX_MS = 15_000;
/** The server may not have done anything with the request, or may be done with it: the ids make it safe to send the same body again. */
const RETRIABLE = new Set([408, 429, 500, 502, 503, 504]);

/**
 * Sends lines of NDJSON and resolves once the server has answered for each. The same body is sent again while the server is busy (503 and
 * its like, after the Retry-After it asks for) or out of reach.
 * @throws CliError when the server refuses the request as such, or patience is at its end
 */
export async function sendBatch(lines: readonly string[], options: SendOptions): Promise<BatchResult> {
  const { client, path, patienceMs = PATIENCE_MS } = options;
  const text = `${lines.join('\n')}\n`;
  let waitedMs = 0;
  for (let wait = FIRST_WAIT_MS; ; wait = Math.min(wait * 2, WAIT_MAX_MS)) {
    const answer = await attempt(client, path, text);
    if (!(answer instanceof Unreachable) && !RETRIABLE.has(answer.status)) return readResult(answer, lines.length, path);

    const waitMs = (answer instanceof Unreachable ? null : answer.retryAfterMs) ?? wait;
    if (waitedMs + waitMs > patienceMs) throw outOfPatience(answer, client.url, waitedMs);
    const why = answer instanceof Unreachable ? `does not answer (${answer.message})` : `can not take more now (${answer.status})`;
    options.onWait?.(`The server ${why}; sending the same again in ${(waitMs / 1000).toFixed(1)} s.`);
    await sleep(waitMs, undefined, options.signal === undefined ? {} : { signal: options.signal });
    waitedMs += waitMs;
  }
}

async function attempt(client: ApiClient, path: string, text: string): Promise<ApiAnswer | Unreachable> {
  try {
    return await client.request('POST', path, { contentType: 'application/x-ndjson', text });
  } catch (error) {
    if (error instanceof Unreachable) return error;
    throw error;
  }
}

function outOfPatience(answer: ApiAnswer | Unreachable, url: string, waitedMs: number): CliError {
  if (answer instanceof Unreachable) return notRunning(url, answer);
  const said = describeProblem(answer.body);
  return new CliError(
    `The server at ${url} has taken nothing for ${Math.round(waitedMs / 1000)} s (${answer.status}${said === '' ? '' : `: ${said}`}). See its log.`,
  );
}

function readResult({ status, body }: ApiAnswer, sent: number, path: string): BatchResult {
  const fields = isRecord(body) ? body : {};
  const isAnswered = status === 202 || status === 200 || (status === 400 && Array.isArray(fields['rejected']));
  if (!isAnswered) throw new CliError(`POST ${path} was answered ${status}: ${describeProblem(body) || 'no reason given'}`);
  const rejected = (Array.isArray(fields['rejected']) ? fields['rejected'] : []).map(readRejection);
  const accepted = typeof fields['accepted'] === 'number' ? fields['accepted'] : 0;
  if (accepted + rejected.length !== sent || rejected.some(({ index }) => index < 0 || index >= sent)) {
    throw new CliError(
      `POST ${path} was answered ${status} with ${accepted} accepted and ${rejected.length} rejected, but ${sent} were sent. Is this a Touchstone server?`,
    );
  }
  return { accepted, rejected };
}

function readRejection(value: unknown): ServerRejection {
  const fields = isRecord(value) ? value : {};
  return {
    index: typeof fields['index'] === 'number' && Number.isInteger(fields['index']) ? fields['index'] : -1,
    code: typeof fields['code'] === 'string' ? fields['code'] : 'unknown',
    message: typeof fields['message'] === 'string' ? fields['message'] : '',
  };
}
