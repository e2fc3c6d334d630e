import { z } from 'zod';
import type { HttpApp } from './http-app-type.ts';
import { describeIssue, pointerOf } from './describe-issue.ts';
import { ProblemError, type FieldError } from './problem.ts';

const PLACES: Readonly<Record<string, FieldError['in']>> = { body: 'body', querystring: 'query', params: 'path', headers: 'header' };

/** Requests are validated by the zod schemas of their routes; answers are plain JSON, in which a number that is not finite is null. */
export function validateParts(app: HttpApp): void {
  app.setValidatorCompiler(({ schema, httpPart }) => {
    if (!(schema instanceof z.ZodType)) throw new Error(`the schema of ${httpPart ?? 'a part'} is not a zod schema`);
    const place = PLACES[httpPart ?? 'body'] ?? 'body';
    return (data: unknown) => {
      const parsed = schema.safeParse(data, { reportInput: true });
      return parsed.success ? { value: parsed.data } : { error: invalid(place, parsed.error) };
    };
  });
  app.setSerializerCompiler(() => (data) => JSON.stringify(data));
}

function invalid(place: FieldError['in'], error: z.ZodError): ProblemError {
  const errors = error.issues.map((issue): FieldError => {
    const { message } = describeIssue(issue, place === 'body' ? 'the body' : `the ${place}`);
    return { in: place, pointer: pointerOf(issue.path), detail: message };
  });
  const more = errors.length > 1 ? ` (and ${errors.length - 1} more)` : '';
  return new ProblemError('invalid_request', `${errors[0]?.detail ?? 'the request is not as described'}${more}`, { errors });
}
