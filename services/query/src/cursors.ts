import { ProblemError } from '@touchstone/runtime';
import type { z } from 'zod';

/** Cursors are opaque to clients: base64url of JSON. */
export function encodeCursor(place: unknown): string {
  return Buffer.from(JSON.stringify(place)).toString('base64url');
}

/** @throws ProblemError `invalid_request` for a text that no page gave */
export function decodeCursor<Schema extends z.ZodType>(text: string, schema: Schema): z.output<Schema> {
  const parsed = schema.safeParse(parseJson(Buffer.from(text, 'base64url').toString('utf8')));
  if (parsed.success) return parsed.data;
  const detail = 'cursor must be the nextCursor of the page before, unchanged';
  throw new ProblemError('invalid_request', detail, { errors: [{ in: 'query', pointer: '#/cursor', detail }] });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
