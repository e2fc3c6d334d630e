import { z } from 'zod';

/** The closed list of errors at the HTTP edge (RFC 9457). `code` is what a program should look at; titles may be reworded. */
export const PROBLEMS = {
  malformed_json: { status: 400, title: 'The body is not valid JSON' },
  malformed_body: { status: 400, title: 'The body can not be read' },
  empty_body: { status: 400, title: 'The body is empty' },
  invalid_request: { status: 400, title: 'The request is not as described' },
  all_rejected: { status: 400, title: 'No item was accepted' },
  unauthenticated: { status: 401, title: 'A valid API key is needed' },
  forbidden: { status: 403, title: 'The API key does not allow this' },
  not_found: { status: 404, title: 'There is nothing here' },
  method_not_allowed: { status: 405, title: 'The path does not take this method' },
  not_acceptable: { status: 406, title: 'No accepted media type can be produced' },
  request_timeout: { status: 408, title: 'The request took too long to arrive' },
  conflict: { status: 409, title: 'The request contradicts what is there' },
  body_too_large: { status: 413, title: 'The body is too large' },
  too_many_items: { status: 413, title: 'The body holds too many items' },
  unsupported_media_type: { status: 415, title: 'The media type of the body is not taken' },
  unsupported_encoding: { status: 415, title: 'The encoding of the body is not taken' },
  question_too_large: { status: 422, title: 'The question takes more memory than one may' },
  too_many_requests: { status: 429, title: 'Too many requests' },
  headers_too_large: { status: 431, title: 'The headers are too large' },
  internal: { status: 500, title: 'Something went wrong on our side' },
  unavailable: { status: 503, title: 'The service can not do this right now' },
  not_ready: { status: 503, title: 'The service is not ready' },
} as const satisfies Record<string, { status: number; title: string }>;

export type ProblemCode = keyof typeof PROBLEMS;

/** One fault of a request: where, as an RFC 6901 pointer in URI fragment form, and what. */
export interface FieldError {
  readonly in: 'body' | 'query' | 'path' | 'header';
  readonly pointer: string;
  readonly detail: string;
}

const fieldErrorSchema = z
  .object({
    in: z.enum(['body', 'query', 'path', 'header']),
    pointer: z.string().describe('JSON Pointer (RFC 6901) to the field, in URI fragment form'),
    detail: z.string().describe('Names the field and the limit it breaks'),
  })
  .meta({ id: 'FieldError' });

export const problemSchema = z
  .object({
    type: z.string().describe('Identifies the kind of problem: urn:touchstone:problem: and the code'),
    title: z.string(),
    status: z.int(),
    code: z.enum(Object.keys(PROBLEMS) as [ProblemCode, ...ProblemCode[]]).describe('For programs; from a closed list'),
    detail: z.string().describe('For people: what was wrong with this very request'),
    errors: z.array(fieldErrorSchema).optional().describe('The fields at fault'),
    requestId: z.string().optional().describe('Finds the request in the log of the service'),
  })
  .meta({ id: 'Problem' });

interface ProblemOptions {
  readonly cause?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly errors?: readonly FieldError[];
  /** Further members of the document; a route that sends them documents them. */
  readonly members?: Readonly<Record<string, unknown>>;
}

/** Thrown by a route or a hook; the app's error handler turns it into the answer. `message` becomes `detail`. */
export class ProblemError extends Error {
  readonly code: ProblemCode;
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly errors: readonly FieldError[] | undefined;
  readonly members: Readonly<Record<string, unknown>>;

  constructor(code: ProblemCode, detail: string, options: ProblemOptions = {}) {
    super(detail, 'cause' in options ? { cause: options.cause } : undefined);
    this.name = 'ProblemError';
    this.code = code;
    this.statusCode = PROBLEMS[code].status;
    this.headers = options.headers ?? {};
    this.errors = options.errors;
    this.members = options.members ?? {};
  }
}

/** The JSON text of a problem document. */
export function problemDocument(code: ProblemCode, detail: string, members: Readonly<Record<string, unknown>> = {}): string {
  const { status, title } = PROBLEMS[code];
  return JSON.stringify({ type: `urn:touchstone:problem:${code}`, title, status, code, detail, ...members });
}
