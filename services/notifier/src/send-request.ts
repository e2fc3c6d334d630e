import { lookup as systemLookup, type LookupAddress } from 'node:dns';
import { Agent as HttpAgent, request as httpRequest, type ClientRequest, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import type { LookupFunction } from 'node:net';
import type { AddressGuard } from './address-guard.ts';

/**
 * One request to an endpoint. Redirects are not followed: Node's own client never does, and a target could send us anywhere by one. Addresses
 * are judged as they are resolved, by the client that then connects to them, so that there is no moment in between.
 */

export interface OutgoingRequest {
  /** Whose sockets it goes by: endpoints with the same host share none, or one that hangs would take those of the others. */
  readonly endpointId: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export type SendResult =
  | { readonly kind: 'answered'; readonly status: number; readonly retryAfter: string | undefined }
  /** `refused`: it may not be sent there. `timeout`: it took too long. `unreachable`: anything else, with a code of Node's. */
  | { readonly kind: 'refused' | 'timeout' | 'unreachable'; readonly error: string };

export interface Sender {
  send(request: OutgoingRequest): Promise<SendResult>;
  close(): void;
}

/** All addresses of a name, as `dns.lookup` gives them with `all`. */
export type ResolveAll = (name: string, callback: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void) => void;

export interface SenderOptions {
  readonly guard: AddressGuard;
  /** Of everything: name, connection, request and the head of the answer. */
  readonly timeoutMs?: number;
  readonly resolveAll?: ResolveAll;
}

const TIMEOUT_MS = 15_000;
/** Of an answer's body, which nobody reads: more than that ends the connection. */
const ANSWER_BYTES_MAX = 64 * 1024;
/** As many as messages of an endpoint are under way. There is no bound for all together but that: who waits for a socket would wait for the dead. */
const SOCKETS_PER_ENDPOINT_MAX = 16;
const IDLE_SOCKETS_PER_ENDPOINT_MAX = 4;

class RefusedAddress extends Error {}

/** Agents keep sockets by a name, which is that of the target. They hand in the options of the request. */
const nameOf = (target: string, options: object = {}): string =>
  'endpointId' in options ? `${String(options.endpointId)} ${target}` : target;

class EndpointsHttpAgent extends HttpAgent {
  override getName(options?: Parameters<HttpAgent['getName']>[0]): string {
    return nameOf(super.getName(options), options);
  }
}

class EndpointsHttpsAgent extends HttpsAgent {
  override getName(options?: Parameters<HttpsAgent['getName']>[0]): string {
    return nameOf(super.getName(options), options);
  }
}

const resolveBySystem: ResolveAll = (name, callback) => systemLookup(name, { all: true, order: 'verbatim' }, callback);

export function createSender({ guard, resolveAll = resolveBySystem, timeoutMs = TIMEOUT_MS }: SenderOptions): Sender {
  const lookup: LookupFunction = (name, options, callback) => {
    resolveAll(name, (error, addresses) => {
      if (error) {
        callback(error, []);
        return;
      }
      // One that is refused is enough: who could put it there could have the client choose it.
      const refusal = addresses.map(({ address }) => guard.judgeAddress(address)).find((found) => found !== null);
      const [first] = addresses;
      if (refusal !== undefined || first === undefined) callback(new RefusedAddress(refusal ?? 'the name stands for no address'), []);
      else if (options.all) callback(null, addresses);
      else callback(null, first.address, first.family);
    });
  };
  const shared = {
    lookup,
    keepAlive: true,
    maxSockets: SOCKETS_PER_ENDPOINT_MAX,
    maxFreeSockets: IDLE_SOCKETS_PER_ENDPOINT_MAX,
  };
  let isClosed = false;
  const agents = { 'http:': new EndpointsHttpAgent(shared), 'https:': new EndpointsHttpsAgent(shared) };

  function open(url: URL, { body, endpointId, headers }: OutgoingRequest): ClientRequest {
    const sent = { ...headers, 'content-length': Buffer.byteLength(body) };
    const options = { method: 'POST', headers: sent, setDefaultHeaders: true, endpointId };
    return url.protocol === 'https:'
      ? httpsRequest(url, { ...options, agent: agents['https:'] })
      : httpRequest(url, { ...options, agent: agents['http:'] });
  }

  return {
    async send(outgoing) {
      const refusal = guard.judgeUrl(outgoing.url);
      // Literal addresses are not looked up, and the settings may be others than when the endpoint was made.
      if (refusal !== null) return { kind: 'refused', error: refusal };
      const { promise, resolve } = Promise.withResolvers<SendResult>();
      const url = new URL(outgoing.url);
      // What becomes of the connection after its end is no news of the message: neither what ends it here nor a body that breaks off.
      let isOver = false;
      let request = begin(false);
      const timer = setTimeout(() => {
        isOver = true;
        resolve({ kind: 'timeout', error: `no answer within ${timeoutMs / 1000} s` });
        request.destroy();
      }, timeoutMs);

      function begin(isSecond: boolean): ClientRequest {
        const begun = open(url, outgoing);
        begun.on('response', (response) => {
          isOver = true;
          const { headers, statusCode = 0 } = response;
          resolve({ kind: 'answered', status: statusCode, retryAfter: headers['retry-after'] });
          drain(response);
        });
        begun.on('error', (error) => {
          if (!isOver && !isClosed && !isSecond && begun.reusedSocket && isReset(error)) request = begin(true);
          else resolve(resultOf(error));
        });
        begun.on('close', () => {
          if (begun !== request) return;
          clearTimeout(timer);
          resolve({ kind: 'unreachable', error: 'the connection was closed before an answer' });
        });
        begun.end(outgoing.body);
        return begun;
      }
      return promise;
    },
    close() {
      isClosed = true;
      for (const agent of Object.values(agents)) agent.destroy();
    },
  };
}

/**
 * A receiver closes a connection that was not used for a while, which may meet the next message on its way: that says nothing of the receiver, so the
 * message goes out again, by a connection of its own. It may then arrive twice, as any message may.
 */
function isReset(error: NodeJS.ErrnoException): boolean {
  return error.code === 'ECONNRESET' || error.code === 'EPIPE';
}

function resultOf(error: Error): SendResult {
  const cause = error instanceof AggregateError ? (error.errors[0] as Error | undefined) : error;
  if (cause instanceof RefusedAddress) return { kind: 'refused', error: cause.message };
  const { code } = (cause ?? error) as NodeJS.ErrnoException;
  // A message may hold what the target sent; a code is of Node's or OpenSSL's list.
  return { kind: 'unreachable', error: code ?? 'the connection failed' };
}

/** Reads what is left, so that the connection can be used again, as long as that is little. */
function drain(response: IncomingMessage): void {
  let bytes = 0;
  response.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > ANSWER_BYTES_MAX) response.destroy();
  });
  response.on('error', () => {});
}
