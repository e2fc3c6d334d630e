import { Readable } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate, createZstdDecompress } from 'node:zlib';
import type { FastifyReply, FastifyRequest, RequestPayload } from 'fastify';
import type { HttpApp } from './http-app-type.ts';
import { decodeBody, parseJson } from './parse-json.ts';
import { ProblemError } from './problem.ts';

const DECODERS = {
  gzip: () => createGunzip(),
  'x-gzip': () => createGunzip(),
  deflate: () => createInflate(),
  br: () => createBrotliDecompress(),
  zstd: () => createZstdDecompress(),
};
const ENCODINGS = 'gzip, deflate, br, zstd';

/** Bodies that are held at the same moment, all together: with the limit of each this is what bounds the memory of requests. */
export const HELD_BODY_BYTES_MAX = 256 * 1024 * 1024;

/**
 * How bodies are read: `Content-Encoding` is undone as the bytes arrive, and the limit of the route counts inflated bytes, so that a small
 * body can't unfold into a large one. What all bodies hold together is bounded as well; beyond it the answer is 503.
 */
export function readBodies(app: HttpApp, heldBytesMax: number): void {
  let held = 0;

  app.addHook('preParsing', (request, reply, payload, done) => {
    const { headers } = request;
    const encoding = (headers['content-encoding'] ?? 'identity').trim().toLowerCase();
    if (encoding !== 'identity' && !Object.hasOwn(DECODERS, encoding)) {
      const detail = `Content-Encoding ${JSON.stringify(encoding.slice(0, 64))} is not taken; send one of ${ENCODINGS}, or none`;
      done(new ProblemError('unsupported_encoding', detail, { headers: { 'accept-encoding': ENCODINGS } }));
      return;
    }
    if (encoding === 'identity' && headers['transfer-encoding'] === undefined) {
      const declared = Number(headers['content-length'] ?? 0);
      // A body over the limit of its route is refused unread, a moment later, by the same header.
      const refused = declared > 0 && declared <= request.routeOptions.bodyLimit ? holder(reply)(declared) : null;
      if (refused) done(refused);
      else done(null, payload);
      return;
    }
    done(null, inflated(request, payload, encoding, holder(reply)));
  });

  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, body: Buffer, done) => {
    // Some clients name a media type with every request, DELETE without a body included.
    if (body.length === 0 && request.method === 'DELETE') {
      done(null);
      return;
    }
    try {
      done(null, parseBody(body));
    } catch (error) {
      done(error as ProblemError);
    }
  });

  function holder(reply: FastifyReply): (bytes: number) => ProblemError | null {
    let own = 0;
    // It closes but once, and to forget a listener costs more than to have it.
    reply.raw.on('close', () => (held -= own));
    return (bytes) => {
      own += bytes;
      held += bytes;
      if (held <= heldBytesMax) return null;
      return new ProblemError('unavailable', 'too many bodies are being read at once', { headers: { 'retry-after': '1' } });
    };
  }
}

/** @throws ProblemError `empty_body`, `malformed_body`, `malformed_json`, or `invalid_request` for keys that poison prototypes */
function parseBody(body: Buffer): unknown {
  if (body.length === 0) throw new ProblemError('empty_body', 'the body is empty; a JSON document is expected');
  const text = decodeBody(body);
  const value = parseJson(text);
  // JSON.parse makes `__proto__` a plain own key; whoever copies the object key by key later would set a prototype. A key may hide as
  // escapes, so a text with any backslash-u is looked through too.
  if (text.includes('__proto__') || text.includes('\\u')) refuseProtoKeys(value);
  return value;
}

function refuseProtoKeys(value: unknown): void {
  const open: unknown[] = [value];
  while (open.length > 0) {
    const next = open.pop();
    if (typeof next !== 'object' || next === null) continue;
    if (Object.hasOwn(next, '__proto__')) throw new ProblemError('invalid_request', 'the key __proto__ is not taken');
    // One by one: spreading the members of a large array would overflow the call stack.
    for (const member of Object.values(next)) open.push(member);
  }
}

type Hold = (bytes: number) => ProblemError | null;

/**
 * Inflates, counts and limits what arrives. The request itself must outlive an error here, because destroying it closes the connection
 * before the answer is out: hence an iterator that leaves it alone, and a pipe where `pipeline` would destroy both ends.
 */
function inflated(request: FastifyRequest, payload: RequestPayload, encoding: string, hold: Hold): RequestPayload {
  const limit = request.routeOptions.bodyLimit;
  let encodedBytes = 0;

  function open(): AsyncIterable<Buffer> {
    if (encoding === 'identity') return payload.iterator({ destroyOnReturn: false });
    const decoder = DECODERS[encoding as keyof typeof DECODERS]();
    payload.on('data', (chunk: Buffer) => (encodedBytes += chunk.length));
    payload.once('error', (cause) => decoder.destroy(cause));
    return payload.pipe(decoder);
  }

  async function* bounded(): AsyncGenerator<Buffer> {
    let bytes = 0;
    try {
      // Opened with the first read: when the request is refused before that, nothing is inflated at all.
      for await (const chunk of open()) {
        bytes += chunk.length;
        if (bytes > limit) throw bodyTooLarge(limit);
        const refused = hold(chunk.length);
        if (refused) throw refused;
        yield chunk;
      }
    } catch (cause) {
      if (cause instanceof ProblemError) throw cause;
      throw new ProblemError('malformed_body', `the body is not valid ${encoding === 'identity' ? 'HTTP' : encoding}`, { cause });
    }
  }

  const stream: RequestPayload = Readable.from(bounded(), { objectMode: false });
  stream.on('error', ignore);
  // Fastify compares Content-Length with this, not with the inflated size.
  if (encoding !== 'identity') Object.defineProperty(stream, 'receivedEncodedLength', { get: () => encodedBytes });
  return stream;
}

/** Whoever reads a stream hears of its error; one that comes when nobody reads any more would end the process. */
function ignore(): void {}

export function bodyTooLarge(limit: number): ProblemError {
  return new ProblemError('body_too_large', `the body is longer than ${limit} bytes; compressed bodies count inflated`);
}
