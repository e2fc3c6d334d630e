import { expect } from 'vitest';

export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly code: string;
  readonly detail: string;
  readonly errors?: readonly { readonly in: string; readonly pointer: string; readonly detail: string }[];
  readonly rejected?: readonly { readonly index: number; readonly id: string | null; readonly code: string; readonly message: string }[];
}

/** Holds an answer against what every error of the API promises, and gives its document. */
export async function expectProblem(response: Response, status: number, code: string): Promise<Problem> {
  const text = await response.text();
  expect(`${response.status} ${text.slice(0, 500)}`).toMatch(new RegExp(`^${status} `));
  expect(response.headers.get('content-type')).toBe('application/problem+json; charset=utf-8');
  const problem = JSON.parse(text) as Problem;
  expect(problem).toMatchObject({ type: `urn:touchstone:problem:${code}`, status, code });
  expect(problem.title).toMatch(/\w/);
  expect(problem.detail).toMatch(/\w/);
  // Nothing of our inside: no stack, no path, no statement.
  expect(text).not.toMatch(/node_modules|\.ts:|file:\/\/|SELECT /);
  if (status === 503) expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(0);
  return problem;
}
